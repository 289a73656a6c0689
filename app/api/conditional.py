"""Conditional requests (RFC 9110, section 13): a tag for every answer, and 304 where it is known.

A tag is a digest of the plain bytes. The same tag stands on the compressed form, so that one read
from either is good for both; that is safe because nothing here answers ranges.
"""

from collections.abc import Iterable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from app.domain.document import tag_of, tag_of_revision

# Anybody may store an answer, but asks every time whether it still holds.
CACHE_CONTROL = "public, no-cache"


def answer(
    request: Request,
    body: str | bytes,
    media_type: str = "application/json",
    headers: dict[str, str] | None = None,
    status: int = HTTPStatus.OK,
    tag: str | None = None,
) -> Response:
    """Return the body with its tag, or 304 where the client has it already.

    A status other than 200 is sent whatever the client has (RFC 9110, section 13.2.1).
    """
    content = body.encode() if isinstance(body, str) else body
    tag = tag or tag_of(content)
    sent = {"ETag": tag, "Cache-Control": CACHE_CONTROL, **(headers or {})}
    if status == HTTPStatus.OK and matches(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers=sent)
    return Response(content, status, sent, media_type)


def answer_document(
    request: Request,
    document: str,
    headers: dict[str, str] | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    """Return a document or tombstone under the tag by which editors name its revision."""
    tag = tag_of_revision(document)
    return answer(request, document, headers=headers, status=status, tag=tag)


def matches(lines: Iterable[str], tag: str) -> bool:
    """Tell whether lines of If-None-Match name the tag, by weak comparison (RFC 9110, 13.1.2)."""
    listed = {each.strip().removeprefix("W/") for line in lines for each in line.split(",")}
    return "*" in listed or tag in listed
