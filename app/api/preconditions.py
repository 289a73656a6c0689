"""If-Match and If-None-Match on writes (RFC 9110, sections 13.1.1 and 13.1.2)."""

from typing import Any

from starlette.requests import Request

from app.domain.document import name_revision, revision_in, revision_of_document
from app.domain.errors import MalformedHeaderError, PreconditionFailedError


def header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    """Return how OpenAPI describes a header that a route reads by itself."""
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": schema,
    }


_IF_MATCH = "The `ETag` of the state that you have seen and are changing, in its quotation marks."
MUST_MATCH: dict[str, Any] = {"parameters": [header("If-Match", _IF_MATCH, required=True)]}
SEEN: dict[str, Any] = {"parameters": [header("If-Match", _IF_MATCH)]}
MAY_MATCH: dict[str, Any] = {
    "parameters": [
        header("If-Match", f"{_IF_MATCH} Needed to replace, not to record."),
        header("If-None-Match", "`*` to record and in no case to replace."),
    ]
}
"""How OpenAPI describes what the functions below read."""


def if_match(request: Request) -> set[str] | None:
    """Return the tags that the client has seen, `*` for any; None where it doesn't say.

    A weak tag stays as it is and so matches nothing: the comparison is the strong one.

    Raises:
        MalformedHeaderError: none of them can be a tag of this service.

    """
    tags = _tags(request, "if-match")
    if tags and not any(map(_may_be_ours, tags)):
        raise MalformedHeaderError(
            "If-Match holds no tag of this service: send the ETag of the answer in which you read "
            'what you are changing, in its quotation marks, as "3-0a1b2c3d4e5f6071".'
        )
    return tags


def _may_be_ours(tag: str) -> bool:
    return tag == "*" or revision_in(tag.removeprefix("W/")) is not None


def check_seen(request: Request, shown: str | None) -> None:
    """Make sure that If-Match, where it is sent, names what is shown now, None for nothing.

    Raises:
        PreconditionFailedError: it names another state.

    """
    tags = if_match(request)
    if tags is None:
        return
    if shown is None or not name_revision(tags, revision_of_document(shown)):
        raise PreconditionFailedError(shown)


def if_none_match(request: Request) -> set[str] | None:
    """Return the tags of the states that the client rules out, `*` for any; None for none of them.

    The comparison is the weak one.
    """
    tags = _tags(request, "if-none-match")
    return tags and {tag.removeprefix("W/") for tag in tags}


def _tags(request: Request, name: str) -> set[str] | None:
    headers = request.headers.getlist(name)
    if not headers:
        return None
    return {tag.strip() for header in headers for tag in header.split(",")}
