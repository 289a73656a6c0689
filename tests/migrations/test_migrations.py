"""Migrations: up from nothing, down again, several at once, and no drift from the tables."""

import asyncio

import pytest
from sqlalchemy import text

from app.db import (
    projections,  # noqa: F401 - Its tables belong to the metadata.
    register,  # noqa: F401 - So do these.
    schema,
)
from app.db.engine import Database, engine
from app.db.tables import Table
from app.db.url import driver_url
from app.domain.errors import UnmigratedError
from tests.support.database import execute
from tests.support.fingerprint import fingerprint

STARTERS = 8


async def made_from_the_tables(url: str) -> None:
    maintenance = engine(driver_url(url), read_only=False)
    async with maintenance.begin() as connection:
        await connection.run_sync(Table.metadata.create_all)
    await maintenance.dispose()


async def current(url: str) -> str | None:
    async with Database(url) as database, database.reading() as connection:
        return await schema.current_revision(connection)


async def test_the_migrated_schema_is_that_of_the_tables(
    migrated_template: str, unmigrated_url: str
) -> None:
    await made_from_the_tables(unmigrated_url)
    migrated, declared = await fingerprint(migrated_template), await fingerprint(unmigrated_url)
    for part in declared:
        assert migrated[part] == declared[part], part
    assert migrated["triggers"]
    assert migrated["functions"]


@pytest.mark.parametrize(
    ("part", "drift"),
    [
        ("columns", "ALTER TABLE party ALTER COLUMN name DROP NOT NULL"),
        ("columns", "ALTER TABLE party ALTER COLUMN recorded_at SET DEFAULT now()"),
        ("constraints", "ALTER TABLE event DROP CONSTRAINT ck_event_status_known"),
        ("indexes", "DROP INDEX ix_event_newest"),
        ("triggers", "DROP TRIGGER append_only ON event_revision"),
        ("triggers", "ALTER TABLE event_revision DISABLE TRIGGER append_only"),
        (
            "functions",
            """
            CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN RETURN NEW; END'
            """,
        ),
    ],
)
async def test_the_fingerprint_sees_a_drift(empty_url: str, part: str, drift: str) -> None:
    before = await fingerprint(empty_url)
    await execute(empty_url, drift)
    after = await fingerprint(empty_url)
    assert before[part] != after[part]


async def test_down_leaves_nothing_and_up_again_gives_the_same(
    unmigrated_url: str, migrated_template: str
) -> None:
    nothing = await fingerprint(unmigrated_url)
    await schema.migrate(unmigrated_url)
    assert await current(unmigrated_url) == schema.newest_revision()
    await schema.migrate(unmigrated_url, "base")
    assert await fingerprint(unmigrated_url) == nothing
    await schema.migrate(unmigrated_url)
    assert await fingerprint(unmigrated_url) == await fingerprint(migrated_template)


async def test_several_starting_at_once_migrate_once(unmigrated_url: str) -> None:
    await asyncio.gather(*(schema.migrate(unmigrated_url) for _ in range(STARTERS)))
    assert await current(unmigrated_url) == schema.newest_revision()


async def test_an_unmigrated_database_is_told_apart(unmigrated_url: str, empty_url: str) -> None:
    async with Database(unmigrated_url) as database, database.reading() as connection:
        with pytest.raises(UnmigratedError, match="chancery migrate"):
            await schema.check_schema(connection)
    await execute(empty_url, "UPDATE alembic_version SET version_num = '0000'")
    async with Database(empty_url) as database, database.reading() as connection:
        with pytest.raises(UnmigratedError, match="at 0000"):
            await schema.check_schema(connection)


async def test_the_projection_refuses_words_outside_the_vocabularies(timeline_url: str) -> None:
    async with Database(timeline_url) as database, database.reading() as connection:
        rows = await connection.execute(
            text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'ck_%'")
        )
        named = {row.conname for row in rows}
    assert {f"ck_event_{word}_known" for word in ("kind", "status", "verification")} <= named
