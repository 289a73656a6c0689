"""Answers for events that are no longer there: retracted ones, and those merged into another."""

from starlette.requests import Request
from starlette.responses import Response

from app.api.conditional import answer_document
from app.api.links import base_url
from app.domain.history import Revision


def gone(request: Request, revision: Revision, survivor: str) -> Response:
    """Return the tombstone with 410, or the way to the survivor with 308 (RFC 9110, 15.4.9)."""
    tombstone = revision.tombstone()
    if not survivor:
        return answer_document(request, tombstone, status=410)
    query = f"?{request.url.query}" if request.url.query else ""
    location = f"{base_url(request)}/v1/events/{survivor}{query}"
    return answer_document(request, tombstone, headers={"Location": location}, status=308)
