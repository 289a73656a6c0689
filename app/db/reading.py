"""Reading where every statement is a transaction of its own, so that none needs one connection."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import greenlet_spawn

from app.db.connections import ReadConnection, lent
from app.db.driver import UNUSABLE, DriverPool
from app.db.failures import answering, connecting
from app.db.party_cache import PartyCache
from app.db.prepared import AnyRow, DriverRow, Prepared, Values


class Reading:
    """A ReadConnection: takes one of SQLAlchemy's from its pool for the first that needs it."""

    def __init__(self, engine: AsyncEngine, look_up: DriverPool, party_cache: PartyCache) -> None:
        """Take nothing yet.

        Args:
            engine: for all statements but those that are planned once.
            look_up: for those.
            party_cache: what documents show of parties.

        """
        self.party_cache = party_cache
        self._engine = engine
        self._look_up = look_up
        self._stack = AsyncExitStack()
        self._connection: AsyncConnection | None = None

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Return the rows of a statement."""
        return await (await self._opened()).execute(statement, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        """Return the first column of the first row."""
        return await (await self._opened()).scalar(statement, parameters)

    async def scalars(self, statement: Any, parameters: Any = None) -> Any:
        """Return the first column of every row."""
        return await (await self._opened()).scalars(statement, parameters)

    async def fetch(self, prepared: Prepared, values: Values) -> Sequence[AnyRow]:
        """Return the rows of a statement that was compiled before, from the driver itself."""
        if prepared.planned_once:
            return await self._look_up.fetch(prepared, values)
        if self._connection is not None:
            raw = await self._connection.get_raw_connection()
            return await _fetch(raw.driver_connection, prepared, values)
        with answering():
            with connecting():
                # Less than SQLAlchemy's connection takes: that costs a third of a page's time.
                raw = await self._engine.raw_connection()
            try:
                return await _fetch(raw.driver_connection, prepared, values)
            finally:
                await greenlet_spawn(raw.close)

    async def _opened(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._stack.enter_async_context(lent(self._engine.connect()))
        return self._connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)


async def _fetch(driver: Any, prepared: Prepared, values: Values) -> Sequence[AnyRow]:
    try:
        found: Sequence[AnyRow] = await driver.fetch(
            prepared.sql, *prepared.arguments(values), record_class=DriverRow
        )
    except UNUSABLE:
        driver.terminate()
        raise
    return found


async def rows(connection: ReadConnection, prepared: Prepared, values: Values) -> Sequence[AnyRow]:
    """Return the rows of a statement that was compiled before, by the shortest way there is."""
    if isinstance(connection, Reading):
        return await connection.fetch(prepared, values)
    return (await connection.execute(prepared.statement, values)).all()
