"""The database's own bell: one connection of this process listens, and wakes all who wait.

What is heard says only that something happened; who was woken asks the journal what. So nothing
is lost where a notification is: after the connection was away, all are woken once, and they ask by
themselves now and then. Behind a pooler that lends connections by the transaction LISTEN hears
nothing, and that asking is what remains.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from sqlalchemy import NullPool

from app.db.channels import CHANGES
from app.db.connections import lent
from app.db.engine import COMMAND_TIMEOUT_S, engine
from app.db.failures import connecting
from app.db.url import driver_url
from app.domain.errors import UnavailableError

logger = logging.getLogger("chancery")

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
PROBE_S = 60.0
PROBE_TIMEOUT_S = 5.0


class Notifications:
    """Wakes the listeners of this process; a connection is open only while there are some."""

    def __init__(self, url: str) -> None:
        """Prepare the connection, which stands outside the pools because it is held for long."""
        self._engine = engine(
            driver_url(url),
            read_only=True,
            command_timeout_s=COMMAND_TIMEOUT_S,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
        )
        self._listeners: set[asyncio.Event] = set()
        self._listening: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @asynccontextmanager
    async def heard(self) -> AsyncIterator[asyncio.Event]:
        """Lend an event that is set whenever there may be a new change; clear it, then look."""
        event = asyncio.Event()
        self._listeners.add(event)
        if self._listening is None:
            self._listening = asyncio.create_task(self._keep_listening())
        try:
            yield event
        finally:
            self._listeners.discard(event)
            if not self._listeners:
                await self.close()

    async def close(self) -> None:
        """Give the connection back to the server."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait({listening})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _wake(self, *_: object) -> None:
        for event in self._listeners:
            event.set()

    async def _keep_listening(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                await self._listen()
                pause = FIRST_PAUSE_S
            except UnavailableError:
                pause = min(2 * pause, LONGEST_PAUSE_S)
            except Exception:
                logger.exception("An unexpected fault while listening to the database")
                pause = LONGEST_PAUSE_S
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        lost = asyncio.Event()
        with connecting():
            async with lent(self._engine.connect()) as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                driver.add_termination_listener(lambda _: lost.set())
                await driver.add_listener(CHANGES, self._wake)
                # What came while nobody listened was not heard.
                self._wake()
                await _until_lost(driver, lost)


async def _until_lost(driver: Any, lost: asyncio.Event) -> None:
    """Wait, and ask now and then: a network may drop a quiet connection without a word."""
    while not lost.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(PROBE_S):
                await lost.wait()
        if not lost.is_set():
            await driver.fetchval("SELECT 1", timeout=PROBE_TIMEOUT_S)
