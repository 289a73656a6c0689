"""The network between the service and PostgreSQL is slow, swallows, resets, or forgets."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.faults.cable import Cable
from tests.faults.siege import Row, Siege, endured

# For a moment, for longer than some things are waited for, and for longer than any.
LAST_S = (0.5, 2.0, 7.0)
# So much later everything comes: what can still be waited for, and what can't.
LATE_S, SLOW_FOR_S = (0.05, 0.3, 1.0), 5.0

Cut = tuple[Callable[[Cable], None], float]
"""What is done to the cable, and for how many seconds it stays so."""


async def held(rounds: int, place: Path) -> Row:
    """Let the network swallow everything for a while, again and again."""
    return await endured("network: blackhole", hold, rounds, place)


async def reset(rounds: int, place: Path) -> Row:
    """Let the network break every connection for a while, again and again."""
    return await endured("network: reset", break_off, rounds, place)


async def forgotten(rounds: int, place: Path) -> Row:
    """Let the network forget the connections that are open, again and again."""
    return await endured("network: half-open", forget, rounds, place)


async def slowed(rounds: int, place: Path) -> Row:
    """Let the network be slow for a while, again and again."""
    return await endured("network: slow, by 0.05 to 1 s", slow_down, rounds, place)


async def slow_down(siege: Siege, rounds: int) -> None:
    """Be slow so often, and wait until all is well again."""
    await _cut(siege, rounds, [(partial(Cable.slow_down, seconds=s), SLOW_FOR_S) for s in LATE_S])


async def hold(siege: Siege, rounds: int) -> None:
    """Swallow everything so often, and wait until all is well again."""
    await _cut(siege, rounds, [(Cable.hold, seconds) for seconds in LAST_S])


async def break_off(siege: Siege, rounds: int) -> None:
    """Break every connection so often, and wait until all is well again."""
    await _cut(siege, rounds, [(Cable.reset, seconds) for seconds in LAST_S])


async def forget(siege: Siege, rounds: int) -> None:
    """Forget the connections so often, and wait until all is well again."""
    for _ in range(rounds):
        await _at_work(siege)
        siege.cable.forget()
        await siege.back()
        siege.cable.find_out()


async def _cut(siege: Siege, rounds: int, cuts: Sequence[Cut]) -> None:
    for number in range(rounds):
        await _at_work(siege)
        cut, seconds = cuts[number % len(cuts)]
        cut(siege.cable)
        await asyncio.sleep(seconds)
        siege.cable.mend()
        await siege.back()


async def _at_work(siege: Siege) -> None:
    await siege.acknowledged(siege.random.randint(5, 20))
    await asyncio.sleep(siege.random.uniform(0, 0.03))
