"""All of PostgreSQL is killed at random moments and started again."""

import asyncio
from pathlib import Path

from tests.faults.siege import Row, Siege, endured

# What isn't flushed at the commit is flushed when the WAL writer wakes.
UNFLUSHED = {"synchronous_commit": "off", "wal_writer_delay": "10s"}


async def run(rounds: int, place: Path) -> Row:
    """Kill PostgreSQL again and again."""
    return await endured("kill -9 of PostgreSQL", cause, rounds, place)


async def control(rounds: int, place: Path) -> Row:
    """Do the same where commits don't wait for the log."""
    return await endured("synchronous_commit=off", cause, rounds, place, parameters=UNFLUSHED)


async def cause(siege: Siege, rounds: int) -> None:
    """Kill PostgreSQL so often, and wait until all is well again."""
    for _ in range(rounds):
        await siege.acknowledged(siege.random.randint(5, 20))
        await asyncio.sleep(siege.random.uniform(0, 0.03))
        await siege.postgres.kill()
        await siege.refused()
        await siege.postgres.start()
        await siege.back()
