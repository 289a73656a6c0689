"""Old idempotent answers: removed in small steps by nobody's request, and never given again."""

import asyncio
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from app.commands import idempotency
from app.commands.idempotency import PURGED_AT_ONCE, Purger, purge
from app.db.engine import Database
from tests.support.database import execute
from tests.support.factories import facts

OLD = 2_500
MANY = 200_000
COUNT = text("SELECT count(*) FROM idempotent_answer")


def aged(count: int, age: str = "2 days") -> str:
    """Return the statement that adds so many answers of an age."""
    return f"""
        INSERT INTO idempotent_answer (api_key, route, key, fingerprint, event, document, given_at)
        SELECT api_key.id, '/v1/events', 'old-' || n, '\\x00', 'old', repeat('x', 200),
            now() - interval '{age}' + n * interval '1 ms'
        FROM api_key, generate_series(1, {count}) n
    """


@pytest.fixture
async def database(loaded_url: str) -> AsyncIterator[Database]:
    async with Database(loaded_url) as database:
        yield database


async def count_answers(database: Database) -> int:
    async with database.reading() as connection:
        found = await connection.execute(COUNT)
        return int(found.scalar_one())


async def until_purged(database: Database) -> None:
    async with asyncio.timeout(60):
        # The database tells nobody, so it is asked again and again.
        while await count_answers(database):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("editor")
async def test_a_step_removes_the_oldest_answers_and_no_more_than_so_many(
    loaded_url: str, database: Database
) -> None:
    await execute(loaded_url, aged(OLD), aged(3, "1 hour").replace("old-", "new-"))
    steps = []
    for _ in range(4):
        async with database.editing() as connection:
            steps.append(await purge(connection))
    assert steps == [PURGED_AT_ONCE, PURGED_AT_ONCE, OLD - 2 * PURGED_AT_ONCE, 0]
    assert await count_answers(database) == 3


@pytest.mark.usefixtures("editor")
async def test_a_step_waits_for_nobody(loaded_url: str, database: Database) -> None:
    await execute(loaded_url, aged(3))
    async with database.editing() as other, database.editing() as connection:
        await other.execute(text("SELECT FROM idempotent_answer WHERE key = 'old-2' FOR UPDATE"))
        assert await purge(connection) == 2


@pytest.mark.usefixtures("editor")
async def test_the_task_removes_a_table_that_grew_large(
    loaded_url: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "PURGE_PAUSE_S", 0.0)
    # So few that each task meets several batches, whatever the other removes.
    monkeypatch.setattr(idempotency, "PURGED_AT_ONCE", 100)
    await execute(loaded_url, aged(OLD))
    async with Purger(database), Purger(database):
        await until_purged(database)


@pytest.mark.usefixtures("editor")
async def test_the_task_goes_on_after_a_fault(
    loaded_url: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(idempotency, "PURGE_INTERVAL_S", 0.01)
    await execute(loaded_url, "ALTER TABLE idempotent_answer RENAME TO elsewhere")
    with caplog.at_level(logging.ERROR, "chancery"):
        async with Purger(database):
            async with asyncio.timeout(60):
                while "removing old idempotent answers" not in caplog.text:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await execute(loaded_url, "ALTER TABLE elsewhere RENAME TO idempotent_answer", aged(10))
            await until_purged(database)


@pytest.mark.usefixtures("shipped_timeouts", "editor")
async def test_the_task_goes_on_after_the_database_was_away(
    loaded_url: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(idempotency, "PURGE_INTERVAL_S", 0.01)
    locked = "LOCK TABLE idempotent_answer IN ACCESS EXCLUSIVE MODE"
    async with Purger(database):
        async with database.writing() as other:
            await other.execute(text(locked))
            # Longer than a lock is waited for.
            await asyncio.sleep(2.5)
        await execute(loaded_url, aged(10))
        await until_purged(database)
    assert caplog.text == ""


async def test_an_answer_older_than_a_day_is_replaced_and_not_given_again(
    editor: httpx.AsyncClient, loaded_url: str
) -> None:
    again = {"Idempotency-Key": "the-same"}
    first = await editor.post("/v1/events", json=facts(), headers=again)
    repeated = await editor.post("/v1/events", json=facts(), headers=again)
    assert repeated.json()["id"] == first.json()["id"]
    await execute(
        loaded_url, "UPDATE idempotent_answer SET given_at = now() - interval '24 hours 1 second'"
    )
    second = await editor.post("/v1/events", json=facts(title="Another"), headers=again)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]
    repeated = await editor.post("/v1/events", json=facts(title="Another"), headers=again)
    assert repeated.json() == second.json()


@pytest.mark.slow
async def test_very_many_old_answers_keep_nobody_from_writing(
    editor: httpx.AsyncClient, loaded_url: str, database: Database
) -> None:
    await execute(loaded_url, "SET statement_timeout = 0", aged(MANY))
    async with Purger(database):
        written = 0
        while await count_answers(database) > written:
            key = {"Idempotency-Key": f"new-{written}"}
            response = await editor.post("/v1/events", json=facts(), headers=key)
            assert response.status_code == 201, response.text
            assert response.elapsed.total_seconds() < 2
            written += 1
    assert written > 10
