"""All of PostgreSQL stands still for a while: connections stay open, and nothing is answered."""

import asyncio
from pathlib import Path

from tests.faults.siege import Row, Siege, endured

# For a moment, and for longer than anything is waited for.
LAST_S = (1.0, 7.0)


async def run(rounds: int, place: Path) -> Row:
    """Freeze and thaw PostgreSQL again and again."""
    return await endured("PostgreSQL frozen (SIGSTOP)", cause, rounds, place)


async def cause(siege: Siege, rounds: int) -> None:
    """Freeze PostgreSQL so often, and wait until all is well again."""
    for number in range(rounds):
        await siege.acknowledged(siege.random.randint(5, 20))
        siege.postgres.freeze()
        await asyncio.sleep(LAST_S[number % len(LAST_S)])
        siege.postgres.thaw()
        await siege.back()
