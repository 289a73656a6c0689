"""How long files of many events take, how much memory they need, and who waits meanwhile.

Run it with `python -m tests.benchmarks.exports [EVENTS]`; it starts a PostgreSQL of its own with
its default settings, and the service. It is no part of the test suite.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from sqlalchemy import make_url

from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import add_territories
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from tests.benchmarks.import_100k import say
from tests.support.multiplied import multiply
from tests.support.service import ready

EVENTS = 200_000
NOW = "known_at=now"
PATHS = [
    ("jsonl", "", "identity"),
    ("jsonl", "", "gzip"),
    ("jsonl", NOW, "identity"),
    ("csv", "", "identity"),
    ("csv", "", "gzip"),
    ("csv", "country=KZ", "identity"),
    ("ics", "", "identity"),
    ("timelinejs.json", "", "identity"),
    ("xlsx", "", "identity"),
    ("xlsx", "country=RU", "identity"),
    ("atom", "", "identity"),
]


def memory(process: int) -> tuple[int, int]:
    """Return how much a process holds and held at most, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    held = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in lines)
        if name in {"VmRSS", "VmHWM"}
    }
    return held["VmRSS"] // 1024, held["VmHWM"] // 1024


async def look_beside(client: httpx.AsyncClient, waits: list[float]) -> None:
    """Ask for a page again and again, and note how long each takes."""
    while True:
        began = time.monotonic()
        (await client.get("/v1/events?country=KZ&limit=20")).raise_for_status()
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.02)


async def copy(url: str) -> float:
    """Return how long the database itself takes to give all documents in order."""
    parts = make_url(url)
    connection: Any = await asyncpg.connect(
        user=parts.username, database=parts.database, host=parts.query["host"]
    )
    size = 0

    async def count(piece: bytes) -> None:
        nonlocal size
        size += len(piece)

    began = time.monotonic()
    query = "SELECT document FROM event ORDER BY latest DESC, earliest DESC, id DESC"
    await connection.copy_from_query(query, output=count)
    took = time.monotonic() - began
    await connection.close()
    say(f"COPY of all documents: {took:.1f} s, {size / 2**20:.0f} MiB")
    return took


def told(waits: list[float]) -> str:
    """Return how long pages took."""
    if not waits:
        return ""
    middle = sorted(waits)[len(waits) // 2]
    return f"a page beside it: median {middle * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms"


async def measure(client: httpx.AsyncClient, process: int, path: str, encoding: str) -> float:
    """Take one file, and print what it took."""
    waits: list[float] = []
    beside = asyncio.create_task(look_beside(client, waits))
    began, size, first = time.monotonic(), 0, 0.0
    headers = {"Accept-Encoding": encoding}
    async with client.stream("GET", path, headers=headers) as response:
        async for piece in response.aiter_raw():
            first = first or time.monotonic() - began
            size += len(piece)
    took = time.monotonic() - began
    beside.cancel()
    held, most = memory(process)
    say(
        f"{response.status_code} {path[10:]:45} {encoding:8} {took:6.1f} s, "
        f"first byte {first:4.1f} s, {size / 2**20:6.1f} MiB; memory {held} MiB, at most {most}; "
        f"{told(waits)}"
    )
    return took


async def run(url: str, events: int) -> None:
    """Fill a register, and take it away in every form."""
    await schema.migrate(url)
    async with Database(url) as database, database.writing() as connection:
        await add_territories(connection)
        loaded = await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    await multiply(url, events // loaded.events)
    floor = await copy(url)
    with ready({"CHANCERY_DATABASE_URL": url}) as (address, process):
        async with httpx.AsyncClient(base_url=address, timeout=300) as client:
            (await client.get("/v1/events")).raise_for_status()
            alone: list[float] = []
            with suppress(TimeoutError):
                await asyncio.wait_for(look_beside(client, alone), 5)
            say(f"memory before: {memory(process.pid)[0]} MiB; {told(alone)} (of nothing)")
            for extension, query, encoding in PATHS:
                now = time.strftime("known_at=%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                path = f"/v1/events.{extension}?{now if query == NOW else query}"
                took = await measure(client, process.pid, path, encoding)
                if (extension, query, encoding) == PATHS[0]:
                    say(f"  {took / floor:.1f} times as long as COPY")


def main() -> None:
    """Measure on a server of its own."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "postgres") as url:
        asyncio.run(run(url, events))


if __name__ == "__main__":
    main()
