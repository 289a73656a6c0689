"""How fast reading is, against other ways to read the same events on the same machine.

Run it with `make bench`. It starts everything by itself: PostgreSQL with its default settings, an
archive of invented events (a million take a quarter of an hour to invent; keep them with
`--keep DIRECTORY`), and the candidates, which take turns. Before anything is timed their answers
are compared. Load comes from wrk, on the same machine, which costs all candidates alike.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.commands.demo import demo
from app.commands.parties import add_territories
from app.db import schema
from app.db.copying import vacuum
from app.db.embedded import embedded
from app.db.engine import Database
from tests.benchmarks.reads import database, servers
from tests.benchmarks.reads.compare import compare
from tests.benchmarks.reads.copy_to_sqlite import copy_to_sqlite
from tests.benchmarks.reads.table import Table
from tests.benchmarks.reads.workloads import WORKLOADS, Candidates, Scale, run

FEW = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and how long."""

    events: int
    rounds: int
    seconds: int
    datasette: str | None
    keep: Path | None
    only: list[str]


def options() -> Options:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.reads")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of load, for each measurement")
    parser.add_argument("--datasette", help="the program; without it Datasette is left out")
    parser.add_argument("--keep", type=Path, help="where the archive is, or shall be kept")
    names = [workload.__name__ for workload in WORKLOADS]
    parser.add_argument("--only", nargs="+", choices=names, default=[], help="these workloads")
    return Options(**vars(parser.parse_args()))


def fill(url: str, events: int) -> None:
    """Have so many events in the register, invented where they are missing."""
    asyncio.run(schema.migrate(url))
    if database.count(url) < events:
        asyncio.run(_invented(url, events))


async def _invented(url: str, events: int) -> None:
    async with Database(url) as register:
        async with register.writing() as connection:
            await add_territories(connection)
        async for _ in demo(register, events):
            pass
    await vacuum(url)


@contextmanager
def candidates(url: str, place: Path, chosen: Options) -> Iterator[Candidates]:
    """Run everything that is compared."""
    with ExitStack() as stack:
        service = stack.enter_context(servers.service(url))
        body = place / "body.json"
        page = httpx.get(f"{service.address}/v1/events", params={"limit": 20, "country": "KZ"})
        body.write_bytes(page.content)
        few = stack.enter_context(embedded(place / "few"))
        fill(few, FEW)
        found = Candidates(
            service=service,
            small=stack.enter_context(servers.service(few)),
            plain=stack.enter_context(servers.plain(url)),
            parsing=stack.enter_context(servers.floor(body, "parsing")),
            bare=stack.enter_context(servers.floor(body, "bare")),
            datasette=None,
            url=url,
        )
        if chosen.datasette:
            copy, metadata = asyncio.run(copy_to_sqlite(url, place))
            running = servers.datasette(chosen.datasette, copy, metadata)
            found.datasette = stack.enter_context(running)
        yield found


def measure(url: str, place: Path, chosen: Options) -> None:
    """Fill, compare, measure, print."""
    fill(url, chosen.events)
    with candidates(url, place, chosen) as running:
        compare(running)
        table = Table(database.described(url), chosen.rounds)
        run(running, table, Scale(chosen.rounds, chosen.seconds), chosen.only)


def main() -> None:
    """Measure on a server of its own."""
    chosen = options()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        with embedded(chosen.keep or place / "postgres") as url:
            measure(url, place, chosen)


if __name__ == "__main__":
    main()
