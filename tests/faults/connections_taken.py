"""Somebody else takes all connections that PostgreSQL has."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from tests.faults.siege import Row, Siege, endured

_OURS = "FROM pg_stat_activity WHERE application_name LIKE 'chancery %'"


async def run(rounds: int, place: Path) -> Row:
    """Take all connections again and again."""
    return await endured("out of connections", cause, rounds, place)


async def cause(siege: Siege, rounds: int) -> None:
    """Take all connections so often, and wait until all is well again."""
    for _ in range(rounds):
        await siege.acknowledged(siege.random.randint(5, 20))
        async with _taken(siege.postgres.url):
            await siege.refused(5)
        await siege.back()


@asynccontextmanager
async def _taken(url: str) -> AsyncIterator[None]:
    """Take what is free, and then what the service had, until it has none."""
    async with AsyncExitStack() as stack:
        first = await _connected(url, stack)
        while True:
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    await _connected(url, stack)
            if not await first.fetchval(f"SELECT count(*) {_OURS}"):
                break
            await first.execute(f"SELECT pg_terminate_backend(pid) {_OURS}")
        yield


async def _connected(url: str, stack: AsyncExitStack) -> asyncpg.Connection:
    connection = await asyncpg.connect(url)
    stack.push_async_callback(connection.close)
    return connection
