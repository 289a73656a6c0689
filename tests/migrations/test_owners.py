"""Registers whose owners are no superusers, on the oldest and the newest PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from app.cli import commands
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.db import schema
from app.db.engine import Database
from app.db.rights import SHARED, WRITER_RIGHTS
from app.db.tables import Table
from tests.support.client import client_of
from tests.support.database import execute
from tests.support.editing import editor_of
from tests.support.factories import facts
from tests.support.servers import of, own, roles_of

REFUSED = "permission denied|append-only"


async def try_out(url: str) -> None:
    """Load the sample, read it, add to it, and fail to change or remove what is recorded."""
    async with Database(url) as database:
        async with database.writing() as connection:
            await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        with pytest.raises(DBAPIError, match="read-only transaction"):
            async with database.reading() as connection:
                await connection.execute(text("DELETE FROM event"))
        with pytest.raises(DBAPIError, match=REFUSED):
            async with database.writing() as connection:
                await connection.execute(text("DELETE FROM event_revision"))
    async with client_of(url) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready", "writable": True}
        assert len((await client.get("/v1/events?limit=200")).json()["items"]) == 164
    async with editor_of(url) as editor:
        assert (await editor.post("/v1/events", json=facts())).status_code == 201


async def test_two_owners_who_may_create_roles_have_a_register_each(own_server_url: str) -> None:
    first = await own(own_server_url, "first", "CREATEROLE")
    second = await own(own_server_url, "second", "CREATEROLE")
    for url, roles in ((first, SHARED), (second, ("second_reader", "second_writer"))):
        await schema.migrate(url)
        assert await roles_of(url) == roles
        await try_out(url)
        await schema.migrate(url)
    # Whoever may write one of them may not even look at the other.
    with pytest.raises(DBAPIError, match="permission denied"):
        await execute(of(own_server_url, "second", "first"), "SELECT FROM event")
    with pytest.raises(DBAPIError, match="permission denied"):
        await execute(
            of(own_server_url, "second", "first"), "SET ROLE second_writer", "SELECT FROM event"
        )


async def test_an_owner_without_roles_is_told_so_and_given_some_by_an_administrator(
    own_server_url: str,
) -> None:
    url = await own(own_server_url, "register")
    await schema.migrate(url)
    assert await roles_of(url) == ("register", "register")
    await try_out(url)
    await execute(
        own_server_url,
        "CREATE ROLE register_reader",
        "CREATE ROLE register_writer",
        "GRANT register_reader, register_writer TO register",
    )
    # They have no rights yet.
    assert await roles_of(url) == ("register", "register")
    await schema.migrate(url)
    assert await roles_of(url) == ("register_reader", "register_writer")
    with pytest.raises(DBAPIError, match="permission denied"):
        async with Database(url) as database, database.writing() as connection:
            await connection.execute(text("UPDATE event_revision SET note = 'changed'"))


async def test_a_register_of_an_older_release_keeps_its_roles(own_server_url: str) -> None:
    """There the migrations themselves made the roles and granted the rights."""
    await execute(own_server_url, *(f"CREATE ROLE {role} NOLOGIN" for role in SHARED))
    url = await own(own_server_url, "register", "CREATEROLE")
    await execute(own_server_url, f"GRANT {', '.join(SHARED)} TO register")
    await schema.migrate(url)
    assert await roles_of(url) == SHARED
    await try_out(url)


def test_every_table_has_its_rights() -> None:
    assert WRITER_RIGHTS.keys() == Table.metadata.tables.keys() | {"alembic_version"}


def test_a_service_with_all_rights_of_its_user_says_so(
    own_server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = asyncio.run(own(own_server_url, "register"))
    for url, is_said in ((register, True), (own_server_url, False)):
        monkeypatch.setenv("CHANCERY_DATABASE_URL", url)
        done = CliRunner().invoke(commands, ["migrate"])
        assert done.exit_code == 0
        assert ("README, “Rights in the database”" in done.stderr) is is_said
