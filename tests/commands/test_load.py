"""Loading the sample timeline: complete, sourced, and never over what is there."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import add_parties
from app.commands.revise import Author
from app.db.engine import Database
from app.db.projections import Event
from app.db.tables import EventRevision
from app.domain.document import EventDocument
from app.domain.errors import RefusedError
from app.domain.reference import PartyFacts
from app.domain.vocabulary import PartyKind
from app.queries.events import events_page
from app.queries.question import Question


def shipped() -> list[dict[str, Any]]:
    lines = (files("app") / "data" / "timeline" / "events.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines()]


async def test_everything_is_loaded_with_every_fact(empty_url: str) -> None:
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            loaded = await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        assert (loaded.events, loaded.of_events) == (164, 164)
        async with database.reading() as connection:
            found = await events_page(connection, Question(), 200)
            read = [EventDocument.model_validate_json(each) for each in found.documents]
            documents = {document.id: document for document in read}
    for stated in shipped():
        document = documents[stated["id"]].model_dump(mode="json", exclude_unset=True)
        for name in ("title", "summary", "kind", "status", "verification", "dates", "regime"):
            assert document[name] == stated[name]
        for source, given in zip(document["sources"], stated["sources"], strict=True):
            assert source.items() >= given.items()
        named = [(p["party"], p["role"], p["organ"], p["person"]) for p in stated["participants"]]
        assert [
            (p["party"], p["role"], p["organ"], p["person"]) for p in document["participants"]
        ] == named


async def test_loading_twice_changes_nothing(empty_url: str) -> None:
    async with Database(empty_url) as database:
        before = await _loaded_state(database)
        after = await _loaded_state(database)
    assert before == after
    assert len(before) == 164


async def _loaded_state(database: Database) -> list[Any]:
    async with database.writing() as connection:
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    async with database.reading() as connection:
        rows = await connection.execute(
            select(
                EventRevision.seq, EventRevision.event, EventRevision.recorded_at, Event.document
            )
            .join(Event, Event.id == EventRevision.event)
            .order_by(EventRevision.seq)
        )
        return [tuple(row) for row in rows]


async def test_a_correction_is_not_overwritten(empty_url: str) -> None:
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            await load_timeline(connection, sample(), SAMPLE_AUTHOR)
            await connection.execute(
                text("UPDATE party SET name = 'Corrected' WHERE id = 'taliban'")
            )
        async with database.writing() as connection:
            again = await load_timeline(connection, sample(), SAMPLE_AUTHOR)
            name = await connection.scalar(text("SELECT name FROM party WHERE id = 'taliban'"))
    assert name == "Corrected"
    assert (again.events, again.parties, again.regimes) == (0, 0, 0)


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        ("events", {"participants": [{"party": "nobody", "role": "actor"}]}, "no party nobody"),
        ("events", {"regime": "NO-SUCH"}, "no regime NO-SUCH"),
        ("events", {"relations": [{"type": "cites", "event": "none"}]}, "no event none"),
    ],
)
async def test_what_an_event_names_must_exist_and_else_nothing_is_loaded(
    empty_url: str, tmp_path: Path, file: str, row: dict[str, Any], message: str
) -> None:
    for name in ("parties", "regimes", "events"):
        lines = (sample() / f"{name}.jsonl").read_text(encoding="utf-8")
        if name == file:
            lines += json.dumps(shipped()[0] | {"id": "a-new-one"} | row) + "\n"
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    async with Database(empty_url) as database:
        with pytest.raises(RefusedError, match=message):
            async with database.writing() as connection:
                await load_timeline(connection, tmp_path, SAMPLE_AUTHOR)
        async with database.reading() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM event_revision")) == 0


# What the article that the project started from says, by what it is found with.
ARTICLE = [
    ("ru-suspension-bill-introduced-2024", "legislation.introduce", "proposed"),
    ("kz-taliban-delisting-2023", "designation.delist", "in_effect"),
    ("sa-kabul-resume-2024", "mission.resume_operations", "in_effect"),
    ("sa-kabul-withdraw-2021", "mission.withdraw_staff", "in_effect"),
    ("af-welcomes-saudi-resumption-2024", "statement.welcome", "commentary"),
    ("ru-putin-taliban-allies-2024", "statement.endorse", "commentary"),
    ("ru-shoigu-intends-delist-2024", "statement.intend", "signalled"),
]


@pytest.mark.parametrize(("event", "kind", "status"), ARTICLE)
def test_the_articles_own_events_are_there(event: str, kind: str, status: str) -> None:
    found = next(each for each in shipped() if each["id"] == event)
    assert (found["kind"], found["status"]) == (kind, status)
    assert all(source["quote"] for source in found["sources"])


async def test_two_who_add_the_same_party_add_it_once(empty_url: str) -> None:
    party = PartyFacts(id="a-new-one", kind=PartyKind.GROUP, name="A new one")

    async def add(database: Database) -> int:
        async with database.writing() as connection:
            return await add_parties(connection, [party], Author("a test"))

    async with Database(empty_url) as database:
        async with database.writing() as connection:
            assert await add_parties(connection, [party], Author("a test")) == 1
            # It doesn't see the party yet, and waits for the lock.
            other = asyncio.create_task(add(database))
            await asyncio.sleep(0.5)
        assert await other == 0
