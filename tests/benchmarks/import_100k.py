"""How long an import of 100,000 events takes, and how long another writer waits for it.

Run it with `python -m tests.benchmarks.import_100k [ROWS]`; it starts a PostgreSQL of its own with
its default settings. It is no part of the test suite.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

from app.commands import staged
from app.commands.import_events import import_events
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import add_territories
from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from app.domain.errors import UnavailableError
from app.domain.rows import Form
from tests.support.archive import random_event
from tests.support.factories import event as an_event

ROWS = 100_000
AUTHOR = Author("a benchmark")
WORDS = "The ministry announces that the decision takes effect on the day of its publication. "


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write_file(path: Path, rows: int, title: str = "An event") -> None:
    """Write a file of random events, each of the size of a real one."""
    random = Random(1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            made = random_event(random, number)
            facts = made.facts.model_dump(mode="json", exclude_none=True)
            row = {"id": made.id, **facts, "title": title, "summary": WORDS * random.randint(1, 5)}
            file.write(json.dumps(row) + "\n")


class Clock:
    """Notes when the lock is taken, from within the import."""

    def __init__(self) -> None:
        """Begin."""
        self.began = self.locked = self.staged = time.monotonic()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note the times of one import."""
        compare, check = staged.compare, staged.check_unchanged

        async def noted_compare(*arguments: Any) -> staged.Basis:
            self.staged = self.locked = time.monotonic()
            return await compare(*arguments)

        async def noted_check(*arguments: Any) -> None:
            # This is what is done first under the lock.
            self.locked = time.monotonic()
            await check(*arguments)

        staged.compare = noted_compare  # type: ignore[assignment]
        staged.check_unchanged = noted_check  # type: ignore[assignment]
        try:
            yield
        finally:
            staged.compare, staged.check_unchanged = compare, check


async def write_beside(database: Database, waits: list[float], refused: list[float]) -> None:
    """Record one event after the other, and note how long each takes."""
    for number in range(1_000_000):
        began = time.monotonic()
        try:
            async with database.writing() as connection:
                await record_unseen(connection, [an_event(f"beside-{began}-{number}")], AUTHOR)
            waits.append(time.monotonic() - began)
        except UnavailableError:
            refused.append(time.monotonic() - began)
        await asyncio.sleep(0.05)


async def measure(database: Database, path: Path, label: str) -> None:
    """Import a file beside a writer, and print the times."""
    waits: list[float] = []
    refused: list[float] = []
    beside = asyncio.create_task(write_beside(database, waits, refused))
    clock = Clock()
    with clock.watching(), path.open("rb") as file:
        done = await import_events(database, file, Form.JSON_LINES, author=AUTHOR)
    ended = time.monotonic()
    beside.cancel()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    say(
        f"{label}: {done}\n"
        f"  read, checked, staged {clock.staged - clock.began:6.1f} s\n"
        f"  compared, written     {clock.locked - clock.staged:6.1f} s\n"
        f"  lock held             {ended - clock.locked:6.2f} s\n"
        f"  in all                {ended - clock.began:6.1f} s\n"
        f"  another writer: {len(waits)} writes, of which the longest took {max(waits):.2f} s; "
        f"{len(refused)} refused, after {max(refused, default=0):.2f} s at most\n"
        f"  memory of this process at most {memory} MiB"
    )


async def run(url: str, folder: Path, rows: int) -> None:
    """Import new events, the same again, and the same corrected."""
    await schema.migrate(url)
    async with Database(url) as database:
        async with database.writing() as connection:
            await add_territories(connection)
            await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        write_file(folder / "new.jsonl", rows)
        write_file(folder / "corrected.jsonl", rows, "An event by another name")
        say(f"{rows:,} rows, {(folder / 'new.jsonl').stat().st_size / 2**20:.0f} MiB")
        await measure(database, folder / "new.jsonl", "new")
        await measure(database, folder / "new.jsonl", "again")
        await measure(database, folder / "corrected.jsonl", "corrected")
        async with database.reading() as connection:
            version = await connection.scalar(text("SHOW server_version"))
        say(f"PostgreSQL {version}, default settings")


def main() -> None:
    """Measure on a server of its own."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "postgres") as url:
        asyncio.run(run(url, Path(name), rows))


if __name__ == "__main__":
    main()
