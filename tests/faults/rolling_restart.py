"""The workers are replaced one after the other, as SIGHUP asks for."""

import signal
from pathlib import Path

from tests.faults.siege import Row, besieged

WORKERS = 2


async def run(rounds: int, place: Path) -> Row:
    """Replace all workers again and again; a request that fails counts as lost."""
    async with besieged(place, workers=WORKERS) as siege:
        for _ in range(rounds):
            before = set(await siege.at_work(WORKERS))
            await siege.acknowledged(5)
            siege.process.send_signal(signal.SIGHUP)
            await siege.replaced(before, WORKERS)
            await siege.back()
    row = siege.row("rolling restart (SIGHUP)", rounds)
    row.lost += siege.failed
    return row
