"""The audit chain: what is recorded is linked, and what is tampered with is found."""

import asyncio
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from random import Random

import pytest
from sqlalchemy import text

from app.commands import appointment, chain, import_events
from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db import schema
from app.db.chain import LEAVES
from app.db.engine import Database
from app.domain.errors import TamperedError
from app.queries import chain as chains
from app.queries import history
from tests.support.chain import UNLINKED, followed, tamper
from tests.support.database import TERRITORIES, execute
from tests.support.factories import event, facts
from tests.support.imports import imported, put

AUTHOR = Author("a test")
FIRST = 20
ROWS = [{"id": f"row-{number}", **facts()} for number in range(12)]
WRITERS, EACH = 8, 6


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    """A register with events that are one link."""
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            first = [event(f"event-{number}") for number in range(FIRST)]
            await record_unseen(connection, first, AUTHOR)
        yield database


async def links(database: Database) -> list[int]:
    """Return the numbers of the links, counted from those of the territories."""
    statement = "SELECT seq FROM journal_link WHERE seq > :before ORDER BY seq"
    async with database.reading() as connection:
        numbers = await connection.scalars(text(statement), {"before": TERRITORIES})
        return [number - TERRITORIES for number in numbers]


async def head(database: Database) -> history.Head:
    async with database.reading() as connection:
        found = (await history.end(connection)).head
    assert found is not None
    return found


async def linked_again(database: Database) -> list[int]:
    return [count async for count in chain.link_all(database)]


async def edited(database: Database) -> None:
    """Add links with one revision each."""
    for title in ("One", "Another", "A third"):
        await put(database, event("edited"), title)


async def test_every_transaction_is_a_link_and_the_chain_holds(database: Database) -> None:
    await edited(database)
    async with database.writing() as connection:
        await record_unseen(connection, [event("two"), event("three")], AUTHOR)
    assert await links(database) == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 5]
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (TERRITORIES + FIRST + 5, 6, 0)
    assert await head(database) == history.Head(found.seq, found.head.hex())
    async with database.reading() as connection:
        assert await chains.count_revisions(connection) == TERRITORIES + FIRST + 5


async def test_an_empty_register_has_a_chain_that_holds(unmigrated_url: str) -> None:
    await schema.migrate(unmigrated_url)
    async with Database(unmigrated_url) as database:
        found = await followed(database)
        assert (found.linked, found.links, found.head) == (0, 0, b"")
        async with database.reading() as connection:
            assert await history.end(connection) == history.End(0, None)
        assert await linked_again(database) == []


