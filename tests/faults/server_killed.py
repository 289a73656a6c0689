"""All of the PostgreSQL that a service runs by itself is killed at random moments.

Nobody but the service starts it again.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests.faults.embedded_siege import besieged_embedded, kill_server
from tests.faults.siege import Row

# What isn't flushed at the commit is flushed when the WAL writer wakes.
UNFLUSHED = {"synchronous_commit": "off", "wal_writer_delay": "10s"}
WORKERS = 2


async def run(rounds: int, place: Path) -> Row:
    """Kill PostgreSQL again and again."""
    return await _kill("kill -9 of the embedded PostgreSQL", rounds, place, {})


async def control(rounds: int, place: Path) -> Row:
    """Do the same where commits don't wait for the log."""
    return await _kill("synchronous_commit=off", rounds, place, UNFLUSHED)


async def _kill(fault: str, rounds: int, place: Path, parameters: Mapping[str, str]) -> Row:
    async with besieged_embedded(place, workers=WORKERS, parameters=parameters) as siege:
        for _ in range(rounds):
            await siege.acknowledged(siege.random.randint(5, 20))
            await asyncio.sleep(siege.random.uniform(0, 0.03))
            await kill_server(place)
            await siege.refused()
            await siege.back()
    return siege.row(fault, rounds)
