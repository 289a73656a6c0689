"""What is read is compared with what the revisions make, and rebuilt where it differs."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.commands import projection_rows
from app.commands.correct import patch
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import put_party
from app.commands.projection_rows import count_ids
from app.commands.regimes import put_regime
from app.commands.retract import retract
from app.commands.revise import Author
from app.db import schema
from app.db.engine import Database
from app.domain.errors import TamperedError
from app.domain.reference import PartyFacts, RegimeFacts
from tests.support.chain import tamper
from tests.support.database import cloned
from tests.support.projections import check, rebuilt

AUTHOR = Author("a test")
ANY_STATE = ("*",)
CORRECTED = "kz-taliban-delisting-2023"
RETRACTED = "sco-summit-astana-2024"
TALIBAN = {
    "id": "taliban",
    "kind": "organisation",
    "name": "Taliban",
    "aliases": ["Taliban movement"],
}
REGIME = {"code": "KZ-NLTO", "issuer": "KZ", "name": "Another name"}


@pytest.fixture(scope="module")
def history_url(server_url: str, migrated_template: str) -> Iterator[str]:
    """Address of the sample timeline with corrections of every sort; it is only cloned."""
    with cloned(server_url, migrated_template) as url:
        asyncio.run(revise(url))
        yield url


@pytest.fixture
def register_url(server_url: str, history_url: str) -> Iterator[str]:
    with cloned(server_url, history_url) as url:
        yield url


async def revise(url: str) -> None:
    async with Database(url) as database:
        async with database.writing() as connection:
            await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        for title in ("One title", "Another title"):
            async with database.writing() as connection:
                await patch(connection, CORRECTED, {"title": title}, ANY_STATE, AUTHOR)
        async with database.writing() as connection:
            await retract(connection, RETRACTED, ANY_STATE, AUTHOR, "Doubt.")
        # It belongs to no country any more, and then is called otherwise.
        for aliases in ([], ["Taliban movement"]):
            party = PartyFacts.model_validate(TALIBAN | {"aliases": aliases})
            async with database.writing() as connection:
                await put_party(connection, party, AUTHOR)
        async with database.writing() as connection:
            await put_regime(connection, RegimeFacts.model_validate(REGIME), AUTHOR)


async def number_of(database: Database, revision: str) -> int:
    """Return the number of the revision that is described as `event ID REVISION`."""
    type_, id_, which = revision.split()
    table, key = ("event_revision", "event") if type_ == "event" else ("reference_revision", "id")
    statement = f"SELECT seq FROM {table} WHERE {key} = :id AND revision = :revision"
    async with database.reading() as connection:
        found = await connection.execute(text(statement), {"id": id_, "revision": int(which)})
        number: int = found.scalar_one()
        return number


@pytest.mark.parametrize("batch", [7, 500])
async def test_an_intact_register_is_as_its_revisions_make_it(
    register_url: str, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(projection_rows, "BATCH", batch)
    async with Database(register_url) as database:
        async with database.reading() as connection:
            total = await count_ids(connection)
        assert sum(await check(database)) == total > 164


async def test_a_register_without_anything_is_as_its_revisions_make_it(
    unmigrated_url: str,
) -> None:
    await schema.migrate(unmigrated_url)
    async with Database(unmigrated_url) as database:
        assert await check(database) == [0, 0, 0]


# Rows that no key allows, as the owner can add them.
UNCHECKED = """
    DO $$ BEGIN SET LOCAL session_replication_role = replica; INSERT INTO {0}
        SELECT (jsonb_populate_record({0}, '{{"{1}"\\: "forged"}}')).* FROM {0} LIMIT 1;
    END $$
