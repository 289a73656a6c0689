"""Connections of the driver's own, without SQLAlchemy's layers: for what is asked most."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import URL

from app.db.failures import answering, connecting
from app.db.keepalive import keep_alive
from app.db.pools import PoolUse
from app.db.prepared import AnyRow, DriverRow, Prepared, Values
from app.db.rights import TAKE_ON
from app.domain.errors import UnavailableError

UNUSABLE = (TimeoutError, asyncpg.InternalClientError)
"""After these a connection is closed at once: the driver would wait for it, or lend it again."""

# Of a good connection the server closes its end at once.
_CLOSE_S = 0.2


class DriverPool:
    """A pool of connections on which every statement is a transaction of its own."""

    def __init__(
        self,
        url: URL,
        session: Mapping[str, str],
        role: tuple[str, str],
        *,
        wait_s: float,
        **pool: Any,
    ) -> None:
        """Prepare the pool; nothing connects before it is needed.

        Args:
            url: where the database is, as SQLAlchemy has it.
            session: the settings of every session.
            role: what every session takes on, as `app.db.rights.TAKE_ON` wants it.
            wait_s: how many seconds a statement waits for a free connection.
            pool: what else the driver's `create_pool` takes.

        """
        self._url = url
        self._session = dict(session)
        self._role = role
        self._wait_s = wait_s
        self._options = pool
        self._pool: asyncpg.Pool | None = None

    async def fetch(
        self, prepared: Prepared, values: Values, timeout_s: float | None = None
    ) -> Sequence[AnyRow]:
        """Return the rows of a statement.

        Args:
            prepared: the statement.
            values: what it is asked with.
            timeout_s: how many seconds it may take; without it, as long as any of the pool's.

        Raises:
            UnavailableError: the database can't be asked, or no connection was free in time.

        """
        pool = self._pool = self._pool or self._made()
        with connecting():
            connection = await (await pool).acquire(timeout=self._wait_s)
        try:
            with answering():
                arguments = prepared.arguments(values)
                rows: Sequence[AnyRow] = await connection.fetch(
                    prepared.sql, *arguments, record_class=DriverRow, timeout=timeout_s
                )
        except UnavailableError as error:
            if isinstance(error.__cause__, UNUSABLE):
                connection.terminate()
                await pool.expire_connections()
            raise
        finally:
            # One that isn't to be lent again is closed, and may lead nowhere by now.
            with suppress(TimeoutError):
                await pool.release(connection, timeout=_CLOSE_S)
        return rows

    def use(self) -> PoolUse:
        """Return how the pool is used."""
        pool = self._pool
        lent = 0 if pool is None else pool.get_size() - pool.get_idle_size()
        return PoolUse(self._options["max_size"], lent)

    async def close(self) -> None:
        """Give all connections back to the server."""
        if self._pool is not None:
            # Those that don't answer even to that are closed without it.
            with suppress(TimeoutError):
                await self._pool.close()

    def _made(self) -> asyncpg.Pool:
        """Return the pool, which belongs to the loop that is running."""
        _, address = self._url.get_dialect()().create_connect_args(self._url)
        return asyncpg.create_pool(
            **address,
            **self._options,
            min_size=0,
            server_settings=self._session,
            init=self._begin,
            reset=self._leave_as_it_is,
        )

    async def _begin(self, connection: asyncpg.Connection) -> None:
        keep_alive(connection)
        await connection.execute(TAKE_ON, *self._role)

    async def _leave_as_it_is(self, connection: asyncpg.Connection) -> None:
        """Save a round trip: no statement that is sent here leaves anything behind."""
