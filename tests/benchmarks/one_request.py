"""What one person's request costs that person, and what it costs everybody else meanwhile.

Run it with `python -m tests.benchmarks.one_request [--names N] [--rows N] [--events N]`; it starts
a PostgreSQL of its own with its default settings and one worker, and is no part of the test suite.
Each row is measured while a second client asks `/livez` without pause and a third one records
events.
"""

import argparse
import asyncio
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from app.commands.keys import create_key
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import add_territories
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from app.domain.keys import Scope
from tests.support.archive import random_event
from tests.support.database import execute
from tests.support.factories import facts
from tests.support.multiplied import multiply
from tests.support.names import many_names
from tests.support.service import served

REPEATS = 20
SAMPLE_EVENTS = 164
JSON_LINES = {"Content-Type": "application/jsonl"}


@dataclass
class Others:
    """What others experience: seconds until `/livez` was answered and until a write was."""

    livez: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    refused: int = 0


@dataclass(frozen=True)
class Bench:
    """A running service and what is sent to it."""

    client: httpx.AsyncClient
    rows: int

    async def ask(self, *values: str) -> list[float]:
        """Return how many seconds a question with these unknown values takes, asked repeatedly."""
        seconds = []
        for _ in range(REPEATS):
            began = time.monotonic()
            response = await self.client.get(f"/v1/events?{'&'.join(values)}")
            seconds.append(time.monotonic() - began)
            assert response.status_code == 422, response.text
        return seconds

    async def import_rows(self, status: int, **changes: Any) -> list[float]:
        """Return how many seconds a dry run takes, in which the last row has these changes."""
        file, random = io.StringIO(), Random(1)
        for number in range(self.rows):
            made = random_event(random, number)
            row = {"id": made.id, **made.facts.model_dump(mode="json", exclude_none=True)}
            file.write(json.dumps(row | changes) + "\n")
        began = time.monotonic()
        response = await self.client.post(
            "/v1/imports?dry_run=true", content=file.getvalue(), headers=JSON_LINES
        )
        assert response.status_code == status, response.text
        return [time.monotonic() - began]


async def ten_unknown_parties(bench: Bench) -> list[float]:
    """Ten parties that nobody has heard of."""
    return await bench.ask(*(f"party=zz{n}" for n in range(10)))


async def ten_misspelt_parties(bench: Bench) -> list[float]:
    """Ten parties with a letter wrong."""
    return await bench.ask(*(f"party=ministery+of+foreign+{n}+affairs" for n in range(10)))


async def ten_unknown_measures(bench: Bench) -> list[float]:
    """Ten measures that nobody has heard of."""
    return await bench.ask(*(f"measure=zz{n}" for n in range(10)))


async def clean_import(bench: Bench) -> list[float]:
    """A dry run of a file in which nothing is wrong."""
    return await bench.import_rows(200)


async def faulty_import(bench: Bench) -> list[float]:
    """A dry run of the same file, in which every row names the same misspelt party."""
    participants = [{"party": "talibann", "role": "actor"}]
    return await bench.import_rows(422, participants=participants)


async def rename_of_the_largest_state(bench: Bench) -> list[float]:
    """Another name for the state that takes part in most events."""
    seconds = []
    for number in range(REPEATS):
        body = {"kind": "state", "country": "AF", "name": f"Afghanistan {number} {time.time()}"}
        began = time.monotonic()
        response = await bench.client.put("/v1/parties/AF", json=body)
        seconds.append(time.monotonic() - began)
        assert response.status_code == 200, response.text
    return seconds


async def move_of_a_party(bench: Bench) -> list[float]:
    """Another country for an organisation that takes part in very many events."""
    seconds = []
    for country in ("PK", "AF"):
        body = {"kind": "organisation", "country": country, "name": "Taliban"}
        began = time.monotonic()
        response = await bench.client.put("/v1/parties/taliban", json=body)
        seconds.append(time.monotonic() - began)
        assert response.status_code == 200, response.text
    return seconds


Work = Callable[[Bench], Awaitable[list[float]]]
ROWS: dict[str, Work] = {
    "ten unknown names (parties)": ten_unknown_parties,
    "ten unknown names (misspelt parties)": ten_misspelt_parties,
    "ten unknown names (measures)": ten_unknown_measures,
    "clean import": clean_import,
    "faulty import": faulty_import,
    "rename of the largest state": rename_of_the_largest_state,
    "move of a party to another country": move_of_a_party,
}


@asynccontextmanager
async def watching(address: str, headers: dict[str, str]) -> AsyncIterator[Others]:
    """Ask `/livez` and record events, on connections of their own, until the block ends."""
    others = Others()

    async def ask(client: httpx.AsyncClient) -> None:
        while True:
            began = time.monotonic()
            await client.get("/livez")
            others.livez.append(time.monotonic() - began)
            await asyncio.sleep(0.005)

    async def write(client: httpx.AsyncClient) -> None:
        while True:
            began = time.monotonic()
            response = await client.post("/v1/events", json=facts(title=f"Beside {began}"))
            if response.is_success:
                others.writes.append(time.monotonic() - began)
            else:
                others.refused += 1
            await asyncio.sleep(0.1)

    async with (
        httpx.AsyncClient(base_url=address, timeout=60) as reader,
        httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as writer,
    ):
        tasks = [asyncio.create_task(ask(reader)), asyncio.create_task(write(writer))]
        try:
            yield others
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def measure(address: str, key: str, rows: int) -> None:
    """Print what each row costs."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=600) as client:
        bench = Bench(client, rows)
        for label, work in ROWS.items():
            await work(bench)
            async with watching(address, headers) as others:
                seconds = await work(bench)
            sys.stdout.write(
                f"{label:38} {statistics.median(seconds) * 1000:9.1f} ms;"
                f" /livez {max(others.livez) * 1000:6.1f} ms at most;"
                f" a write {max(others.writes, default=0) * 1000:6.1f} ms at most,"
                f" {others.refused} refused\n"
            )
            sys.stdout.flush()


async def prepare(url: str, names: int, events: int) -> str:
    """Fill the register and return an editor's key."""
    await schema.migrate(url)
    async with Database(url) as database, database.writing() as connection:
        await add_territories(connection)
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        key, _ = await create_key(connection, "a benchmark", [Scope.EDIT], None)
    await multiply(url, max(1, events // SAMPLE_EVENTS), days=3_000)
    await execute(url, *many_names(names))
    return key


def main() -> None:
    """Measure on a server and a service of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=100_000, help="parties, and measures")
    parser.add_argument("--events", type=int, default=200_000, help="events")
    parser.add_argument("--rows", type=int, default=2_000, help="rows of the imports")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, embedded(Path(folder) / "postgres") as url:
        key = asyncio.run(prepare(url, options.names, options.events))
        with served({"CHANCERY_DATABASE_URL": url}) as address:
            asyncio.run(measure(address, key, options.rows))


if __name__ == "__main__":
    main()
