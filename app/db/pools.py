"""How many connections a process may have open at once, and what they are for.

PostgreSQL allows 100 by default, all processes together. So the number is a setting, every
connection belongs to one of these shares, and each share has an end.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text

from app.db.connections import ReadConnection
from app.domain.errors import BusyError, MisconfiguredError, TooManyExportsError

CONNECTIONS = 12
FEWEST_CONNECTIONS = 8
# The connection that listens for changes.
_LISTENING = 1

_ALLOWED = text("""
    SELECT least(
        CAST(current_setting('max_connections') AS integer)
            - CAST(current_setting('superuser_reserved_connections') AS integer)
            -- Since PostgreSQL 16.
            - coalesce(CAST(current_setting('reserved_connections', true) AS integer), 0),
        nullif(rolconnlimit, -1),
        nullif(datconnlimit, -1)
    )
    FROM pg_roles, pg_database WHERE rolname = session_user AND datname = current_database()
""")


class PoolUse(NamedTuple):
    """How many connections a pool may open, and how many of them it has lent."""

    size: int
    lent: int


@dataclass(frozen=True, slots=True)
class Shares:
    """How the connections of a process are shared out.

    Of 12: 4 for questions, of which searches may take 2; 2 for what is looked up by one plan in
    less than a millisecond, so that nothing slow is in its way; 2 for edits, which wait for each
    other anyway; 3 for what takes long (files, imports); 1 that listens.
    """

    read: int
    look_up: int
    edit: int
    long: int

    @classmethod
    def of(cls, connections: int) -> "Shares":
        """Share a number of connections out, at least `FEWEST_CONNECTIONS`."""
        sixth, quarter = connections // 6, connections // 4
        return cls(connections - _LISTENING - 2 * sixth - quarter, sixth, sixth, quarter)


class LongWork:
    """Bounds the connections for what takes long, which are opened for it and closed with it.

    Files to take away can't take all of them, and neither can imports.
    """

    def __init__(self, size: int, wait_s: float) -> None:
        """Bound them.

        Args:
            size: how many there may be, at least 2.
            wait_s: how many seconds a write waits for one.

        """
        self._size = size
        self._wait_s = wait_s
        self._all = asyncio.Semaphore(size)
        self._streams = asyncio.Semaphore(size - 1)
        self._writes = asyncio.Semaphore(size - 1)
        self._lent = 0

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        """Take a place for a stream, at once.

        Raises:
            TooManyExportsError: there is none.

        """
        if self._streams.locked() or self._all.locked():
            raise TooManyExportsError
        async with self._streams, self._all:
            with self._counted():
                yield

    @asynccontextmanager
    async def write(self) -> AsyncIterator[None]:
        """Take a place for a write, as soon as there is one.

        Raises:
            BusyError: there is none for too long.

        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._wait_s):
                    for places in (self._writes, self._all):
                        await stack.enter_async_context(places)
            except TimeoutError as error:
                raise BusyError(
                    "Other imports or exports are under way: send this one when they are done."
                ) from error
            with self._counted():
                yield

    def use(self) -> PoolUse:
        """Return how many there may be and are."""
        return PoolUse(self._size, self._lent)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._lent += 1
        try:
            yield
        finally:
            self._lent -= 1


async def check_connections(connection: ReadConnection, workers: int, each: int) -> None:
    """Make sure that PostgreSQL allows all connections that a service may open.

    Args:
        connection: to the database in question.
        workers: how many processes the service has.
        each: how many connections each of them may open.

    Raises:
        MisconfiguredError: it doesn't; the message says what to change.

    """
    allowed: int = (await connection.execute(_ALLOWED)).scalar_one()
    if workers * each > allowed:
        raise MisconfiguredError(
            f"The service may open {workers * each} connections to the database, {each} for each "
            f"of {workers} workers, but PostgreSQL allows it {allowed}: set CHANCERY_CONNECTIONS "
            "or --workers lower, or max_connections of PostgreSQL higher."
        )
