"""Large imports, which write by appointment: beside others who read, write and import as well."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from app.commands import appointment, import_events, journal, staged
from app.commands.import_events import Imported, Watch
from app.commands.journal import Place
from app.commands.parties import put_party
from app.db.connections import WriteConnection
from app.db.engine import Database
from app.domain.errors import BusyError, ConflictError, UnavailableError
from app.domain.reference import PartyFacts
from app.queries import history
from app.queries.events import events_page
from app.queries.filter import EventFilter
from app.queries.knowledge import Recorded
from app.queries.question import Question, Sort
from tests.support.archive import random_events
from tests.support.database import execute
from tests.support.factories import event, facts
from tests.support.imports import AUTHOR, everything, imported, put, stated
from tests.support.projections import projections, rebuilt

ROWS = [{"id": f"event-{number}", **facts()} for number in range(30)]
DONE = Imported(len(ROWS), 0, 0)
WAITING = text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
CORRECTED = [row | {"title": "Another title"} for row in ROWS]


@pytest.fixture
async def database(loaded_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A register with the sample timeline, to which a few rows are many."""
    monkeypatch.setattr(import_events, "AT_ONCE", 10)
    monkeypatch.setattr(appointment, "SOONEST_S", 1.5)
    async with Database(loaded_url) as database:
        yield database


def when_written(act: Callable[[], Awaitable[None]]) -> Watch:
    """Return what acts once, after the rows were written and before their instant."""
    calls = 0

    async def progress(_: int) -> None:
        nonlocal calls
        calls += 1
        # A batch has been read, the file is at its end, the rows are written.
        if calls == 3:
            await act()

    return Watch(progress)


async def numbers(database: Database) -> list[tuple[int, Any, str]]:
    async with database.reading() as connection:
        statement = """
            SELECT seq, recorded_at, event FROM event_revision
            UNION ALL SELECT seq, recorded_at, id FROM reference_revision ORDER BY seq
        """
        return [tuple(row) for row in await connection.execute(text(statement))]


async def test_what_is_written_by_appointment_is_as_a_rebuild_makes_it(database: Database) -> None:
    made = [stated(new) for new in random_events(7, 60)]
    before = await numbers(database)
    assert await imported(database, *made) == Imported(60, 0, 0)
    await imported(database, *({**row, "title": "Corrected"} for row in made[:40]))
    found = await numbers(database)
    assert [seq for seq, *_ in found[-40:]] == list(range(found[-40][0], found[-1][0] + 1))
    assert found[len(before)][0] > before[-1][0] + appointment.GAP
    assert [each for *_, each in found[-40:]] == [row["id"] for row in made[:40]]
    assert all(one[1] < other[1] for one, other in pairwise(found))
    read = await projections(database)
    assert await rebuilt(database) > 60
    assert await projections(database) == read
    again = [*({**row, "title": "Corrected"} for row in made[:40]), *made[40:]]
    assert await imported(database, *again) == Imported(0, 0, 60)
    assert await numbers(database) == found


async def beside(database: Database, written: list[str], enough: asyncio.Event) -> None:
    """Write one event after the other; on a busy machine one may be told to come again."""
    while not enough.is_set():
        with suppress(UnavailableError):
            await put(database, event(f"beside-{len(written)}"), "Beside")
            written.append(f"beside-{len(written)}")
        await asyncio.sleep(0.02)


async def poll(database: Database, seen: list[int], ended: asyncio.Event) -> None:
    """Follow the journal as its readers do, to its end."""
    while True:
        # What is looked at after the end must have been begun after it.
        is_last = ended.is_set()
        async with database.reading() as connection:
            rows = await history.changes(connection, seen[-1] if seen else 0, 200)
        seen += [change.row.seq for change in rows]
        if is_last and not rows:
            return
        await asyncio.sleep(0.01)


async def answer(database: Database, instant: Any) -> tuple[list[str], int | None]:
    question = Question(EventFilter(), Sort.NEWEST, Recorded(instant))
    async with database.reading() as connection:
        page = await events_page(connection, question, 5_000, with_total=True)
    return list(page.documents), page.total


