"""Imports on a real database: what they do, what they leave behind, and what they make wait."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from app.commands import journal, retract, staging
from app.commands.import_events import Imported, Watch
from app.commands.merge import merge
from app.commands.parties import put_party
from app.commands.record import NewEvent, record_unseen
from app.db import suggestions
from app.db.connections import ReadConnection, WriteConnection
from app.db.engine import Database
from app.domain.errors import (
    ConflictError,
    FaultyImportError,
    NameKind,
    UnavailableError,
    UnknownName,
)
from app.domain.event import EventFacts
from app.domain.reference import PartyFacts
from tests.support.archive import random_events
from tests.support.factories import SOURCE, event, facts
from tests.support.imports import ANY, AUTHOR, everything, imported, put, stated
from tests.support.projections import projections, rebuilt

NOTHING = Imported(0, 0, 0)


@pytest.fixture
async def database(loaded_url: str) -> AsyncIterator[Database]:
    async with Database(loaded_url) as database:
        yield database


async def faults_of(database: Database, *rows: dict[str, Any]) -> FaultyImportError:
    before = await everything(database)
    with pytest.raises(FaultyImportError) as refused:
        await imported(database, *rows)
    assert await everything(database) == before
    return refused.value


async def test_events_are_recorded_corrected_or_left_alone(database: Database) -> None:
    first = [{"id": f"event-{n}", **facts()} for n in range(3)]
    assert await imported(database, *first) == Imported(3, 0, 0)
    second = [first[0], first[1] | {"title": "Another title"}, {"id": "event-3", **facts()}]
    done = await imported(database, *second)
    assert done == Imported(1, 1, 1)
    assert done.rows == 3
    before = await everything(database)
    assert await imported(database, *second) == Imported(0, 0, 3)
    assert await everything(database) == before


async def test_an_empty_file_changes_nothing(database: Database) -> None:
    assert await imported(database) == NOTHING


async def test_a_dry_run_says_what_would_be_done_and_writes_nothing(database: Database) -> None:
    await imported(database, {"id": "there", **facts()})
    before = await everything(database)
    rows = [{"id": "there", **facts(title="Else")}, {"id": "new", **facts()}]
    assert await imported(database, *rows, dry_run=True) == Imported(1, 1, 0)
    assert await everything(database) == before


async def test_the_journal_has_them_in_the_order_of_the_file(database: Database) -> None:
    async with database.reading() as connection:
        last = await connection.scalar(text("SELECT max(seq) FROM event_revision"))
    await imported(database, *({"id": name, **facts()} for name in ("zebra", "ant", "mole")))
    async with database.reading() as connection:
        rows = await connection.execute(
            text(
                "SELECT event, seq, recorded_at, by FROM event_revision WHERE seq > :last"
                " ORDER BY seq"
            ),
            {"last": last},
        )
        found = rows.all()
    assert [row.event for row in found] == ["zebra", "ant", "mole"]
    assert [row.seq for row in found] == [last + 1, last + 2, last + 3]
    assert found[0].recorded_at < found[1].recorded_at < found[2].recorded_at
    assert {row.by for row in found} == {AUTHOR.name}


async def test_a_note_is_kept_with_the_revision(database: Database) -> None:
    await imported(database, {"id": "new", **facts(), "note": "From the archive."})
    async with database.reading() as connection:
        note = await connection.scalar(text("SELECT note FROM event_revision WHERE event = 'new'"))
    assert note == "From the archive."


def unstamped(rows: Iterable[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """Return rows without ids and stamps, in the order of what the ids stand for."""
    stamps = ("recorded_at", "updated_at", "known_from", "known_to")
    plain = []
    for row in rows:
        key = "id" if "id" in row else "event"
        if row[key] not in names:
            continue
        kept = {name: value for name, value in row.items() if name not in stamps}
        kept[key] = names[row[key]]
        if "document" in kept:
            document = json.loads(kept["document"])
            assert list(document)[-3:] == ["revision", "recorded_at", "updated_at"]
            assert document["recorded_at"] == f"{row['recorded_at']:%Y-%m-%dT%H:%M:%S.%fZ}"
            assert document["updated_at"] == f"{row['updated_at']:%Y-%m-%dT%H:%M:%S.%fZ}"
            text_only = kept["document"].replace(row["id"], names[row["id"]])
            kept["document"] = text_only[: text_only.rindex(',"recorded_at"')]
        plain.append(kept)
    return sorted(plain, key=str)


async def test_imported_events_are_as_those_recorded_alone(database: Database) -> None:
    """And a rebuild makes both as they are."""
    made = random_events(7, 60)
    odd = event(
        "odd",
        title='Quotes "," and {"revision":1} – naïve',
        summary='x,"revision":9,"recorded_at":"',
        sources=[SOURCE, {"title": "T\\|", "quote": "Ü\n€"}],
    )
    made.append(odd)
    alone = {f"alone-{n}": f"n-{n}" for n in range(len(made))}
    for name, new in zip(alone, made, strict=True):
        await put(database, NewEvent(name, new.facts), "Before")
        await put(database, NewEvent(name, new.facts), new.facts.title)
    together = {f"whole-{n}": f"n-{n}" for n in range(len(made))}
    rows = [stated(new) | {"id": name} for name, new in zip(together, made, strict=True)]
    await imported(database, *(row | {"title": "Before"} for row in rows))
    await imported(database, *rows)

    found = await projections(database)
    of_parties = {"party", "regime", "party_name", "party_words"}
    for name in found.keys() - of_parties - {"event_count"}:
        assert unstamped(found[name], alone) == unstamped(found[name], together), name
        assert unstamped(found[name], together), name
    await rebuilt(database)
    assert await projections(database) == found


async def test_a_stored_document_is_what_would_be_rendered(database: Database) -> None:
    async with database.writing() as connection:
        await record_unseen(connection, [event("one")], AUTHOR)
    await imported(database, {"id": "one", **facts(regime="KZ-NLTO")})
    found = await projections(database)
    await rebuilt(database)
    assert await projections(database) == found


async def test_every_fault_is_listed_with_its_line_and_field(database: Database) -> None:
    async with database.writing() as connection:
        gone = [event("gone"), event("double"), event("single")]
        await record_unseen(connection, gone, AUTHOR)
        await retract.retract(connection, "gone", ANY, AUTHOR, "Doubt.")
        await merge(connection, "double", "single", ANY, AUTHOR)
    refused = await faults_of(
        database,
        {"id": "fine", **facts(relations=[{"type": "implements", "event": "later"}])},
        {"id": "bad", **facts(kind="no.kind", dates={"effective": "2024-13"})},
        {"id": "fine", **facts()},
        {"id": "later", **facts(regime="KZ-NLTT")},
        {"id": "gone", **facts()},
        {"id": "double", **facts()},
        {"id": "nowhere", **facts(relations=[{"type": "implements", "event": "not-there"}])},
        {"id": "self", **facts(relations=[{"type": "implements", "event": "self"}])},
        {"id": "party", **facts(participants=[{"party": "talibann", "role": "actor"}])},
        {"id": "bad", **facts(relations=[{"type": "implements", "event": "bad-too"}])},
        {"id": "bad-too", **facts(title="")},
    )
    assert [(fault.field, fault.code) for fault in refused.faults] == [
        ("line 2: kind", "enum"),
        ("line 2: dates.effective", "value_error"),
        ("line 3: id", "id_twice"),
        ("line 4: regime", "unknown_reference"),
        ("line 5: id", "retract"),
        ("line 6: id", "merge"),
        ("line 7: relations.0.event", "unknown_reference"),
        ("line 8: relations.0.event", "unknown_reference"),
        ("line 9: participants.0.party", "unknown_reference"),
        ("line 10: id", "id_twice"),
        ("line 11: title", "value_error"),
    ]
    assert refused.count == 11
    assert "Line 1 " in refused.faults[2].message
    assert refused.faults[3].suggestions[0] == "KZ-NLTO"
    assert refused.faults[8].suggestions[0] == "taliban"


async def test_a_misspelt_name_is_looked_for_once_however_many_rows_have_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = suggestions._suggest

    async def noted(connection: ReadConnection, kind: NameKind, texts: Sequence[str]) -> Any:
        asked.extend(texts)
        return await plain(connection, kind, texts)

    monkeypatch.setattr(suggestions, "_suggest", noted)
    participants = [{"party": "talibann", "role": "actor"}]
    wrong = [facts(participants=participants, regime="KZ-NLTT")] * 1_200
    rows = [{"id": f"e-{n}", **each} for n, each in enumerate(wrong)]
    refused = await faults_of(database, *rows)
    assert refused.count == 2 * len(rows)
    assert sorted(asked) == ["KZ-NLTT", "talibann"]
    assert {fault.suggestions[0] for fault in refused.faults} == {"KZ-NLTO", "taliban"}


async def test_names_are_looked_for_only_where_the_fault_is_listed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "MAX_FAULTS", 30)
    asked: list[str] = []

    async def noted(_: ReadConnection, kind: NameKind, texts: Sequence[str]) -> Any:
        asked.extend(texts)
        return {UnknownName(kind, each): () for each in texts}

    monkeypatch.setattr(suggestions, "_suggest", noted)
    rows = [
        {"id": f"e-{n}", **facts(participants=[{"party": f"nobody-{n}", "role": "actor"}])}
        for n in range(100)
    ]
    assert (await faults_of(database, *rows)).count == 100
    assert asked == [f"nobody-{n}" for n in range(30)]


async def test_a_faulty_file_costs_little_more_than_one_without_faults(
    database: Database,
) -> None:
    rows = [stated(new) for new in random_events(4, 500)]
    clean, faulty = [], []
    for _ in range(3):
        # What this process computes, whatever else the machine does.
        began = time.process_time()
        await imported(database, *rows, dry_run=True)
        clean.append(time.process_time() - began)
        began = time.process_time()
        with pytest.raises(FaultyImportError):
            await imported(database, *(misspelt(row, "talibann") for row in rows), dry_run=True)
        faulty.append(time.process_time() - began)
    assert min(faulty) < 1.5 * min(clean)


def misspelt(row: dict[str, Any], party: str) -> dict[str, Any]:
    return row | {"participants": [{"party": party, "role": "actor"}]}


async def test_of_very_many_faults_the_first_are_listed_and_all_counted(
    database: Database,
) -> None:
    refused = await faults_of(database, *({"id": "same", **facts()} for _ in range(1_600)))
    assert refused.count == 1_599
    assert len(refused.faults) == 1_000
    assert "1,599 faults" in str(refused)
    assert "first 1,000" in str(refused)


async def test_an_edit_between_staging_and_locking_is_not_overwritten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await imported(database, {"id": "edited", **facts()})
    plain = journal.lock

    async def edited_before(connection: WriteConnection) -> None:
        monkeypatch.setattr(journal, "lock", plain)
        await put(database, event("edited"), "An editor was faster")
        await plain(connection)

    monkeypatch.setattr(journal, "lock", edited_before)
    with pytest.raises(ConflictError, match="once more"):
        await imported(database, {"id": "edited", **facts(title="Late")}, {"id": "b", **facts()})
    found = {row["id"]: row for row in (await projections(database))["event"]}
    assert "An editor was faster" in found["edited"]["document"]
    assert "b" not in found


async def test_a_party_moved_between_staging_and_locking_is_not_filtered_by_its_old_country(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = journal.lock

    async def moved_before(connection: WriteConnection) -> None:
        monkeypatch.setattr(journal, "lock", plain)
        moved = {"id": "taliban", "kind": "organisation", "country": "PK", "name": "Taliban"}
        party = PartyFacts.model_validate(moved)
        async with database.writing() as other:
            await put_party(other, party, AUTHOR)
        await plain(connection)

    participants = [{"party": "KZ", "role": "actor"}, {"party": "taliban", "role": "subject"}]
    row = {"id": "new", **facts(participants=participants)}
    monkeypatch.setattr(journal, "lock", moved_before)
    with pytest.raises(ConflictError):
        await imported(database, row)
    assert await imported(database, row) == Imported(1, 0, 0)


async def test_an_import_interrupted_halfway_leaves_nothing(database: Database) -> None:
    before = await everything(database)
    rows = [stated(new) for new in random_events(1, 1_200)]
    halfway = asyncio.Event()

    async def progress(read: int) -> None:
        if read > 100_000:
            halfway.set()
            await asyncio.sleep(60)

    importing = asyncio.create_task(imported(database, *rows, watch=Watch(progress)))
    await halfway.wait()
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert await everything(database) == before
    assert await imported(database, *rows) == Imported(len(rows), 0, 0)


async def test_others_write_beside_an_import_without_waiting_long(database: Database) -> None:
    rows = [stated(new) for new in random_events(2, 5_000)]
    importing = asyncio.create_task(imported(database, *rows))
    written = 0
    while not importing.done():
        # On a busy machine one may be told to come again.
        with suppress(UnavailableError):
            await put(database, event(f"beside-{written}"), "Beside")
            written += 1
        await asyncio.sleep(0.01)
    assert await importing == Imported(5_000, 0, 0)
    assert written > 5


async def test_two_imports_of_one_file_record_it_once(database: Database) -> None:
    rows = [stated(new) for new in random_events(3, 40)]
    outcomes = await asyncio.gather(
        *(imported(database, *rows) for _ in range(3)), return_exceptions=True
    )
    done = [each for each in outcomes if isinstance(each, Imported)]
    assert sum(each.recorded for each in done) == len(rows)
    assert all(isinstance(each, Imported | ConflictError) for each in outcomes)


async def test_facts_that_were_put_alone_are_the_same_to_an_import(database: Database) -> None:
    full = EventFacts.model_validate(facts(summary="", place="Astana", measure="a-measure"))
    async with database.writing() as connection:
        await record_unseen(connection, [NewEvent("one", full)], AUTHOR)
    row = {"id": "one", **facts(place="Astana", measure="a-measure", regime=None)}
    assert await imported(database, row) == Imported(0, 0, 1)


async def test_a_row_without_an_id_is_a_fault(database: Database) -> None:
    refused = await faults_of(database, facts())
    assert [fault.field for fault in refused.faults] == ["line 1: id"]
