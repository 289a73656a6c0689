"""All of PostgreSQL stands still for a while: connections stay open, and nothing is answered."""

import asyncio
from pathlib import Path

from tests.faults.siege import Row, Siege, besieged

# For a moment, and for longer than anything is waited for.
LAST_S = (1.0, 7.0)


async def run(rounds: int, place: Path) -> Row:
    """Freeze and thaw PostgreSQL again and again."""
    async with besieged(place) as siege:
        await cause(siege, rounds)
    return siege.row("PostgreSQL frozen (SIGSTOP)", rounds)


async def cause(siege: Siege, rounds: int) -> None:
    """Freeze PostgreSQL so often, and wait until all is well again."""
    for number in range(rounds):
        await siege.acknowledged(siege.random.randint(5, 20))
        siege.postgres.freeze()
        await asyncio.sleep(LAST_S[number % len(LAST_S)])
        siege.postgres.thaw()
        await siege.back()
