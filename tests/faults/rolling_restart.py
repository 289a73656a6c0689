"""The workers are replaced one after the other, as SIGHUP asks for."""

import signal
from pathlib import Path

from tests.faults.siege import Row, Siege, besieged

WORKERS = 2


async def run(rounds: int, place: Path) -> Row:
    """Replace all workers again and again; a request that fails counts as lost."""
    async with besieged(place, workers=WORKERS) as siege:
        failed = await cause(siege, rounds)
    row = siege.row("rolling restart (SIGHUP)", rounds)
    row.lost += failed
    return row


async def cause(siege: Siege, rounds: int) -> int:
    """Replace all workers so often, and return how many requests failed meanwhile."""
    before = siege.failed
    for _ in range(rounds):
        old = set(await siege.at_work(WORKERS))
        await siege.acknowledged(5)
        siege.process.send_signal(signal.SIGHUP)
        await siege.replaced(old, WORKERS)
        await siege.back()
    return siege.failed - before
