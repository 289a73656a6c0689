"""If-Match and If-None-Match on writes (RFC 9110, sections 13.1.1 and 13.1.2)."""

from starlette.requests import Request


def if_match(request: Request) -> set[str] | None:
    """Return the tags that the client has seen, `*` for any; None where it doesn't say.

    A weak tag stays as it is and so matches nothing: the comparison is the strong one.
    """
    headers = request.headers.getlist("if-match")
    if not headers:
        return None
    return {tag.strip() for header in headers for tag in header.split(",")}


def must_be_new(request: Request) -> bool:
    """Tell whether the client wants to record and in no case to replace: `If-None-Match: *`."""
    return request.headers.get("if-none-match", "").strip() == "*"
