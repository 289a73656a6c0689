"""Revisions are the truth: the projection comes out of them identical, whatever became of it."""

from sqlalchemy import text

from app.commands import rebuild as rebuilding
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import put_party
from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db import schema
from app.db.engine import Database
from app.domain.reference import PartyFacts
from tests.support.archive import random_events
from tests.support.database import execute
from tests.support.projections import projections, rebuilt

AUTHOR = Author("a test")

RETRACTION = """
    INSERT INTO event_revision (event, revision, seq, recorded_at, action, by, facts)
    SELECT event, 2, (SELECT max(seq) + 1 FROM event_revision), clock_timestamp(), 'retract',
        'a test', facts
    FROM event_revision WHERE event = 'sco-summit-astana-2024'
"""


async def fill(database: Database) -> None:
    async with database.writing() as connection:
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        await record_unseen(connection, random_events(seed=3, count=700), AUTHOR)


async def test_the_rebuilt_projection_is_identical(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await fill(database)
        before = await projections(database)
        async with database.reading() as connection:
            assert await rebuilding.count_events(connection) == 864
        assert await rebuilt(database) == 864
        assert await projections(database) == before


async def test_whatever_was_done_to_the_projection_is_put_right(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await fill(database)
        before = await projections(database)
        async with database.writing() as connection:
            for damage in (
                "DELETE FROM event WHERE regime IS NULL",
                "UPDATE event SET document = '{}', latest = 'infinity', status = 'rejected'",
                "UPDATE event_party SET country = 'XK', role = 'mentioned'",
                "DELETE FROM party_name WHERE party < 'm'",
                "UPDATE event SET words = ''",
                "DELETE FROM party_words WHERE party > 'm'",
                "UPDATE party SET name = 'Forged', country = NULL, revision = 7",
                "UPDATE regime SET issuer = 'XK', aliases = '{}'",
                "INSERT INTO party (id, kind, name, aliases) VALUES ('x', 'group', 'X', '{}')",
                "INSERT INTO regime (code, issuer, name, aliases) VALUES ('X', 'x', 'X', '{}')",
                "UPDATE event SET regime = 'X' WHERE kind = 'designation.list'",
            ):
                await connection.execute(text(damage))
        await rebuilt(database)
        assert await projections(database) == before


async def test_what_was_retracted_is_not_in_the_projection(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await fill(database)
        before = await projections(database)
        async with database.writing() as connection:
            await connection.execute(text(RETRACTION))
        await rebuilt(database)
        after = await projections(database)
    gone = {row["id"] for row in before["event"]} - {row["id"] for row in after["event"]}
    assert gone == {"sco-summit-astana-2024"}


async def test_blocs_with_other_members_are_counted_anew(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await fill(database)
        before = await projections(database)
        async with database.writing() as connection:
            assert not await schema.is_stale(connection)
            # So it lies there when another release has written it.
            await connection.execute(text("DELETE FROM event_count WHERE counted_by = 'bloc'"))
        await execute(empty_url, "UPDATE projection_state SET memberships = 'others'")
        async with database.reading() as connection:
            assert await schema.is_stale(connection)
        await rebuilt(database)
        assert await projections(database) == before
        async with database.reading() as connection:
            assert not await schema.is_stale(connection)


async def test_an_empty_register_is_rebuilt_as_well(empty_url: str) -> None:
    async with Database(empty_url) as database:
        assert await rebuilt(database) == 0


async def test_a_register_without_parties_is_rebuilt_as_well(unmigrated_url: str) -> None:
    await schema.migrate(unmigrated_url)
    async with Database(unmigrated_url) as database:
        assert await rebuilt(database) == 0
        assert (await projections(database))["party_name"] == []


async def test_another_alias_changes_names_and_no_document(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await fill(database)
        before = await projections(database)
        party = PartyFacts.model_validate(
            {
                "id": "hamas",
                "kind": "organisation",
                "name": "Hamas",
                "country": "PS",
                "aliases": ["Another alias"],
            }
        )
        async with database.writing() as connection:
            await put_party(connection, party, AUTHOR)
        after = await projections(database)
        names = {row["folded"]: row["known_to"] for row in after.pop("party_name")}
        assert names["another alias"] is None
        before.pop("party_name")
        assert len(after.pop("party")) == len(before.pop("party"))
        assert len(after.pop("party_words")) == len(before.pop("party_words")) + 1
        assert after == before
        whole = await projections(database)
        await rebuilt(database)
        assert await projections(database) == whole
