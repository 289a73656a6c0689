"""A register of the release before, whose parties and regimes weren't in the journal yet."""

from typing import Any

from sqlalchemy import text

from app.commands.chain import link_all
from app.db import schema
from app.db.engine import Database
from tests.support.chain import followed
from tests.support.client import client_of
from tests.support.database import execute
from tests.support.editing import editor_of, turbulence
from tests.support.projections import projections, rebuilt

BEFORE = "0012"
RENAMED = (
    """
    INSERT INTO party_revision
    SELECT party, revision + 1, clock_timestamp(), 'an editor', 'So called.', 'Renamed again', kind,
        country, aliases
    FROM party_revision WHERE party = 'taliban' ORDER BY revision DESC LIMIT 1
    """,
    "UPDATE party SET name = 'Renamed again' WHERE id = 'taliban'",
)


async def events_of(url: str) -> list[Any]:
    async with Database(url) as database, database.reading() as connection:
        rows = await connection.execute(text("SELECT * FROM event_revision ORDER BY seq"))
        return [tuple(row) for row in rows]


async def upgraded(url: str) -> None:
    """Do what `chancery migrate` does."""
    await schema.migrate(url)
    async with Database(url) as database:
        async with database.reading() as connection:
            assert await schema.is_stale(connection)
        await rebuilt(database)
        async for _ in link_all(database):
            pass
        await followed(database)


async def test_what_was_recorded_of_parties_is_appended_to_the_journal(loaded_url: str) -> None:
    async with editor_of(loaded_url) as editor:
        await turbulence(editor)
    events = await events_of(loaded_url)
    await schema.migrate(loaded_url, BEFORE)
    await execute(loaded_url, *RENAMED)
    await upgraded(loaded_url)
    # Numbers that were given stay; what is appended follows the order of time.
    assert await events_of(loaded_url) == events
    async with client_of(loaded_url) as client:
        page = (await client.get("/v1/changes", params={"since": events[-1][2]})).json()
        found = page["items"]
        while page["items"]:
            page = (await client.get(page["next"])).json()
            found += page["items"]
        taliban = [each for each in found if each["id"] == "taliban"]
        assert {each["type"] for each in found} == {"party", "regime"}
        assert [each["recorded_at"] for each in found] == sorted(
            each["recorded_at"] for each in found
        )
        assert [(each["revision"], each["action"]) for each in taliban] == [
            (1, "record"),
            (2, "correct"),
            (3, "correct"),
        ]
        assert taliban[-1]["document"]["name"] == "Renamed again"
        listed = (await client.get("/v1/events", params={"party": "taliban"})).json()["items"]
        assert all("Renamed again" in str(each["participants"]) for each in listed)
        then = {"party": "taliban", "known_at": taliban[1]["recorded_at"]}
        known = (await client.get("/v1/events", params=then)).json()["items"]
        assert all("'Renamed'" in str(each["participants"]) for each in known)


async def test_down_and_up_again_is_what_it_was(loaded_url: str) -> None:
    async with editor_of(loaded_url) as editor:
        await turbulence(editor)
    async with Database(loaded_url) as database:
        before = await projections(database)
    await schema.migrate(loaded_url, BEFORE)
    await upgraded(loaded_url)
    async with Database(loaded_url) as database:
        assert await projections(database) == before
