"""Requests that come when they come, whether or not those before them were answered."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

# So many requests may be under way; who would need one more is counted as failed.
MOST_CONNECTIONS = 2_000
PATIENCE_S = 10
# What was due while this process itself was kept waiting is left out: it would come as a burst.
LATE_S = 0.02
ONLY_CHUNK = b"0\r\n\r\n"
LAST_CHUNK = b"\r\n" + ONLY_CHUNK


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one request; status 0 where nothing did."""

    path: str
    due: float
    status: int
    seconds: float
    says_when: bool


class Connection(asyncio.Protocol):
    """One connection, on which one request at a time is under way."""

    def __init__(self, asking: "Asking") -> None:
        self._asking = asking
        self._read = b""
        self._head: bytes | None = None
        self._length = 0
        self._path = ""
        self._due = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._asking.is_free(self)

    def ask(self, path: str, due: float) -> None:
        """Send a request that was due at some time."""
        self._path, self._due = path, due
        self._transport.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            self._read += data
            head, end, data = self._read.partition(b"\r\n\r\n")
            if not end:
                return
            self._head, self._read = head.lower(), b""
        self._length += len(data)
        # Of a long body no more is kept than shows its end.
        self._read = (self._read + data)[-len(LAST_CHUNK) :]
        if self._is_whole(self._head):
            head, self._head, self._read, self._length = self._head, None, b"", 0
            self._note(int(head[9:12]), says_when=b"retry-after: " in head)
            self._asking.is_free(self)

    def _is_whole(self, head: bytes) -> bool:
        if b"transfer-encoding: chunked" in head:
            return self._read in {LAST_CHUNK, ONLY_CHUNK}
        return self._length >= int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._asking.is_lost(self)
        if self._path:
            self._note(0)

    def close(self) -> None:
        """End it; what is still under way has failed."""
        self._transport.abort()

    def _note(self, status: int, *, says_when: bool = False) -> None:
        path, self._path = self._path, ""
        seconds = time.monotonic() - self._due
        self._asking.answers.append(Answered(path, self._due, status, seconds, says_when))


class Asking:
    """Connections to a server, as many as are needed, and what came of what was asked on them."""

    def __init__(self, port: int) -> None:
        self.answers: list[Answered] = []
        self._port = port
        self._all: set[Connection] = set()
        self._free: list[Connection] = []
        self._opening: set[asyncio.Task[None]] = set()

    def is_free(self, connection: Connection) -> None:
        self._all.add(connection)
        self._free.append(connection)

    def is_lost(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)

    def ask(self, path: str) -> None:
        """Send a request on a connection that is free, or on a new one."""
        due = time.monotonic()
        if self._free:
            self._free.pop().ask(path, due)
        elif len(self._all) + len(self._opening) < MOST_CONNECTIONS:
            opening = asyncio.create_task(self._open_and_ask(path, due))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)
        else:
            self.answers.append(Answered(path, due, 0, 0.0, says_when=False))

    async def end(self) -> None:
        """Wait until everything is answered, but not for ever."""
        end = time.monotonic() + PATIENCE_S
        # Every answer would have to tell it, and few are the last one.
        while len(self._free) < len(self._all) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for each in list(self._all):
            each.close()
        await asyncio.sleep(0.01)

    async def _open_and_ask(self, path: str, due: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
        except OSError:
            self.answers.append(Answered(path, due, 0, time.monotonic() - due, says_when=False))
            return
        if self._free:
            self._free.pop().ask(path, due)


async def arriving(
    port: int, paths: Iterator[str], rate: float, seconds: float, probe: str
) -> list[Answered]:
    """Ask at a rate, whatever comes of it, and for one address 20 times a second besides."""
    asking, random = Asking(port), Random(1)
    due = begin = looked = time.monotonic()
    while due < begin + seconds:
        now = time.monotonic()
        due = max(due, now - LATE_S)
        while due <= now:
            asking.ask(next(paths))
            due += random.expovariate(rate)
        if looked <= now:
            asking.ask(probe)
            looked = now + 0.05
        await asyncio.sleep(0.001)
    await asking.end()
    return asking.answers
