"""The database by itself: what it holds, and how fast it is without a service before it."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from app.db.programs import folder


async def _with_connection(url: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
    parts = make_url(url)
    connection: Any = await asyncpg.connect(
        user=parts.username, database=parts.database, host=parts.query["host"]
    )
    try:
        return await work(connection)
    finally:
        await connection.close()


def asked(url: str, statement: str, *values: Any) -> list[Any]:
    """Return the rows of a statement."""

    async def fetch(connection: Any) -> list[Any]:
        rows: list[Any] = await connection.fetch(statement, *values)
        return rows

    found: list[Any] = asyncio.run(_with_connection(url, fetch))
    return found


def timed(url: str, statement: str, repeats: int = 5) -> float:
    """Return how many milliseconds a statement takes, the shortest of several."""

    async def work(connection: Any) -> float:
        seconds = []
        for _ in range(repeats):
            began = time.perf_counter()
            await connection.fetch(statement)
            seconds.append(time.perf_counter() - began)
        return min(seconds) * 1_000

    found: float = asyncio.run(_with_connection(url, work))
    return found


def copied(url: str, query: str) -> float:
    """Return how many milliseconds COPY takes to give all rows of a query."""

    async def swallow(_: bytes) -> None: ...

    async def work(connection: Any) -> float:
        began = time.perf_counter()
        await connection.copy_from_query(query, output=swallow, format="csv")
        return (time.perf_counter() - began) * 1_000

    found: float = asyncio.run(_with_connection(url, work))
    return found


def pgbench(url: str, script: str, seconds: int, connections: int) -> float:
    """Return how often a second pgbench gets the answer to a statement."""
    parts = make_url(url)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "script.sql"
        place.write_text(script)
        options = f"-n -M prepared -c {connections} -T {seconds} -f {place}".split()
        done = subprocess.run(
            [str(folder() / "pgbench"), *options, str(parts.database)],
            env=os.environ | {"PGHOST": str(parts.query["host"]), "PGUSER": str(parts.username)},
            capture_output=True,
            text=True,
            check=True,
        )
    line = next(each for each in done.stdout.splitlines() if each.startswith("tps = "))
    return float(line.split()[2])


def count(url: str) -> int:
    """Return how many events there are."""
    found: int = asked(url, "SELECT count(*) FROM event")[0][0]
    return found


def described(url: str) -> str:
    """Return what the database is and holds."""
    version = asked(url, "SHOW server_version")[0][0]
    return f"PostgreSQL {version} with default settings, {count(url):,} events"
