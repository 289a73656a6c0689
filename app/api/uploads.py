"""Request bodies on their way in: read to the end before anything else is done with them.

A client may send slowly, so nothing is held for a body while it comes: no place among the requests
that are worked on (see `app.api.layers.admission`), no connection to the database, and no more
memory than a little of it takes. The rest lies on disk, in files without a name.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from starlette.requests import ClientDisconnect, Request

from app.api.exchange import IN_SCOPE
from app.domain.errors import (
    BusyError,
    MalformedBodyError,
    PayloadTooLargeError,
    TooManyUploadsError,
)

# Most edits have a few kilobytes. On 800 connections, the most that there may be, so much of each
# body takes 50 MB.
MEMORY_BYTES = 65_536
MAX_BYTES_OF_A_KEY = 67_108_864


class UploadLimit:
    """How many bytes each sender may have on their way in at once, in this process."""

    def __init__(self, max_bytes: int = MAX_BYTES_OF_A_KEY) -> None:
        """Allow each sender so many bytes at once."""
        self._max_bytes = max_bytes
        self._bytes: Counter[str] = Counter()
        self._bodies: Counter[str] = Counter()
        # The one of each sender that may be as large as a body may be.
        self._first: dict[str, CountedBody] = {}

    @contextmanager
    def body(self, sender: str) -> Iterator["CountedBody"]:
        """Count a body for as long as this lasts."""
        self._bodies[sender] += 1
        counted = CountedBody(self, sender)
        self._first.setdefault(sender, counted)
        try:
            yield counted
        finally:
            if self._first.get(sender) is counted:
                del self._first[sender]
            self._bodies[sender] -= 1
            self._bytes[sender] -= counted.size
            # A sender with nothing on its way takes no memory.
            if not self._bodies[sender]:
                del self._bodies[sender], self._bytes[sender]

    def take(self, sender: str, body: "CountedBody", count: int) -> None:
        """Count so many bytes of a body more.

        Raises:
            TooManyUploadsError: with what else the sender has on its way, that is too much. The
                first body may be larger, up to its own limit.

        """
        may_be_large = self._bodies[sender] == 1 or self._first.get(sender) is body
        if self._bytes[sender] + count > self._max_bytes and not may_be_large:
            raise TooManyUploadsError(self._max_bytes)
        self._bytes[sender] += count


class CountedBody:
    """One body, and how much of it has come."""

    def __init__(self, limit: UploadLimit, sender: str) -> None:
        """Begin with nothing."""
        self._limit = limit
        self._sender = sender
        self.size = 0

    def add(self, count: int) -> None:
        """Count so many bytes more.

        Raises:
            TooManyUploadsError: see `UploadLimit.take`.

        """
        self._limit.take(self._sender, self, count)
        self.size += count


@asynccontextmanager
async def uploaded(request: Request, max_bytes: int) -> AsyncIterator[tuple[IO[bytes], int]]:
    """Lend a file that holds the whole body of a request, and say how many bytes that is.

    It is counted as it comes in, because one sent in chunks doesn't say its length. Edits and
    imports of a key are counted apart, so that a long import keeps nobody from correcting an event.

    Raises:
        PayloadTooLargeError: there are more bytes than `max_bytes`.
        TooManyUploadsError: the key has too much on its way at once.
        MalformedBodyError: the client has left before the end.
        BusyError: the disk is full.

    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise PayloadTooLargeError(max_bytes)
    limit: UploadLimit = request.app.state.upload_limit
    sender = f"{request.scope[IN_SCOPE].key} up to {max_bytes}"
    file: IO[bytes] = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - See below.
    with limit.body(sender) as body:
        try:
            await _receive(request, file, body, max_bytes)
            yield file, body.size
        finally:
            # To give a large file back takes the disk its time; one that is full says so once more.
            with suppress(OSError):
                await _run(body.size, file.close)


async def _receive(request: Request, file: IO[bytes], body: CountedBody, max_bytes: int) -> None:
    try:
        async for chunk in request.stream():
            body.add(len(chunk))
            if body.size > max_bytes:
                raise PayloadTooLargeError(max_bytes)
            await _run(body.size, file.write, chunk)
    except ClientDisconnect as error:
        raise MalformedBodyError("The body has no end.") from error
    except OSError as error:
        raise BusyError("There is no room for the body on the server's disk.") from error
    file.seek(0)


async def _run(size: int, function: Any, *arguments: Any) -> None:
    """Call what may have to wait for the disk, off the event loop."""
    if size > MEMORY_BYTES:
        await asyncio.to_thread(function, *arguments)
    else:
        function(*arguments)
