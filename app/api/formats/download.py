"""Answers that are taken away as files, sent while they are made."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.api.conditional import CACHE_CONTROL
from app.api.envelope import WITHOUT_BODY
from app.api.formats.registry import Format


def file_headers(name: str) -> dict[str, str]:
    """Return the headers of an answer that is to be saved under this name."""
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": CACHE_CONTROL,
    }


async def download(
    request: Request,
    closing: AsyncExitStack,
    pieces: AsyncGenerator[bytes, None],
    form: Format,
    name: str,
) -> Response:
    """Send a file piece by piece; what goes wrong before the first one is still a problem.

    What goes wrong later ends the answer without its end: an error in a generator makes the server
    cut the connection, and a client sees a transfer that is incomplete.
    """
    closing.push_async_callback(pieces.aclose)
    first = await anext(pieces)
    if request.scope.get(WITHOUT_BODY):
        await pieces.aclose()
    return StreamingResponse(
        _all(first, pieces), headers=file_headers(name), media_type=form.content_type
    )


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
