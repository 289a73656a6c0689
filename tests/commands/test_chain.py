"""The audit chain: what is recorded is linked, and what is tampered with is found."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from random import Random

import pytest
from sqlalchemy import text

from app.commands import appointment, chain, import_events
from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db.chain import LEAF, LEAVES_DIGEST
from app.db.engine import Database
from app.domain.errors import TamperedError
from app.queries import chain as chains
from app.queries import history
from tests.support.chain import UNLINKED, followed, tamper
from tests.support.database import execute
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
    async with database.reading() as connection:
        return list(await connection.scalars(text("SELECT seq FROM journal_link ORDER BY seq")))


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
    assert (found.linked, found.links, found.unlinked) == (FIRST + 5, 5, 0)
    assert await head(database) == history.Head(found.seq, found.head.hex())
    async with database.reading() as connection:
        assert await chains.count_revisions(connection) == FIRST + 5


async def test_an_empty_register_has_a_chain_that_holds(empty_url: str) -> None:
    async with Database(empty_url) as database:
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
    assert (found.linked, found.links, found.unlinked) == (FIRST + 24, 3, 0)
    await imported(database, ROWS[0] | {"title": "Corrected"})
    assert (await followed(database)).links == 3, "What changes nothing is no link."


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
    assert (found.links, found.unlinked) == (2 + WRITERS * EACH, 0)
    assert found.linked == FIRST + len(ROWS) + WRITERS * EACH


async def test_what_an_older_release_writes_is_not_linked_yet_and_then_is(
    database: Database, empty_url: str
) -> None:
    before = await head(database)
    await execute(empty_url, UNLINKED)
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (FIRST, 1, 5)
    async with database.reading() as connection:
        assert await chains.count_unlinked(connection) == 5
        assert await history.end(connection) == history.End(FIRST + 5, before)
    await edited(database)
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (FIRST + 8, 4, 0)
    async with database.reading() as connection:
        assert await chains.place_of(connection, bytes.fromhex(before.hash)) == FIRST
        assert await chains.count_unlinked(connection) == 0


async def test_what_was_recorded_before_there_was_a_chain_is_linked_in_batches(
    database: Database, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await edited(database)
    await tamper(empty_url, "DELETE FROM journal_link")
    monkeypatch.setattr(chain, "AT_ONCE", 15)
    assert await linked_again(database) == [15, 8]
    found = await followed(database)
    assert (found.linked, found.links, found.unlinked) == (FIRST + 3, 2, 0)


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


# The first link has 20 revisions, each of the three after it one; then there is a gap of numbers.
NOTED = "UPDATE event_revision SET note = 'Another note' WHERE seq = {}"
GONE = "DELETE FROM event_revision WHERE seq = {}"
UNCHAINED = "DELETE FROM journal_link WHERE seq = {}"
ADDED = """
    INSERT INTO event_revision (event, revision, seq, recorded_at, action, by, facts)
    VALUES ('added', 1, {}, now(), 'record', 'x', '{{}}')
"""
SWAPPED = """
    UPDATE event_revision one SET facts = other.facts, event = other.event || '-'
    FROM event_revision other WHERE (one.seq, other.seq) IN ((10, 15), (15, 10))
"""
RENUMBERED = "UPDATE event_revision SET seq = {1} WHERE seq = {0}"
DIGEST_FORGED = f"""
    UPDATE journal_link SET digest = (
        SELECT {LEAVES_DIGEST}
        FROM (SELECT seq, {LEAF} AS leaf FROM event_revision WHERE seq = 22) revised
    ) WHERE seq = 22
"""
HEAD_FORGED = """
    UPDATE journal_link SET head = sha256(
        (SELECT head FROM journal_link WHERE seq = 21) || int8send(seq) || digest
    ) WHERE seq = 22
