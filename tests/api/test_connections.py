"""How many connections to the database a worker has open, at the most."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest
from sqlalchemy import text

from app.db.engine import Database
from app.db.notifications import Notifications
from app.db.pools import CONNECTIONS, FEWEST_CONNECTIONS, Shares, check_connections
from app.db.prepared import Prepared
from app.domain.errors import (
    BusyError,
    MisconfiguredError,
    TooManyExportsError,
    UnavailableError,
)
from tests.support.database import execute

OPEN = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'chancery %' AND datname = current_database()
""")
MANY = 20


@pytest.mark.parametrize("connections", [FEWEST_CONNECTIONS, 9, CONNECTIONS, 20, 1_000])
def test_all_connections_are_shared_out(connections: int) -> None:
    shares = Shares.of(connections)
    # One listens.
    assert shares.read + shares.look_up + shares.edit + shares.long + 1 == connections
    assert min(shares.read, shares.long) >= 2
    assert min(shares.look_up, shares.edit) >= 1


@pytest.mark.parametrize("connections", [FEWEST_CONNECTIONS, CONNECTIONS])
async def test_no_more_are_open_than_may_be(timeline_url: str, connections: int) -> None:
    slow = text("SELECT pg_sleep(0.3)")
    refused: list[Exception] = []

    async def take(database: Database, turn: int) -> None:
        ways = (database.reading, database.editing, database.writing, database.streaming)
        try:
            async with ways[turn % 4]() as connection:
                await connection.execute(slow)
        except (BusyError, TooManyExportsError, UnavailableError) as error:
            refused.append(error)

    async def look_up(database: Database) -> None:
        with suppress(UnavailableError):
            await database.glance(Prepared(slow, planned_once=True))

    most = 0
    async with (
        Database(timeline_url, connections) as database,
        Database(timeline_url) as watching,
        Notifications(timeline_url) as notifications,
        notifications.heard(),
        watching.reading() as watcher,
    ):
        tasks = [asyncio.create_task(take(database, turn)) for turn in range(4 * MANY)]
        tasks += [asyncio.create_task(look_up(database)) for _ in range(MANY)]
        while not all(task.done() for task in tasks):
            most = max(most, await watcher.scalar(OPEN) or 0)
            await asyncio.sleep(0.02)
        use = database.pools()
    # The watcher's own is one of them, and the server takes a moment to forget those that are
    # closed.
    assert connections <= most <= connections + 3
    assert sum(size for size, _ in use.values()) == connections - 1
    assert refused
    assert {lent for _, lent in use.values()} == {0}


@pytest.mark.usefixtures("shipped_timeouts")
async def test_neither_files_nor_imports_take_all_that_is_for_both(timeline_url: str) -> None:
    async with Database(timeline_url) as database, AsyncExitStack() as stack:
        for _ in range(Shares.of(CONNECTIONS).long - 1):
            await stack.enter_async_context(database.streaming())
        with pytest.raises(TooManyExportsError):
            await stack.enter_async_context(database.streaming())
        await stack.enter_async_context(database.writing())
        with pytest.raises(BusyError):
            await stack.enter_async_context(database.writing())


async def test_a_service_does_not_begin_with_more_than_the_server_allows(empty_url: str) -> None:
    async with Database(empty_url) as database, database.reading() as connection:
        await check_connections(connection, 1, CONNECTIONS)
        with pytest.raises(MisconfiguredError, match=r"1000 connections .* CHANCERY_CONNECTIONS"):
            await check_connections(connection, 50, 20)
        name = await connection.scalar(text("SELECT current_database()"))
        await execute(empty_url, f"ALTER DATABASE {name} CONNECTION LIMIT 20")
        with pytest.raises(MisconfiguredError, match="allows it 20"):
            await check_connections(connection, 2, CONNECTIONS)