@pytest.mark.parametrize("at_once", [1_000, 10])
async def test_an_import_is_one_link(
    database: Database, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Written under the lock, and by appointment."""
    monkeypatch.setattr(import_events, "AT_ONCE", at_once)
    monkeypatch.setattr(appointment, "SOONEST_S", 1.0)
    await imported(database, *ROWS)
    await imported(database, *(row | {"title": "Corrected"} for row in ROWS))
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (TERRITORIES + FIRST + 24, 4, 0)
    await imported(database, ROWS[0] | {"title": "Corrected"})
    assert (await followed(database)).links == 4, "What changes nothing is no link."


async def test_writers_at_the_same_time_break_no_link(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_events, "AT_ONCE", 10)

    async def write(writer: int) -> None:
        for number in range(EACH):
            async with database.writing() as connection:
                await record_unseen(connection, [event(f"w-{writer}-{number}")], AUTHOR)
                # Without the lock a slow commit would let a later link overtake it.
                await asyncio.sleep(0.003 * (number % 3))

    await asyncio.gather(imported(database, *ROWS), *map(write, range(WRITERS)))
    found = await followed(database)
    assert (found.links, found.unlinked) == (3 + WRITERS * EACH, 0)
    assert found.linked == TERRITORIES + FIRST + len(ROWS) + WRITERS * EACH


async def test_what_an_older_release_writes_is_not_linked_yet_and_then_is(
    database: Database, empty_url: str
) -> None:
    before = await head(database)
    await execute(empty_url, UNLINKED)
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (TERRITORIES + FIRST, 2, 5)
    async with database.reading() as connection:
        assert await chains.count_unlinked(connection) == 5
        assert await history.end(connection) == history.End(TERRITORIES + FIRST + 5, before)
    await edited(database)
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (TERRITORIES + FIRST + 8, 5, 0)
    async with database.reading() as connection:
        assert await chains.place_of(connection, bytes.fromhex(before.hash)) == TERRITORIES + FIRST
        assert await chains.count_unlinked(connection) == 0


async def test_what_was_recorded_before_there_was_a_chain_is_linked_in_batches(
    database: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await edited(database)
    await tamper(empty_url, "DELETE FROM journal_link")
    monkeypatch.setattr(chain, "AT_ONCE", TERRITORIES + 15)
    assert await linked_again(database) == [TERRITORIES + 15, 8]
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (TERRITORIES + FIRST + 3, 2, 0)


async def test_too_much_at_once_is_left_to_those_who_come_later(
    database: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "AT_ONCE", 2)
    await execute(empty_url, UNLINKED)
    pending = []
    for write in (imported(database, *ROWS), put(database, event("one"), "One")):
        await write
        pending.append((await followed(database)).unlinked)
    assert pending == [3 + 12, 3 + 12 + 1 - 2]
    assert sum(await linked_again(database)) == pending[-1]
    assert (await followed(database)).unlinked == 0


# Numbers are written as #1, counted from what was there before the events. They have a link of 20
# and three of one revision each; then there is a gap of numbers.
NOTED = "UPDATE event_revision SET note = 'Another note' WHERE seq = {}"
GONE = "DELETE FROM event_revision WHERE seq = {}"
UNCHAINED = "DELETE FROM journal_link WHERE seq = {}"
# Added as the owner can, past the trigger that refuses numbers within the journal.
ADDED = """
    INSERT INTO event_revision (event, revision, seq, recorded_at, action, by, facts)
    VALUES ('added', 1, {}, now(), 'record', 'x', '{{}}')
"""
SWAPPED = """
    UPDATE event_revision one SET facts = other.facts, event = other.event || '-'
    FROM event_revision other WHERE (one.seq, other.seq) IN ((#10, #15), (#15, #10))
"""
RENUMBERED = "UPDATE event_revision SET seq = {1} WHERE seq = {0}"
DIGEST_FORGED = f"""
    UPDATE journal_link SET digest = sha256((
        SELECT leaf FROM ({LEAVES}) journal WHERE seq = #22
    )) WHERE seq = #22
"""
LEAVES_FORGED = f"""
    UPDATE journal_link SET leaves = (
        SELECT leaf FROM ({LEAVES}) journal WHERE seq = #22
    ) WHERE seq = #22
"""
HEAD_FORGED = """
    UPDATE journal_link SET head = sha256(
        (SELECT head FROM journal_link WHERE seq = #21) || int8send(seq) || digest
    ) WHERE seq = #22
"""
# As releases made links that didn't name the number that differs.
WITHOUT_LEAVES = "UPDATE journal_link SET leaves = NULL"
LAST = 1_023


def numbered(statement: str) -> str:
    """Return a statement with the numbers of the register."""
    return re.sub(r"#(\d+)", lambda number: str(TERRITORIES + int(number[1])), statement)


async def tamper_with(url: str, *statements: str) -> None:
    await tamper(url, *map(numbered, statements))


async def with_a_gap(database: Database, url: str) -> None:
    await edited(database)
    renumbered = RENUMBERED.format("#23", f"#{LAST}")
    await tamper_with(url, "DELETE FROM event", renumbered, UNCHAINED.format("#23"))
    assert await linked_again(database) == [1]
    assert await links(database) == [20, 21, 22, LAST]


async def find(database: Database, where: str) -> None:
    """Make sure that following the chain finds this."""
    with pytest.raises(TamperedError, match=f"(?i){numbered(where)}"):
        await followed(database)


@pytest.mark.parametrize(
    "change",
    [
        "facts = jsonb_set(facts, '{title}', '\"Another title\"')",
        "facts = facts || '{\"x\": null}'",
        "note = 'Another note'",
        "note = ''",
        "reason = 'Another reason'",
        "by = 'somebody else'",
        "action = 'restore'",
        "action = 'merge', merged_into = 'edited'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "recorded_at = 'infinity'",
        "event = 'another-event'",
        "revision = 7",
    ],
)
async def test_a_changed_revision_is_found(
    database: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(chains, "BATCH", 6)
    await with_a_gap(database, empty_url)
    seq = Random(change).choice(["#1", "#7", "#20", "#21", "#22"])
    await tamper_with(empty_url, f"UPDATE event_revision SET {change} WHERE seq = {seq}")
    await find(database, f" number {seq} isn't")
    await tamper(empty_url, WITHOUT_LEAVES)
    await find(database, " the numbers #1 to #20 isn't" if len(seq) < 3 or seq == "#20" else seq)


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        ('facts = facts || \'{"name": "Forged"}\'', 7),
        ("by = 'somebody else'", 1),
        ("recorded_at = recorded_at - interval '1 microsecond'", 3),
        ("type = 'regime'", 11),
    ],
)
async def test_a_changed_revision_of_reference_data_is_found(
    database: Database, empty_url: str, change: str, seq: int
) -> None:
    await tamper(empty_url, f"UPDATE reference_revision SET {change} WHERE seq = {seq}")
    await find(database, f" number {seq} isn't")
    await tamper(empty_url, WITHOUT_LEAVES)
    await find(database, f" the numbers 1 to {TERRITORIES} isn't")


@pytest.mark.parametrize(
    ("statements", "where"),
    [
        ([SWAPPED], "number #10 isn't"),
        (
            [RENUMBERED.format(*e) for e in (("#10", 99_999), ("#15", "#10"), (99_999, "#15"))],
            "#10 isn't",
        ),
        ([GONE.format("#7")], "number #7 isn't"),
        ([GONE.format(number) for number in ("#7", "#8", "#9")], "the numbers #7 to #9 isn't"),
        ([GONE.format("#20")], "number #20 isn't"),
        ([GONE.format("#21")], "number #21 isn't"),
        ([GONE.format(f"#{LAST}")], f"goes on to number #{LAST}"),
        ([ADDED.format("#500")], "number #500 isn't"),
        ([UNCHAINED.format("#21")], "number #21 isn't"),
        ([GONE.format("#21"), UNCHAINED.format("#21")], "the link at number #22 doesn't follow"),
        (["UPDATE journal_link SET digest = head WHERE seq = #21"], "number #21 isn't"),
        (["UPDATE journal_link SET head = digest WHERE seq = #21"], "at number #21 doesn't follow"),
        (["UPDATE journal_link SET leaves = head WHERE seq = #21"], "link at number #21 isn't"),
        ([NOTED.format("#22"), DIGEST_FORGED], "link at number #22 isn't"),
        ([NOTED.format("#22"), DIGEST_FORGED, WITHOUT_LEAVES], "at number #22 doesn't follow"),
        ([NOTED.format("#22"), DIGEST_FORGED, LEAVES_FORGED], "at number #22 doesn't follow"),
        (
            [NOTED.format("#22"), DIGEST_FORGED, LEAVES_FORGED, HEAD_FORGED],
            f"at number #{LAST} doesn't follow",
        ),
        ([NOTED.format("#7"), WITHOUT_LEAVES], "the numbers #1 to #20 isn't"),
    ],
)
async def test_whatever_is_tampered_with_is_found(
    database: Database, empty_url: str, statements: list[str], where: str
) -> None:
    await with_a_gap(database, empty_url)
    await followed(database)
    await tamper_with(empty_url, *statements)
    await find(database, where)


@pytest.mark.parametrize(
    "statements",
    [
        [GONE.format(f"#{LAST}"), UNCHAINED.format(f"#{LAST}")],
        [NOTED.format(f"#{LAST}"), UNCHAINED.format(f"#{LAST}")],
        [NOTED.format("#3"), "DELETE FROM journal_link"],
    ],
)
async def test_who_kept_a_head_finds_what_the_chain_alone_cant_show(
    database: Database, empty_url: str, statements: list[str]
) -> None:
    await with_a_gap(database, empty_url)
    kept = bytes.fromhex((await head(database)).hash)
    await tamper_with(empty_url, *statements)
    await linked_again(database)
    await followed(database)
    async with database.reading() as connection:
        assert await chains.place_of(connection, kept) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_link SET seq = 1",
        "DELETE FROM journal_link",
        "TRUNCATE journal_link",
    ],
)
async def test_links_take_no_change(database: Database, empty_url: str, statement: str) -> None:
    with pytest.raises(Exception, match="append-only"):
        await execute(empty_url, statement)
    assert await links(database) == [FIRST]


# Shorter keys come first, a number keeps its zeros, and the text is UTF-8.
FACTS = '{"a": 1.50, "bb": "ключ\\n", "ccc": {"é": [null, true]}}'
GIVEN = (
    ("'one', 1, 7, '2023-11-14T22:13:20.123456Z', 'record', 'Ann', NULL, NULL, NULL", FACTS),
    ("'one', 2, 8, '1969-12-31T00:00:00Z', 'merge', '\"B\"', 'note', 'reason', 'two'", "{}"),
)
REFERENCE_FACTS = '{"kind": "group", "name": "Ключ", "aliases": []}'
LEAF_TEXTS = (
    f'["one", 1, 7, 1700000000.123456, "record", "Ann", null, null, null, {FACTS}]',
    '["one", 2, 8, -86400.000000, "merge", "\\"B\\"", "note", "reason", "two", {}]',
    f'["party", "a", 1, 9, 0.000001, "record", "Ann", "note", null, {REFERENCE_FACTS}]',
)
RECORDED = """
    INSERT INTO event_revision
        (event, revision, seq, recorded_at, action, by, note, reason, merged_into, facts)
    VALUES ({}, '{}')
"""
REFERENCE_RECORDED = f"""
    INSERT INTO reference_revision
        (type, id, revision, seq, recorded_at, action, by, note, facts)
    VALUES ('party', 'a', 1, 9, '1970-01-01T00:00:00.000001Z', 'record', 'Ann', 'note',
        '{REFERENCE_FACTS}')
"""


async def test_anybody_can_compute_the_digests(unmigrated_url: str) -> None:
    """From these words alone, so they are the same whatever the version of PostgreSQL."""
    await schema.migrate(unmigrated_url)
    recorded = [*(RECORDED.format(*row) for row in GIVEN), REFERENCE_RECORDED]
    await execute(unmigrated_url, *(each.replace(":", "\\:") for each in recorded))
    async with Database(unmigrated_url) as database:
        assert await linked_again(database) == [3]
        found = await followed(database)
    digest = sha256(b"".join(sha256(leaf.encode()).digest() for leaf in LEAF_TEXTS)).digest()
    assert found.head == sha256((9).to_bytes(8, "big") + digest).digest()
