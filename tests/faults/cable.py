"""The network between the service and PostgreSQL, as a proxy that can be slow or cut off."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

PIECE = 65_536
# Closing with this says RST instead of FIN (socket(7)).
AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(eq=False)
class Connection:
    """One connection, seen from both of its ends."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    deaf: bool = False

    def cut(self) -> None:
        """Break it at both ends."""
        _break(self.near)
        _break(self.far)


class Cable:
    """Leads from a port of its own to another."""

    def __init__(self, target: int) -> None:
        """Lead to a port."""
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._ending = asyncio.Event()
        self._ending.set()
        self._connections: set[Connection] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._resetting = False
        self._late_s = 0.0
        self.port = 0

    def hold(self) -> None:
        """Swallow everything until it is mended; then it comes after all, as TCP sends it again."""
        self._whole.clear()

    def slow_down(self, seconds: float) -> None:
        """Let everything come so much later, in either direction."""
        self._late_s = seconds

    def hold_ends(self) -> None:
        """Let everything through but that one end has closed."""
        self._ending.clear()

    def reset(self) -> None:
        """Break what is open with a RST, and whatever is opened until it is mended."""
        self._resetting = True
        for connection in self._connections:
            connection.cut()

    def forget(self) -> None:
        """Swallow for ever what is open, without a word to either end; new connections work."""
        for connection in self._connections:
            connection.deaf = True

    def find_out(self) -> None:
        """Break what was forgotten: in time a kernel notices by itself that nobody is there."""
        for connection in self._connections:
            if connection.deaf:
                connection.cut()

    def mend(self) -> None:
        """Let everything through again."""
        self._resetting, self._late_s = False, 0.0
        self._whole.set()
        self._ending.set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Cable"]:
        """Take connections for a while."""
        server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.mend()
            self.reset()
            await asyncio.gather(*self._carrying)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carrying = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(carrying)
        carrying.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._resetting:
            _break(writer)
            return
        await self._whole.wait()
        try:
            answers, far = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _break(writer)
            return
        connection = Connection(writer, far)
        self._connections.add(connection)
        if self._resetting:
            connection.cut()
        await asyncio.gather(
            self._forward(connection, reader, far), self._forward(connection, answers, writer)
        )
        self._connections.discard(connection)
        connection.cut()

    async def _forward(
        self, connection: Connection, source: asyncio.StreamReader, to: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE):
                await asyncio.sleep(self._late_s)
                await self._whole.wait()
                if not connection.deaf:
                    to.write(piece)
                    await to.drain()
        await self._whole.wait()
        await self._ending.wait()
        # Of a connection that the network has forgotten, no end learns that the other is gone.
        if not connection.deaf:
            to.close()


def _break(writer: asyncio.StreamWriter) -> None:
    end: socket.socket | None = writer.get_extra_info("socket")
    if end is not None:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()
