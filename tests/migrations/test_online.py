"""Migrations beside a service that is asked and written to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from app.commands.demo import demo
from app.db import schema
from app.db.engine import Database
from app.domain.errors import UnavailableError, UnmigratedError
from tests.support.client import client_of
from tests.support.database import execute
from tests.support.editing import editor_of
from tests.support.factories import facts
from tests.support.problems import problem_of
from tests.support.projections import check_rebuild
from tests.support.server import until

EVENTS = 2_000
# The oldest schema that this release can go on with.
BEFORE = "0013"
READERS, WRITERS = 3, 2

Ask = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


async def read(client: httpx.AsyncClient, number: int) -> httpx.Response:
    # Each time something that isn't kept.
    day = f"{1900 + number % 120}-06-01"
    parameters: dict[str, str | int] = {
        "status": "adopted",
        "date_to": day,
        "limit": number % 9 + 1,
    }
    return await client.get("/v1/events", params=parameters)


async def write(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post("/v1/events", json=facts(title=f"Written meanwhile, {number}"))


@asynccontextmanager
async def in_use(url: str) -> AsyncIterator[Counter[int]]:
    """Have a register read and written to; tell how often it answered how."""
    answers: Counter[int] = Counter()
    numbers, is_over = count(), asyncio.Event()

    async def go_on(ask: Ask, client: httpx.AsyncClient) -> None:
        while not is_over.is_set():
            answers[(await ask(client, next(numbers))).status_code] += 1

    async with client_of(url) as reader, editor_of(url) as editor, asyncio.TaskGroup() as tasks:
        for ask, client, many in ((read, reader, READERS), (write, editor, WRITERS)):
            for _ in range(many):
                tasks.create_task(go_on(ask, client))
        yield answers
        is_over.set()


async def until_all_answered(answers: Counter[int]) -> None:
    before = answers.copy()
    await until(lambda: all(answers[status] > before[status] for status in (200, 201)))


async def test_no_request_fails_while_the_newest_migration_goes_down_and_up(
    empty_url: str,
) -> None:
    async with Database(empty_url) as database:
        async for _ in demo(database, EVENTS):
            pass
    async with in_use(empty_url) as answers:
        for target in (BEFORE, "head") * 3:
            await until_all_answered(answers)
            await schema.migrate(empty_url, target)
        await until_all_answered(answers)
    assert set(answers) == {200, 201}
    async with Database(empty_url) as database:
        await check_rebuild(database)


@asynccontextmanager
async def reading_for_long(url: str) -> AsyncIterator[None]:
    """Have somebody read in one long transaction."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("SELECT FROM event_party, event, past_event")
        yield
    await connection.close()


@pytest.mark.usefixtures("shipped_timeouts")
async def test_a_migration_waits_for_a_long_reader_and_keeps_nobody_waiting(
    empty_url: str,
) -> None:
    await schema.migrate(empty_url, "0004")
    async with reading_for_long(empty_url):
        migrating = asyncio.create_task(schema.migrate(empty_url))
        # While it waits for a lock, others wait behind it, so it never does for long.
        for _ in range(20):
            await execute(empty_url, "SELECT FROM event LIMIT 1")
            await asyncio.sleep(0.1)
        assert not migrating.done()
    await migrating
    async with Database(empty_url) as database, database.reading() as connection:
        assert await schema.current_revision(connection) == schema.newest_revision()


async def test_a_migration_that_others_never_let_in_gives_up(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await schema.migrate(empty_url, "0004")
    monkeypatch.setattr(schema, "_TRIES", 1)
    async with reading_for_long(empty_url):
        with pytest.raises(UnavailableError):
            await schema.migrate(empty_url)
    await schema.migrate(empty_url)


async def test_an_index_that_was_cut_off_is_made_anew(empty_url: str) -> None:
    await schema.migrate(empty_url, "0010")
    # What is left of one looks like this, and would be kept up to date without ever being used.
    await execute(empty_url, "CREATE INDEX ix_event_party_country_long ON event_party (event)")
    await schema.migrate(empty_url)
    async with Database(empty_url) as database, database.reading() as connection:
        made = await connection.scalar(
            text("SELECT pg_get_indexdef('ix_event_party_country_long'::regclass)")
        )
    assert "(country, latest, earliest, event) INCLUDE" in made


async def test_a_service_goes_on_when_a_newer_release_has_migrated(empty_url: str) -> None:
    await execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    async with client_of(empty_url) as client:
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/v1/events")).status_code == 200


async def test_a_service_does_not_begin_on_an_older_schema(empty_url: str) -> None:
    await schema.migrate(empty_url, BEFORE)
    async with client_of(empty_url) as client:
        problem_of(await client.get("/readyz"), 503)


async def test_no_command_touches_what_a_newer_release_has_made(empty_url: str) -> None:
    await execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    async with Database(empty_url) as database, database.reading() as connection:
        with pytest.raises(UnmigratedError, match="9999"):
            await schema.check_schema(connection)
