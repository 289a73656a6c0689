"""The network between the service and PostgreSQL is slow, swallows, resets, or forgets."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.faults.cable import Cable
from tests.faults.siege import Row, Siege, besieged

# For a moment, for longer than some things are waited for, and for longer than any.
LAST_S = (0.5, 2.0, 7.0)
# So much later everything comes: what can still be waited for, and what can't.
LATE_S, SLOW_FOR_S = (0.05, 0.3, 1.0), 5.0


async def held(rounds: int, place: Path) -> Row:
    """Let the network swallow everything for a while, again and again."""
    async with besieged(place) as siege:
        await hold(siege, rounds)
    return siege.row("network: blackhole", rounds)


async def reset(rounds: int, place: Path) -> Row:
    """Let the network break every connection for a while, again and again."""
    async with besieged(place) as siege:
        await break_off(siege, rounds)
    return siege.row("network: reset", rounds)


async def forgotten(rounds: int, place: Path) -> Row:
    """Let the network forget the connections that are open, again and again."""
    async with besieged(place) as siege:
        await forget(siege, rounds)
    return siege.row("network: half-open", rounds)


async def slowed(rounds: int, place: Path) -> Row:
    """Let the network be slow for a while, again and again."""
    async with besieged(place) as siege:
        await slow_down(siege, rounds)
    return siege.row("network: slow, by 0.05 to 1 s", rounds)


async def slow_down(siege: Siege, rounds: int) -> None:
    """Be slow so often, and wait until all is well again."""
    for number in range(rounds):
        await _at_work(siege)
        siege.cable.slow_down(LATE_S[number % len(LATE_S)])
        await asyncio.sleep(SLOW_FOR_S)
        siege.cable.mend()
        await siege.back()


async def hold(siege: Siege, rounds: int) -> None:
    """Swallow everything so often, and wait until all is well again."""
    await _cut(siege, rounds, Cable.hold)


async def break_off(siege: Siege, rounds: int) -> None:
    """Break every connection so often, and wait until all is well again."""
    await _cut(siege, rounds, Cable.reset)


async def forget(siege: Siege, rounds: int) -> None:
    """Forget the connections so often, and wait until all is well again."""
    for _ in range(rounds):
        await _at_work(siege)
        siege.cable.forget()
        await siege.back()
        siege.cable.find_out()


async def _cut(siege: Siege, rounds: int, cut: Callable[[Cable], None]) -> None:
    for number in range(rounds):
        await _at_work(siege)
        cut(siege.cable)
        await asyncio.sleep(LAST_S[number % len(LAST_S)])
        siege.cable.mend()
        await siege.back()


async def _at_work(siege: Siege) -> None:
    await siege.acknowledged(siege.random.randint(5, 20))
    await asyncio.sleep(siege.random.uniform(0, 0.03))