"""
GAP = 1_000
LAST = 23 + GAP


async def with_a_gap(database: Database, url: str) -> None:
    await edited(database)
    await tamper(url, "DELETE FROM event", RENUMBERED.format(23, LAST), UNCHAINED.format(23))
    assert await linked_again(database) == [1]
    assert await links(database) == [20, 21, 22, LAST]


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
async def test_a_changed_revision_is_found(database: Database, empty_url: str, change: str) -> None:
    await with_a_gap(database, empty_url)
    seq = Random(change).choice([1, 7, 20, 21, 22])
    await tamper(empty_url, f"UPDATE event_revision SET {change} WHERE seq = {seq}")
    with pytest.raises(
        TamperedError, match="the numbers 1 to 20 " if seq <= 20 else f"{seq} isn't"
    ):
        await followed(database)


@pytest.mark.parametrize(
    ("statements", "where"),
    [
        ([SWAPPED], "the numbers 1 to 20 isn't"),
        ([RENUMBERED.format(*each) for each in ((10, 99), (15, 10), (99, 15))], "1 to 20 isn't"),
        ([GONE.format(7)], "the numbers 1 to 20 isn't"),
        ([GONE.format(20)], "the numbers 1 to 21 isn't"),
        ([GONE.format(21)], "the link at number 22 doesn't follow"),
        ([GONE.format(LAST)], f"goes on to number {LAST}"),
        ([ADDED.format(500)], f"the numbers 23 to {LAST} isn't"),
        ([UNCHAINED.format(21)], "the numbers 21 to 22 isn't"),
        ([GONE.format(21), UNCHAINED.format(21)], "the link at number 22 doesn't follow"),
        (["UPDATE journal_link SET digest = head WHERE seq = 21"], "number 21 isn't"),
        (["UPDATE journal_link SET head = digest WHERE seq = 21"], "at number 21 doesn't follow"),
        ([NOTED.format(22), DIGEST_FORGED], "at number 22 doesn't follow"),
        ([NOTED.format(22), DIGEST_FORGED, HEAD_FORGED], f"at number {LAST} doesn't follow"),
    ],
)
async def test_whatever_is_tampered_with_is_found(
    database: Database, empty_url: str, statements: list[str], where: str
) -> None:
    await with_a_gap(database, empty_url)
    await followed(database)
    await tamper(empty_url, *statements)
    with pytest.raises(TamperedError, match=f"(?i){where}"):
        await followed(database)


@pytest.mark.parametrize(
    "statements",
    [
        [GONE.format(LAST), UNCHAINED.format(LAST)],
        [NOTED.format(LAST), UNCHAINED.format(LAST)],
        [NOTED.format(3), "DELETE FROM journal_link"],
    ],
)
async def test_who_kept_a_head_finds_what_the_chain_alone_cant_show(
    database: Database, empty_url: str, statements: list[str]
) -> None:
    await with_a_gap(database, empty_url)
    kept = bytes.fromhex((await head(database)).hash)
    await tamper(empty_url, *statements)
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
LEAVES = (
    f'["one", 1, 7, 1700000000.123456, "record", "Ann", null, null, null, {FACTS}]',
    '["one", 2, 8, -86400.000000, "merge", "\\"B\\"", "note", "reason", "two", {}]',
)
RECORDED = """
    INSERT INTO event_revision
        (event, revision, seq, recorded_at, action, by, note, reason, merged_into, facts)
    VALUES ({}, '{}')
"""


async def test_anybody_can_compute_the_digests(empty_url: str) -> None:
    """From these words alone, so they are the same whatever the version of PostgreSQL."""
    await execute(empty_url, *(RECORDED.format(*row).replace(":", "\\:") for row in GIVEN))
    async with Database(empty_url) as database:
        assert await linked_again(database) == [2]
        found = await followed(database)
    digest = sha256(b"".join(sha256(leaf.encode()).digest() for leaf in LEAVES)).digest()
    assert found.head == sha256((8).to_bytes(8, "big") + digest).digest()