async def ask(database: Database, answers: list[tuple[Any, Any]], enough: asyncio.Event) -> None:
    """Ask again and again what is known at the moment."""
    while not enough.is_set():
        async with database.reading() as connection:
            now = await connection.scalar(text("SELECT clock_timestamp()"))
        with suppress(UnavailableError):
            answers.append((now, await answer(database, now)))
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("title", ["New", "Corrected"])
async def test_nobody_misses_a_change_or_is_told_two_pasts(database: Database, title: str) -> None:
    rows = [stated(new) | {"title": title} for new in random_events(2, 1_500)]
    if title == "Corrected":
        await imported(database, *(row | {"title": "Before"} for row in rows))
    written: list[str] = []
    seen: list[int] = []
    answers: list[tuple[Any, Any]] = []
    enough, ended = asyncio.Event(), asyncio.Event()
    polling = asyncio.create_task(poll(database, seen, ended))
    others = [
        asyncio.create_task(beside(database, written, enough)),
        asyncio.create_task(ask(database, answers, enough)),
    ]
    assert (await imported(database, *rows)).unchanged == 0
    await asyncio.sleep(0.5)
    assert not any(each.done() for each in others)
    # They finish what they are at: a write that is cancelled may be committed all the same, later.
    enough.set()
    await asyncio.gather(*others)
    ended.set()
    await polling
    assert len(written) > 5
    assert seen == [seq for seq, *_ in await numbers(database)]
    assert len({total for _, (_, total) in answers}) > 1
    for instant, given in answers:
        assert await answer(database, instant) == given


async def test_who_edits_what_is_being_imported_is_put_off_and_others_are_not(
    database: Database,
) -> None:
    await imported(database, *ROWS)

    async def edit() -> None:
        for name in ("event-1", "beside", "event-2"):
            try:
                await put(database, event(name), "An editor's title")
            except UnavailableError:
                assert name != "beside"
            else:
                assert name == "beside"

    assert await imported(database, *CORRECTED, watch=when_written(edit)) == Imported(0, 30, 0)
    documents = {row["id"]: row["document"] for row in (await projections(database))["event"]}
    assert "Another title" in documents["event-1"]
    assert "An editor's title" in documents["beside"]


async def test_who_waits_under_the_lock_does_not_end_the_import_as_a_deadlock(
    database: Database,
) -> None:
    """The other holds the journal's lock and wants a row of ours, which waits for that lock."""
    put_off: list[float] = []

    async def hold() -> None:
        async with database.writing() as connection:
            await journal.lock(connection)
            for _ in range(200):
                if await connection.scalar(WAITING):
                    break
                await asyncio.sleep(0.01)
            began = time.monotonic()
            try:
                await connection.execute(
                    text(
                        "INSERT INTO event_revision (event, revision, seq, recorded_at, action, by,"
                        " facts) VALUES ('event-3', 1, 5000, now(), 'record', 'x', '{}')"
                    )
                )
            finally:
                put_off.append(time.monotonic() - began)

    holding: list[asyncio.Task[None]] = []

    async def begin() -> None:
        holding.append(asyncio.create_task(hold()))

    assert await imported(database, *ROWS, watch=when_written(begin)) == DONE
    with pytest.raises(UnavailableError):
        await holding[0]
    assert 0.2 < put_off[0] < 1


