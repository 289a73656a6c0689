"""The network between the service and PostgreSQL is cut: it swallows, resets, or forgets."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.faults.cable import Cable
from tests.faults.siege import Row, besieged

SECONDS = 2.0


async def held(rounds: int, place: Path) -> Row:
    """Let the network swallow everything for a while, again and again."""
    return await _cut(rounds, place, "network: blackhole", Cable.hold)


async def reset(rounds: int, place: Path) -> Row:
    """Let the network break every connection for a while, again and again."""
    return await _cut(rounds, place, "network: reset", Cable.reset)


async def forgotten(rounds: int, place: Path) -> Row:
    """Let the network forget the connections that are open, again and again."""
    return await _cut(rounds, place, "network: half-open", Cable.forget)


async def _cut(rounds: int, place: Path, fault: str, cut: Callable[[Cable], None]) -> Row:
    async with besieged(place) as siege:
        for _ in range(rounds):
            await siege.acknowledged(siege.random.randint(5, 20))
            await asyncio.sleep(siege.random.uniform(0, 0.03))
            cut(siege.cable)
            await asyncio.sleep(SECONDS)
            siege.cable.mend()
            await siege.back()
    return siege.row(fault, rounds)