"""
CHANGED = "isn't as number {} makes it"
MISSING = "which number {} makes, is missing"
EXTRA = "has no revision behind it"
LATEST = f"event {CORRECTED} 3"
# Each with the row that is named, the revision whose number is named, and what is said of it.
FORGERIES = [
    (
        "UPDATE event SET document = replace(document, 'Another title', 'Forged')",
        (f"event (id {CORRECTED})", LATEST, CHANGED),
    ),
    (
        f"UPDATE event SET words = to_tsvector('forged') WHERE id = '{CORRECTED}'",
        (f"event (id {CORRECTED})", LATEST, CHANGED),
    ),
    (
        f"UPDATE event SET effective = NULL WHERE id = '{CORRECTED}'",
        (f"event (id {CORRECTED})", LATEST, CHANGED),
    ),
    (
        f"UPDATE event SET latest = 'infinity' WHERE id = '{CORRECTED}'",
        (f"event (id {CORRECTED})", LATEST, CHANGED),
    ),
    (
        f"DELETE FROM event WHERE id = '{CORRECTED}'",
        (f"event (id {CORRECTED})", LATEST, MISSING),
    ),
    (UNCHECKED.format("event", "id"), ("event (id forged)", None, EXTRA)),
    (UNCHECKED.format("event_party", "event"), ("event_party (event forged, ", None, EXTRA)),
    (
        f"UPDATE event_party SET country = 'XK' WHERE event = '{CORRECTED}' AND position = 0",
        (f"event_party (event {CORRECTED}, position 0)", LATEST, CHANGED),
    ),
    (
        f"DELETE FROM event_party WHERE event = '{CORRECTED}' AND position = 1",
        (f"event_party (event {CORRECTED}, position 1)", LATEST, MISSING),
    ),
    (
        f"UPDATE event_pair SET verification = 'claimed' WHERE event = '{CORRECTED}'",
        (f"event_pair (event {CORRECTED}, actor KZ, subject taliban)", LATEST, CHANGED),
    ),
    (
        f"UPDATE past_event SET document = '{{}}' WHERE id = '{CORRECTED}' AND revision = 2",
        (f"past_event (id {CORRECTED}, known_from ", f"event {CORRECTED} 2", CHANGED),
    ),
    (
        f"DELETE FROM past_event WHERE id = '{RETRACTED}'",
        (f"past_event (id {RETRACTED}, known_from ", f"event {RETRACTED} 1", MISSING),
    ),
    (
        f"""
        INSERT INTO past_event
        SELECT (jsonb_populate_record(past_event, '{{"known_from": "1999-12-31"}}')).*
        FROM past_event WHERE id = '{RETRACTED}'
        """,
        (f"past_event (id {RETRACTED}, known_from 1999-12-31", None, EXTRA),
    ),
    (
        f"UPDATE past_event_party SET role = 'mentioned' WHERE event = '{RETRACTED}'",
        (f"event {RETRACTED}, known_from", f"event {RETRACTED} 1", CHANGED),
    ),
    (
        f"""
        UPDATE past_event_pair SET verification = 'claimed' WHERE event = '{CORRECTED}'
        AND known_from = (SELECT min(known_from) FROM past_event WHERE id = '{CORRECTED}')
        """,
        (f"past_event_pair (event {CORRECTED}, ", f"event {CORRECTED} 1", CHANGED),
    ),
    (
        "UPDATE party SET name = 'Forged' WHERE id = 'taliban'",
        ("party (id taliban)", "party taliban 3", CHANGED),
    ),
    (
        "UPDATE party SET recorded_at = 'infinity' WHERE id = 'KZ'",
        ("party (id KZ)", "party KZ 1", CHANGED),
    ),
    (
        "INSERT INTO party (id, kind, name, aliases) VALUES ('forged', 'group', 'Forged', '{}')",
        ("party (id forged)", None, EXTRA),
    ),
    (
        "INSERT INTO party (id, kind, name, aliases) VALUES ('', 'group', 'Forged', '{}')",
        ("party (id )", None, EXTRA),
    ),
    (
        "UPDATE regime SET removal = 'Forged' WHERE code = 'KZ-NLTO'",
        ("regime (code KZ-NLTO)", "regime KZ-NLTO 2", CHANGED),
    ),
    (
        "INSERT INTO regime (code, issuer, name, aliases) VALUES ('XX', 'KZ', 'Forged', '{}')",
        ("regime (code XX)", None, EXTRA),
    ),
    (
        "INSERT INTO party_name VALUES ('forged', 'taliban', '0001-01-01T00\\:00\\:00Z', NULL)",
        ("party_name (folded forged, party taliban, known_from 0001-01-01", None, EXTRA),
    ),
    (
        "DELETE FROM party_name WHERE folded = 'taliban movement' AND known_to IS NULL",
        ("party_name (folded taliban movement, party taliban", "party taliban 3", MISSING),
    ),
    (
        "UPDATE party_words SET words = '' WHERE party = 'taliban' AND known_to IS NULL",
        ("party_words (party taliban, known_from", "party taliban 3", CHANGED),
    ),
]


@pytest.mark.parametrize(("forgery", "expected"), FORGERIES)
async def test_whatever_was_done_to_a_projection_is_found_and_rebuilt(
    register_url: str, forgery: str, expected: tuple[str, str | None, str]
) -> None:
    row, revision, fault = expected
    async with Database(register_url) as database:
        await tamper(register_url, forgery)
        with pytest.raises(TamperedError) as raised:
            await check(database)
        number = None if revision is None else await number_of(database, revision)
        assert row in str(raised.value)
        assert fault.format(number) in str(raised.value)
        assert str(raised.value).endswith(" `chancery rebuild` makes all of it anew.")
        await rebuilt(database)
        await check(database)


@pytest.mark.parametrize(
    ("forgery", "expected"),
    [
        (
            "UPDATE event_count SET events = events + 1 WHERE counted_by = 'total'",
            "event_count (total, ) is 164 where 163 are counted",
        ),
        (
            "INSERT INTO event_count VALUES ('party', 'forged', 1000)",
            "event_count (party, forged) is 1,000 where 0 are counted",
        ),
        (
            "DELETE FROM event_count WHERE counted_by = 'bloc' AND value = 'BRICS'",
            "event_count (bloc, BRICS) is 0 where ",
        ),
    ],
)
async def test_forged_counts_are_found_and_rebuilt(
    register_url: str, forgery: str, expected: str
) -> None:
    async with Database(register_url) as database:
        await tamper(register_url, forgery)
        with pytest.raises(TamperedError) as raised:
            await check(database)
        assert expected in str(raised.value)
        await rebuilt(database)
        await check(database)


async def test_the_first_number_is_named_of_many_differences(register_url: str) -> None:
    async with Database(register_url) as database:
        await tamper(
            register_url,
            "UPDATE event_count SET events = 7",
            "UPDATE party SET kind = 'group' WHERE id IN ('taliban', 'hamas')",
            "UPDATE event SET document = '{}'",
        )
        with pytest.raises(
            TamperedError, match=r"This is the first of [0-9,]+ differences"
        ) as raised:
            await check(database)
        first = await number_of(database, "party hamas 1")
        assert f"party (id hamas) isn't as number {first} makes it" in str(raised.value)


@pytest.mark.parametrize(
    ("statements", "expected", "revision"),
    [
        (
            ["DELETE FROM reference_revision WHERE id = 'hamas'"],
            "names the party hamas, which",
            None,
        ),
        (
            ["DELETE FROM reference_revision WHERE id = 'KZ-NLTO'"],
            "names the regime KZ-NLTO, which",
            None,
        ),
        (
            [
                f"""
                UPDATE event_revision SET facts = '{{}}'
                WHERE event = '{CORRECTED}' AND revision = 2
                """
            ],
            "What number {} of the journal holds can't be read",
            f"event {CORRECTED} 2",
        ),
        (
            ["UPDATE reference_revision SET facts = '{}' WHERE id = 'KZ-NLTO' AND revision = 2"],
            "What number {} of the journal holds can't be read",
            "regime KZ-NLTO 2",
        ),
        (
            ["UPDATE reference_revision SET facts = '{}' WHERE id = 'hamas'"],
            "What number {} of the journal holds can't be read",
            "party hamas 1",
        ),
    ],
)
async def test_revisions_that_make_nothing_are_named(
    register_url: str, statements: list[str], expected: str, revision: str | None
) -> None:
    async with Database(register_url) as database:
        await tamper(register_url, *statements)
        number = None if revision is None else await number_of(database, revision)
        for work in (check, rebuilt):
            with pytest.raises(TamperedError, match=expected.format(number)):
                await work(database)


async def test_a_changed_revision_of_a_party_is_no_projections_fault(register_url: str) -> None:
    """The audit chain tells; what is rebuilt then shows what was forged."""
    async with Database(register_url) as database:
        await tamper(
            register_url,
            """UPDATE reference_revision SET facts = facts || '{"name"\\: "Forged"}'
            WHERE id = 'hamas'""",
        )
        with pytest.raises(TamperedError, match=r"party \(id hamas\) isn't as number"):
            await check(database)


async def test_it_is_compared_beside_those_who_write(register_url: str) -> None:
    async with Database(register_url) as database:

        async def write(stopped: asyncio.Event) -> int:
            number = 0
            while not stopped.is_set():
                number += 1
                async with database.writing() as connection:
                    changes = {"title": f"Title {number}"}
                    await patch(connection, CORRECTED, changes, ANY_STATE, AUTHOR)
                party = PartyFacts.model_validate(TALIBAN | {"name": f"Name {number}"})
                async with database.writing() as connection:
                    await put_party(connection, party, AUTHOR)
            return number

        stopped = asyncio.Event()
        writing = asyncio.create_task(write(stopped))
        compared = [sum(await check(database)) for _ in range(3)]
        stopped.set()
        assert await writing > 1
        assert len(set(compared)) == 1