@pytest.mark.parametrize("name", ["event-1", "event-29"])
async def test_an_import_yields_to_who_was_faster(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """An edit or a record of the same id between the comparison and the writing."""
    await imported(database, *ROWS[:20])
    later_place = journal.later_place

    async def after_another(connection: WriteConnection, *given: Any) -> Place:
        await put(database, event(name), "An editor was faster")
        return await later_place(connection, *given)

    monkeypatch.setattr(journal, "later_place", after_another)
    with pytest.raises(ConflictError, match="again"):
        await imported(database, *CORRECTED)
    documents = {row["id"]: row["document"] for row in (await projections(database))["event"]}
    assert "An editor was faster" in documents[name]
    assert not any("Another title" in document for document in documents.values())


async def move(database: Database) -> None:
    moved = {"id": "taliban", "kind": "organisation", "country": "PK", "name": "Taliban"}
    party = PartyFacts.model_validate(moved)
    async with database.writing() as connection:
        await put_party(connection, party, AUTHOR)


@pytest.mark.parametrize("what", ["event", "party"])
async def test_a_file_that_is_out_of_date_by_its_instant_is_not_written(
    database: Database, what: str
) -> None:
    """A row that is there as it is, and a country that is filtered by."""
    participants = [{"party": "KZ", "role": "actor"}, {"party": "taliban", "role": "subject"}]
    rows = [row | {"participants": participants} for row in ROWS]
    await imported(database, rows[0])

    async def change() -> None:
        if what == "event":
            await put(database, event("event-0"), "An editor was faster")
        else:
            await move(database)

    with pytest.raises(ConflictError, match="once more"):
        await imported(database, *rows, watch=when_written(change))
    assert len([each for *_, each in await numbers(database) if each == "event-5"]) == 0


async def test_one_large_import_is_written_at_a_time(database: Database) -> None:
    async def another() -> None:
        with pytest.raises(BusyError, match="Something large"):
            await imported(database, *CORRECTED)
        assert await imported(database, {"id": "few", **facts()}) == Imported(1, 0, 0)

    assert await imported(database, *ROWS, watch=when_written(another)) == DONE


async def test_an_appointment_that_was_missed_is_made_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[Place] = []
    write = staged.write

    async def slow(connection: WriteConnection, author: Any, place: Place, **given: Any) -> bytes:
        digest = await write(connection, author, place, **given)
        attempts.append(place)
        if len(attempts) == 1:
            await asyncio.sleep(1.6)
        return digest

    monkeypatch.setattr(staged, "write", slow)
    assert await imported(database, *ROWS) == DONE
    first, second = attempts
    assert second.recorded_at > first.recorded_at
    found = await numbers(database)
    assert [seq for seq, *_ in found[-30:]] == list(range(second.seq, second.seq + 30))


async def test_a_lock_that_comes_too_late_is_asked_for_again(database: Database) -> None:
    async def hold() -> None:
        async with database.writing() as connection:
            await journal.lock(connection)
            await asyncio.sleep(1.8)

    holding: list[asyncio.Task[None]] = []

    async def begin() -> None:
        holding.append(asyncio.create_task(hold()))

    assert await imported(database, *ROWS, watch=when_written(begin)) == DONE
    await holding[0]


async def test_nothing_is_written_before_what_others_have_written(
    database: Database, loaded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set back, so the newest change is of the future."""
    monkeypatch.setattr(appointment, "ATTEMPTS", 1)
    await execute(
        loaded_url,
        "INSERT INTO event_revision (event, revision, seq, recorded_at, action, by, facts)"
        " VALUES ('later', 1, 5000, now() + interval '1 hour', 'record', 'x', '{}')",
    )
    before = await everything(database)
    with pytest.raises(BusyError, match="later"):
        await imported(database, *ROWS)
    assert await everything(database) == before


async def test_a_clock_that_was_set_back_is_not_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither before the lock is taken nor under it."""
    plain, late = appointment._SECONDS_UNTIL, "(clock_timestamp() - interval '1 hour')"

    async def set_back() -> None:
        monkeypatch.setattr(appointment, "_SECONDS_UNTIL", plain.replace("clock_timestamp()", late))

    monkeypatch.setattr(appointment, "ATTEMPTS", 1)
    with pytest.raises(BusyError):
        await imported(database, *ROWS, watch=when_written(set_back))
    async with database.writing() as connection:
        place = await journal.next_place(connection)
        with pytest.raises(appointment.MissedError):
            await appointment._pass(connection, place)
        monkeypatch.setattr(appointment, "_SECONDS_UNTIL", plain)
        await appointment._pass(connection, place.plus(100_000))
        assert (await journal.next_place(connection)).recorded_at > place.plus(100_000).recorded_at


@pytest.mark.parametrize("moment", ["written", "writing"])
async def test_an_import_that_is_stopped_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    before = await everything(database)
    reached = asyncio.Event()

    async def stop_here() -> None:
        reached.set()
        await asyncio.sleep(60)

    if moment == "writing":
        monkeypatch.setattr(staged, "_PARTIES", "SELECT pg_sleep(60)")
        asyncio.get_running_loop().call_later(1, reached.set)
    importing = asyncio.create_task(imported(database, *ROWS, watch=when_written(stop_here)))
    await reached.wait()
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert await everything(database) == before
    monkeypatch.undo()
    assert await imported(database, *ROWS) == DONE
