"""Clients that hold connections and say next to nothing on them, from many addresses."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HEAD = b"GET /v1/events HTTP/1.1\r\nHost: here\r\n"
BODY = b"POST /v1/events HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n"


class Slow:
    """So many slow connections, each opened again when it is closed."""

    def __init__(self, port: int, count: int, addresses: int = 200) -> None:
        """Prepare them.

        Args:
            port: what to connect to.
            count: how many are held at a time.
            addresses: from how many addresses they come.

        """
        self._port = port
        self._count = count
        self._addresses = addresses
        self.cut = 0
        self.turned_away = 0
        self.longest_s = 0.0

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Hold them all."""
        holding = [asyncio.create_task(self._hold(number)) for number in range(self._count)]
        try:
            yield
        finally:
            for each in holding:
                each.cancel()
            await asyncio.gather(*holding, return_exceptions=True)

    async def _hold(self, number: int) -> None:
        address = number % self._addresses
        source = (f"127.1.{address // 250}.{address % 250 + 1}", 0)
        while True:
            began = time.monotonic()
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self._port, local_addr=source
                )
            except OSError:
                self.turned_away += 1
                await asyncio.sleep(0.5)
                continue
            try:
                await self._drip(number, reader, writer)
                self.cut += 1
            finally:
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                writer.transport.abort()

    async def _drip(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send a few bytes a second until the connection is closed."""
        piece = b"x" if number % 2 else b"X: y\r\n"
        writer.write(BODY if number % 2 else HEAD)
        ended = asyncio.create_task(reader.read())
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=random.uniform(0.5, 1.5))
                writer.write(piece)
        finally:
            ended.cancel()
            with suppress(OSError, asyncio.CancelledError):
                await ended
