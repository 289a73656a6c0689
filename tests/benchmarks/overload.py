"""What becomes of the answers when four times more is asked than can be answered.

Run it with `python -m tests.benchmarks.overload [SECONDS]`; it starts a PostgreSQL of its own with
its default settings, and the service with one worker. It is no part of the test suite. Load comes
from the same machine, so whatever it costs is missing from what is served.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import uvloop
from fastapi import FastAPI

from app.api.layers import admission
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import add_territories
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from app.main import create_app_from_environment
from tests.benchmarks.arrivals import Answered, arriving
from tests.benchmarks.reads import servers
from tests.benchmarks.reads.load import load
from tests.benchmarks.reads.servers import Server
from tests.support.multiplied import multiply

SECONDS = 20.0
COPIES = 20
TIMES = 4
CONNECTIONS = 16
MANY = 20_000
PROBE = "/livez"
COUNTRIES = ("KZ", "RU", "AF", "SA", "US", "CN", "SY", "IR")
# What people ask, each with a day of its own, so that none was asked before.
QUESTIONS = (
    "/timeline?country={country}&date_from={day}",
    "/v1/events?country={country}&date_from={day}",
    "/v1/events?party=taliban&country={country}&date_from={day}",
    "/v1/positions?actor={country}&as_of={day}",
)
# What others can be kept waiting with.
GREEDY = (
    "/v1/events?q=embassy&country={country}&date_from={day}",
    "/v1/facets?country={country}&date_from={day}",
    "/v1/events.csv?country={country}&date_from={day}",
    "/v1/events.xlsx?date_from={day}",
)


def unbounded() -> FastAPI:
    """Return the application with room for everybody: how it was without the bounds."""
    admission.PLACES = dict.fromkeys(admission.PLACES, 1_000_000)
    return create_app_from_environment()


def asked(patterns: tuple[str, ...], seed: int) -> Iterator[str]:
    """Yield paths for ever, hardly any of them twice."""
    random = Random(seed)
    while True:
        day = f"{random.randrange(1000, 2020)}-{random.randrange(1, 13):02}-01"
        day = f"{day[:-2]}{random.randrange(1, 29):02}"
        yield random.choice(patterns).format(country=random.choice(COUNTRIES), day=day)


def answers(
    port: int, patterns: tuple[str, ...], seed: int, rate: float, seconds: float
) -> list[Answered]:
    """Ask at a rate; this runs in a process of its own."""
    return uvloop.run(arriving(port, asked(patterns, seed), rate, seconds, PROBE))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a time of asking."""

    seconds: float
    served: list[float]
    refused: list[Answered]
    failed: int
    probes: list[float]

    @classmethod
    def of(cls, found: list[Answered], seconds: float) -> "Outcome":
        asked = [each for each in found if each.path != PROBE]
        begin = min(each.due for each in found)
        # What was answered only when nobody asked any more doesn't count.
        end = begin + seconds
        asked = [each for each in asked if each.due + each.seconds < end]
        return cls(
            seconds,
            [each.seconds for each in asked if each.status == 200],
            [each for each in asked if each.status == 503],
            len([each for each in asked if each.status not in (200, 503)]),
            [each.seconds for each in found if each.path == PROBE],
        )

    def rate(self) -> float:
        """Return how many were served in a second."""
        return len(self.served) / self.seconds


def share(values: list[float], part: float) -> float:
    """Return below which of these values such a part of them lies, in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1_000 if ordered else 0.0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell(name: str, found: Outcome, capacity: float) -> None:
    """Print a line of the table."""
    refused = [each.seconds for each in found.refused]
    told = sum(each.says_when for each in found.refused)
    say(
        f"{name:<26}{len(found.served) + len(refused) + found.failed:>8,}"
        f"{found.rate():>9.0f}/s{found.rate() / capacity:>7.0%}"
        f"{share(found.served, 0.5):>8.1f}{share(found.served, 0.99):>9.1f} ms"
        f"{len(refused):>9,}{share(refused, 0.99):>8.1f} ms{told:>9,}"
        f"{found.failed:>8}{share(found.probes, 0.99):>9.1f} ms"
    )


def measure(name: str, server: Server, seconds: float) -> None:
    """Find out what a server can do, and ask for more."""
    port, seeds = urlsplit(server.address).port or 0, count(1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as elsewhere:

        def ask(rate: float, patterns: tuple[str, ...] = QUESTIONS) -> Callable[[], Outcome]:
            found = elsewhere.submit(answers, port, patterns, next(seeds), rate, seconds)
            return lambda: Outcome.of(found.result(), seconds)

        capacity = most(server, list(islice(asked(QUESTIONS, next(seeds)), MANY)), int(seconds))
        say(f"{name}: {capacity:.0f} answers a second to {CONNECTIONS} who ask without a pause")
        tell("  a tenth of that", ask(capacity / 10)(), capacity)
        tell(f"  {TIMES} times that", ask(TIMES * capacity)(), capacity)
        few, greedy = ask(capacity / 10), ask(capacity, GREEDY)
        tell("  a tenth, beside ...", few(), capacity)
        tell("  ... searches and files", greedy(), capacity)
        tell("  a tenth afterwards", ask(capacity / 10)(), capacity)


def most(server: Server, paths: list[str], seconds: int) -> float:
    """Return how many of these a server answers in a second, when it is warm."""
    warm = len(paths) // 10
    load(server.address, paths[:warm], seconds=2, connections=CONNECTIONS)
    return load(server.address, paths[warm:], seconds=seconds, connections=CONNECTIONS).per_second


async def filled(url: str) -> None:
    """Fill a register with the sample and copies of it."""
    await schema.migrate(url)
    async with Database(url) as database, database.writing() as connection:
        await add_territories(connection)
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    await multiply(url, COPIES)


def main() -> None:
    """Measure with the bounds and without."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    ways: dict[str, Callable[[str], AbstractContextManager[Server]]] = {
        "with its bounds": servers.service,
        "without": servers.unbounded,
    }
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "postgres") as url:
        asyncio.run(filled(url))
        say(
            f"{'':<26}{'asked':>8}{'served':>11}{'':>7}{'p50':>8}{'p99':>12}"
            f"{'refused':>9}{'p99':>11}{'say when':>9}{'failed':>8}{PROBE + ' p99':>12}"
        )
        for way, serve in ways.items():
            with serve(url) as server:
                measure(way, server, seconds)


if __name__ == "__main__":
    main()
