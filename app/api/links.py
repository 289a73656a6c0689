"""Absolute addresses: built on the public URL if one is set, else on the host that was asked."""

from urllib.parse import urlencode

from starlette.requests import Request


def base_url(request: Request) -> str:
    """Return what links begin with, without a slash at the end."""
    public: str | None = request.app.state.settings.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def continued(request: Request, cursor: str) -> str:
    """Return the address of the next page: the same question with another cursor."""
    # A value that is given again changes nothing.
    asked = dict.fromkeys(request.query_params.multi_items())
    kept = [(name, value) for name, value in asked if name != "cursor" and value.strip()]
    return f"{base_url(request)}{request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"
