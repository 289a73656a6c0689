"""How the cost of a position grows with the archive: one pair and one subject against one event.

Run it with `python -m tests.benchmarks.positions [EVENTS ...]`; it starts a PostgreSQL of its own
with its default settings, and is no part of the test suite. The archive is filled by SQL with rows
as the projection has them: the same number of events about the pair and the subject that are asked
for, whatever the size of the rest.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from sqlalchemy import text

from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.db import schema
from app.db.copying import vacuum
from app.db.embedded import embedded
from app.db.engine import Database
from tests.support.client import client_of
from tests.support.database import execute

SIZES = (10_000, 100_000, 1_000_000)
ABOUT_PAIR, ABOUT_SUBJECT = 20, 2_000
ROUNDS, REPEATS = 7, 30

# Parties and events without revisions behind them: what positions are read from, and no more.
OPEN = (
    "ALTER TABLE event DROP CONSTRAINT fk_event_id_revision",
    """
    INSERT INTO party (id, name, kind, aliases)
        SELECT 'party-' || n, 'Party ' || n, 'organisation', '{}' FROM generate_series(0, 1999) n
    """,
    """
    INSERT INTO party_name (folded, party)
        SELECT 'party ' || n, 'party-' || n FROM generate_series(0, 1999) n
    """,
)
# A tenth of all events is about what KZ holds, whose pair with whom is asked for has few.
EVENTS = """
    INSERT INTO event (id, revision, kind, family, status, verification, direction, regime,
        measure, earliest, latest, recorded_at, updated_at, known_from, document)
    SELECT 'made-' || n, 1, 'designation.list', 'designation', 'in_effect', 'confirmed',
        'tightening', 'RU-UFL', 'measure-' || n / 10, day, day, now(), now(), now(),
        repeat('x', 1500)
    FROM generate_series({first}, {last}) n, LATERAL (SELECT date '1990-01-01' + n % 12000) d (day)
"""
PAIRS = """
    INSERT INTO event_pair (event, actor, subject, dimension, regime, measure, state,
        verification, first, last, written)
    SELECT 'made-' || n,
        CASE WHEN n < {pair} OR n > {subject} AND n % 10 = 0 THEN 'KZ'
            ELSE 'party-' || n % 150 END,
        CASE WHEN n < {subject} THEN 'asked-for' ELSE 'party-' || (hashint4(n) & 1023) END,
        'designation', 'RU-UFL', 'measure-' || n / 10, 'listed', 'confirmed', day, day, day::text
    FROM generate_series({first}, {last}) n, LATERAL (SELECT date '1990-01-01' + n % 12000) d (day)
"""
ASKED_FOR = (
    "INSERT INTO party (id, name, kind, aliases) VALUES ('asked-for', 'Asked for', 'group', '{}')",
    "INSERT INTO party_name (folded, party) VALUES ('asked for', 'asked-for')",
)
QUESTIONS = {
    "one event": "/v1/events/kz-taliban-delisting-2023",
    "one pair": "/v1/positions?actor=KZ&subject=asked-for&dimension=designation&regime=RU-UFL",
    "a subject": "/v1/positions?subject=asked-for&limit=200",
}


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def fill(url: str, first: int, last: int) -> None:
    """Add events with these numbers."""
    sizes = {"first": first, "last": last, "pair": ABOUT_PAIR, "subject": ABOUT_SUBJECT}
    async with Database(url) as database, database.writing() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text(EVENTS.format(**sizes)))
        await connection.execute(text(PAIRS.format(**sizes)))
    await vacuum(url)


async def timed(ask: Callable[[], Awaitable[httpx.Response]]) -> float:
    """Return the seconds that one answer takes, the median of several."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        response = await ask()
        seconds.append(time.perf_counter() - began)
        assert response.status_code == 200, response.text
    return statistics.median(seconds)


async def measure(client: httpx.AsyncClient) -> dict[str, list[float]]:
    """Ask the questions in turn, so that what slows the machine slows them alike."""
    found: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for _ in range(ROUNDS):
        for name, address in QUESTIONS.items():
            found[name].append(await timed(lambda address=address: client.get(address)))  # type: ignore[misc]
    return found


async def run(url: str, sizes: list[int]) -> None:
    """Print a line for each size of the archive."""
    await schema.migrate(url)
    async with Database(url) as database, database.writing() as connection:
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    await execute(url, *OPEN, *ASKED_FOR)
    say("events      one event    one pair    ratio   a subject (2,000 events)   spread")
    done = 0
    for size in sizes:
        await fill(url, done, size - 1)
        done = size
        async with client_of(url) as client:
            found = await measure(client)
        event, pair, subject = (statistics.median(found[name]) for name in QUESTIONS)
        spread = max(max(each) / min(each) for each in found.values())
        say(
            f"{size:>9,} {event * 1e3:>9.2f} ms {pair * 1e3:>8.2f} ms {pair / event:>8.2f}"
            f" {subject * 1e3:>15.1f} ms {spread:>16.2f}"
        )


def main() -> None:
    """Measure on a server of its own."""
    sizes = [int(each) for each in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "postgres") as url:
        asyncio.run(run(url, sizes))


if __name__ == "__main__":
    main()
