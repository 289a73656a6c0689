"""A worker is killed at random moments."""

import asyncio
import os
import signal
from pathlib import Path

from tests.faults.siege import Row, Siege, endured

WORKERS = 2
# Commits take their time, so that kills hit them: the event is there, and nobody was told.
COMMIT_S = 0.2
# Somewhere in the course of a write.
LONGEST_WRITE_S = 0.3


async def run(rounds: int, place: Path) -> Row:
    """Kill a worker again and again."""
    return await endured(
        "kill -9 of a worker", cause, rounds, place, workers=WORKERS, commit_s=COMMIT_S
    )


async def control(rounds: int, place: Path) -> Row:
    """Do the same to writers who have no key under which they send again."""
    return await endured(
        "no Idempotency-Key",
        cause,
        rounds,
        place,
        workers=WORKERS,
        commit_s=COMMIT_S,
        idempotent=False,
    )


async def cause(siege: Siege, rounds: int) -> None:
    """Kill a worker so often, and wait until all is well again."""
    for _ in range(rounds):
        # After the first round it is the older one that has all the connections.
        worker = min(await siege.at_work(WORKERS))
        await siege.acknowledged(siege.random.randint(1, 6))
        await asyncio.sleep(siege.random.uniform(0, LONGEST_WRITE_S))
        os.kill(worker, signal.SIGKILL)
        await siege.back()
