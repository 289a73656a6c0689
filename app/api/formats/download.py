"""Answers that are taken away as files: sent while they are made, or once they are."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from app.api.conditional import CACHE_CONTROL
from app.api.formats.columns import Item
from app.api.formats.registry import Format
from app.api.layers.admission import Turn
from app.domain.errors import UnavailableError

PIECE_BYTES = 65_536
# Who isn't done after so long is cut off: others wait for the place. Who doesn't read at all is cut
# off by the protocol.
LONGEST_S = 3_600.0


class _Download(StreamingResponse):
    """An answer that doesn't last for ever."""

    async def stream_response(self, send: Send) -> None:
        """Send all pieces, or raise TimeoutError."""
        async with asyncio.timeout(LONGEST_S):
            await super().stream_response(send)


def file_headers(name: str) -> dict[str, str]:
    """Return the headers of an answer that is to be saved under this name."""
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": CACHE_CONTROL,
    }


async def begun(
    closing: AsyncExitStack, pieces: AsyncGenerator[bytes, None], turn: Turn
) -> AsyncIterator[bytes]:
    """Return the pieces once there is a first one: what goes wrong before is still a problem.

    Each further one is made when it is its turn.

    What goes wrong later ends the answer without its end: an error in a generator makes the server
    cut the connection, and a client sees a transfer that is incomplete.
    """
    closing.push_async_callback(pieces.aclose)
    return _all(await anext(pieces), pieces, turn)


def download(
    pieces: AsyncIterator[bytes] | Iterator[bytes], form: Format, headers: dict[str, str]
) -> Response:
    """Send a file piece by piece."""
    return _Download(pieces, headers=headers, media_type=form.content_type)


async def _all(first: bytes, rest: AsyncIterator[bytes], turn: Turn) -> AsyncIterator[bytes]:
    piece: bytes | None = first
    while piece is not None:
        yield piece
        async with turn():
            piece = await anext(rest, None)


async def while_connected(
    request: Request, batches: AsyncGenerator[Sequence[Item], None]
) -> AsyncGenerator[Sequence[Item], None]:
    """Yield the batches until the client is gone: for what is finished before it is sent."""
    async with aclosing(batches):
        async for items in batches:
            if await request.is_disconnected():
                # It is told to nobody.
                raise UnavailableError
            yield items


def finished(
    closing: AsyncExitStack, path: Path, form: Format, headers: dict[str, str]
) -> Response:
    """Send a file that is complete; a client can tell its end from its length."""
    file = closing.enter_context(path.open("rb"))
    length = {"Content-Length": str(path.stat().st_size)}
    return download(iter(partial(file.read, PIECE_BYTES), b""), form, headers | length)
