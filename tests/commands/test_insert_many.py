"""Many rows at once, also where somebody stops it."""

import asyncio

import pytest
from sqlalchemy import Column, MetaData, Table, Text, func, select, text

from app.db.copying import insert_many
from app.db.engine import Database

ROW = Table("many_rows", MetaData(), Column("id", Text), Column("words", Text))
ROWS = [{"id": f"row-{number}", "words": "x" * 1_000} for number in range(5_000)]


async def test_what_is_cancelled_while_it_is_sent_comes_to_its_end(empty_url: str) -> None:
    async with Database(empty_url) as database:
        for turns in (1, 3, 10, 30, 100):
            with pytest.raises(asyncio.CancelledError):
                async with database.writing() as connection:
                    await connection.execute(
                        text("CREATE TEMPORARY TABLE many_rows (id text, words text)")
                    )
                    inserting = asyncio.create_task(insert_many(connection, ROW, ROWS))
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    inserting.cancel()
                    await asyncio.wait_for(inserting, 30)
        async with database.writing() as connection:
            await connection.execute(text("CREATE TEMPORARY TABLE many_rows (id text, words text)"))
            await insert_many(connection, ROW, ROWS)
            assert await connection.scalar(select(func.count()).select_from(ROW)) == len(ROWS)
