"""Answers for events that are no longer there: retracted ones, and those merged into another."""

from starlette.requests import Request
from starlette.responses import Response

from app.api.conditional import answer
from app.api.links import base_url
from app.domain.history import Revision


def gone(request: Request, revision: Revision) -> Response:
    """Return the tombstone with 410, or the way to the survivor with 308 (RFC 9110, 15.5.11)."""
    tombstone = revision.tombstone()
    if revision.merged_into is None:
        return answer(request, tombstone, status=410)
    query = f"?{request.url.query}" if request.url.query else ""
    location = f"{base_url(request)}/v1/events/{revision.merged_into}{query}"
    return answer(request, tombstone, headers={"Location": location}, status=308)
