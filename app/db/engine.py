"""The way to the database: one pool that can only read, one for edits, and ways for what is long.

Reads run outside transactions on sessions that PostgreSQL itself holds to READ ONLY, so that a
read is one round trip and can't write by mistake. The timeouts are session settings, so that no
statement can forget them. What is streamed runs in a transaction of its own, which sees one moment
however long it takes, on a connection of its own, so that it takes none from those who ask.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from sqlalchemy import URL, ExceptionContext, NullPool, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.connections import MomentConnection, WriteConnection, lent
from app.db.driver import UNUSABLE, DriverPool
from app.db.failures import writing
from app.db.keepalive import SESSION, keep_alive
from app.db.party_cache import EXECUTION_OPTION, PartyCache
from app.db.ping import ping_before_lending
from app.db.pools import CONNECTIONS, LongWork, PoolUse, Shares
from app.db.prepared import Prepared
from app.db.reading import Reading
from app.db.rights import READER, WRITER, take_on
from app.db.url import driver_url
from app.domain.errors import UnavailableError

STATEMENT_TIMEOUT_MS = 4_000
WRITE_STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 2_000
IDLE_TIMEOUT_MS = 30_000
# An edit of which nothing is heard any more keeps all others waiting for so long. While a commit
# waits, for the disk or a standby, the transaction isn't idle.
EDIT_IDLE_TIMEOUT_MS = 3_000
# A network that swallows everything lets no timeout of the server's be heard.
COMMAND_TIMEOUT_S = STATEMENT_TIMEOUT_MS / 1_000 + 0.5
# Of an edit no statement takes so long. What it waits for longest is a lock, and for a row it waits
# for two; the server gives up before we do, so that it gets none that nobody knows of.
EDIT_STATEMENT_TIMEOUT_MS = LOCK_TIMEOUT_MS + 500
EDIT_COMMAND_TIMEOUT_S = EDIT_STATEMENT_TIMEOUT_MS / 1_000 + 0.5
STREAM_COMMAND_TIMEOUT_S = 61
# What takes a millisecond.
GLANCE_TIMEOUT_S = 0.5
CONNECT_TIMEOUT_S = 2
POOL_WAIT_S = 1
# A ping takes a tenth of the time of a page. Edits are worth it always.
PING_READS_AFTER_S = 1.0
# Edits wait for each other, here or for the journal's lock: as long in either place.
EDIT_WAIT_S = LOCK_TIMEOUT_MS / 1_000
# A stream's statement ends after so long without a row, its transaction after so long without a
# reader.
STREAM_STATEMENT_TIMEOUT_MS = 60_000
STREAM_IDLE_TIMEOUT_MS = 60_000


def engine(
    url: URL,
    *,
    read_only: bool,
    session: Mapping[str, str] | None = None,
    command_timeout_s: float | None = None,
    **options: Any,
) -> AsyncEngine:
    """Return an engine whose sessions carry the timeouts, and READ ONLY where asked."""
    made = create_async_engine(
        url,
        # An error report would otherwise show what the statement was given.
        hide_parameters=True,
        connect_args={
            "server_settings": {**_session(read_only=read_only), **(session or {})},
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": command_timeout_s,
        },
        **options,
    )

    @event.listens_for(made.sync_engine, "handle_error")
    def give_up(context: ExceptionContext) -> None:
        """Close at once what is of no use any more."""
        if isinstance(context.original_exception, UNUSABLE) and context.connection:
            driver: Any = context.connection.connection.driver_connection
            driver.terminate()

    @event.listens_for(made.sync_engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        keep_alive(connection.driver_connection)

    return made


def _session(*, read_only: bool) -> dict[str, str]:
    # Where the database itself is set to be read-only, writes don't set it otherwise.
    fixed = {"default_transaction_read_only": "on"} if read_only else {}
    return fixed | {
        "application_name": "chancery read" if read_only else "chancery write",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
        "timezone": "UTC",
        **SESSION,
        # Some countries have a thousand times as many events as others: what is good for the
        # average of them, as PostgreSQL plans after five executions, takes seconds for some.
        "plan_cache_mode": "force_custom_plan",
    }


def _reader(url: URL, size: int, **options: Any) -> AsyncEngine:
    """Return the engine of reads: every statement is a transaction of its own."""
    pool = engine(
        url,
        command_timeout_s=COMMAND_TIMEOUT_S,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        read_only=True,
        isolation_level="AUTOCOMMIT",
        **options,
    )
    ping_before_lending(pool, PING_READS_AFTER_S)
    return pool


def _look_up(url: URL, size: int) -> DriverPool:
    """Return the pool of reads for which one plan is good, whatever their values."""
    return DriverPool(
        url,
        _session(read_only=True) | {"plan_cache_mode": "force_generic_plan"},
        READER,
        wait_s=POOL_WAIT_S,
        max_size=size,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
    )


def _editor(url: URL, size: int, **options: Any) -> AsyncEngine:
    """Return the engine of what an editor waits for."""
    session = {
        "statement_timeout": str(EDIT_STATEMENT_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(EDIT_IDLE_TIMEOUT_MS),
    }
    pool = engine(
        url,
        command_timeout_s=EDIT_COMMAND_TIMEOUT_S,
        pool_size=size,
        max_overflow=0,
        pool_timeout=EDIT_WAIT_S,
        read_only=False,
        session=session,
        **options,
    )
    ping_before_lending(pool)
    return pool


def _writer(url: URL, **options: Any) -> AsyncEngine:
    """Return the engine of writes that may take their time: each has a connection of its own."""
    session = {"statement_timeout": str(WRITE_STATEMENT_TIMEOUT_MS)}
    return engine(url, read_only=False, session=session, poolclass=NullPool, **options)


def _streamer(url: URL, **options: Any) -> AsyncEngine:
    """Return the engine of streams: each has a connection that is closed with it."""
    session = {
        "application_name": "chancery stream",
        "statement_timeout": str(STREAM_STATEMENT_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(STREAM_IDLE_TIMEOUT_MS),
    }
    return engine(
        url,
        read_only=True,
        session=session,
        command_timeout_s=STREAM_COMMAND_TIMEOUT_S,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        **options,
    )


class Database:
    """The ways to the database of a running service."""

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        """Prepare the pools; nothing connects before it is needed.

        Args:
            url: where the database is.
            connections: how many may be open at once, `Notifications`' own among them.

        """
        address, shares = driver_url(url), Shares.of(connections)
        self._party_cache = PartyCache()
        options = {"execution_options": {EXECUTION_OPTION: self._party_cache}}
        self._reader = _reader(address, shares.read, **options)
        self._moments = self._reader.execution_options(isolation_level="REPEATABLE READ")
        self._look_up = _look_up(address, shares.look_up)
        self._editor = _editor(address, shares.edit, **options)
        self._writer = _writer(address, **options)
        self._streamer = _streamer(address, **options)
        self._long = LongWork(shares.long, POOL_WAIT_S)
        take_on(READER, self._reader, self._streamer)
        take_on(WRITER, self._editor, self._writer)

    def reading(self) -> Reading:
        """Lend a connection on which every statement is a read-only transaction of its own."""
        return Reading(self._reader, self._look_up, self._party_cache)

    async def glance(self, prepared: Prepared) -> Any:
        """Return what takes no time to look up.

        Raises:
            UnavailableError: the database can't be asked.

        """
        return (await self._look_up.fetch(prepared, {}, GLANCE_TIMEOUT_S))[0][0]

    async def is_writable(self) -> bool:
        """Tell whether edits can be made at the moment, as far as the database goes."""
        try:
            async with self.editing() as connection:
                setting: str = await connection.scalar(text("SHOW transaction_read_only"))
                return setting == "off"
        except UnavailableError:
            return False

    @asynccontextmanager
    async def reading_one_moment(self) -> AsyncIterator[MomentConnection]:
        """Lend a connection on which all statements see what there is at the first of them."""
        async with lent(self._moments.begin()) as connection:
            yield MomentConnection(connection)

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[MomentConnection]:
        """Lend a connection in a read-only transaction that sees one moment, for a long answer.

        Raises:
            TooManyExportsError: so many are lent already.

        """
        async with self._long.stream(), lent(self._streamer.begin()) as connection:
            yield MomentConnection(connection)

    @asynccontextmanager
    async def editing(self) -> AsyncIterator[WriteConnection]:
        """Lend a connection in a transaction, committed when the block ends without an error.

        It is for what an editor waits for: where a statement takes longer, or the next one isn't
        sent for seconds, the transaction ends.
        """
        with writing():
            async with lent(self._editor.begin()) as connection:
                yield WriteConnection(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WriteConnection]:
        """Lend a connection as `editing` does, for what may take its time.

        Raises:
            BusyError: so many are lent already.

        """
        async with self._long.write():
            with writing():
                async with lent(self._writer.begin()) as connection:
                    yield WriteConnection(connection)

    def pools(self) -> dict[str, PoolUse]:
        """Return how the connections are used, by what they are for."""
        engines: dict[str, Any] = {"read": self._reader, "write": self._editor}
        return {"look_up": self._look_up.use(), "long": self._long.use()} | {
            name: PoolUse(engine.pool.size(), engine.pool.checkedout())
            for name, engine in engines.items()
        }

    async def close(self) -> None:
        """Give all connections back to the server."""
        for pool in (self._reader, self._editor, self._writer, self._streamer):
            await pool.dispose()
        await self._look_up.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
