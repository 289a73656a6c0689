"""The journal's order under real concurrency, and the guard of its revisions."""

import asyncio
from datetime import datetime
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db.engine import Database
from tests.support.database import execute
from tests.support.factories import event

AUTHOR = Author("a test")

WRITERS = 6
EACH = 8


async def write(database: Database, writer: int) -> None:
    for number in range(EACH):
        async with database.writing() as connection:
            await record_unseen(connection, [event(f"writer-{writer}-{number}")], AUTHOR)
            # A commit that takes its time would let a later number overtake it without the lock.
            await asyncio.sleep(0.003 * (number % 3))


JOURNAL = """
    SELECT seq, recorded_at FROM event_revision
    UNION ALL SELECT seq, recorded_at FROM reference_revision ORDER BY seq
"""


async def journal(database: Database) -> list[tuple[int, datetime]]:
    async with database.reading() as connection:
        rows = await connection.execute(text(JOURNAL))
        return [(row.seq, row.recorded_at) for row in rows]


async def test_numbers_have_no_gaps_and_instants_grow_with_them(empty_url: str) -> None:
    async with Database(empty_url) as database:
        before = len(await journal(database))
        await asyncio.gather(*(write(database, writer) for writer in range(WRITERS)))
        found = await journal(database)
    assert [seq for seq, _ in found] == list(range(1, before + WRITERS * EACH + 1))
    instants = [recorded_at for _, recorded_at in found]
    assert all(one < other for one, other in pairwise(instants))


async def test_a_reader_never_sees_a_number_before_all_smaller_ones(empty_url: str) -> None:
    async with Database(empty_url) as database:
        writing = asyncio.gather(*(write(database, writer) for writer in range(WRITERS)))
        while not writing.done():
            seen = [seq for seq, _ in await journal(database)]
            assert seen == list(range(1, len(seen) + 1))
        await writing


async def test_an_interrupted_write_leaves_nothing_and_no_gap(empty_url: str) -> None:
    async with Database(empty_url) as database:
        with pytest.raises(RuntimeError):
            async with database.writing() as connection:
                await record_unseen(connection, [event("lost")], AUTHOR)
                raise RuntimeError
        before = len(await journal(database))
        async with database.writing() as connection:
            assert await record_unseen(connection, [event("kept")], AUTHOR) == 1
        assert [seq for seq, _ in await journal(database)] == list(range(1, before + 2))


async def test_two_that_record_the_same_id_record_it_once(empty_url: str) -> None:
    async def record(database: Database) -> int:
        async with database.writing() as connection:
            return await record_unseen(connection, [event("the-same")], AUTHOR)

    async with Database(empty_url) as database:
        counts = await asyncio.gather(*(record(database) for _ in range(WRITERS)))
        assert sorted(counts) == [0] * (WRITERS - 1) + [1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event_revision SET note = 'changed'",
        "DELETE FROM event_revision",
        "TRUNCATE event_revision CASCADE",
    ],
)
async def test_revisions_take_no_change(empty_url: str, statement: str) -> None:
    async with Database(empty_url) as database, database.writing() as connection:
        await record_unseen(connection, [event("kept")], AUTHOR)
    with pytest.raises(DBAPIError, match="append-only"):
        await execute(empty_url, statement)


async def test_a_reading_connection_cant_write(empty_url: str) -> None:
    async with Database(empty_url) as database:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            async with database.reading() as connection:
                await connection.execute(text("DELETE FROM event"))
