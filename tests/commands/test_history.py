"""Random histories: what was answered on the way is answered again, whatever came afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from app.commands.correct import Outcome, patch, put
from app.commands.merge import merge
from app.commands.parties import put_party
from app.commands.record import record_unseen
from app.commands.retract import restore, retract
from app.commands.revise import Author, latest_revisions, state
from app.db.connections import ReadConnection
from app.db.engine import Database
from app.domain.reference import PartyFacts
from app.queries.events import event_document, events_page
from app.queries.filter import EventFilter
from app.queries.knowledge import Everything, Knowledge, Recorded
from app.queries.question import Question, Sort
from tests.support.archive import random_event
from tests.support.projections import check, projections, rebuilt
from tests.support.schedule import slow

AUTHOR = Author("a test", "Because.")
ANY_STATE = ("*",)
WRITES = 70
FILTERS = [
    EventFilter(),
    EventFilter(countries=("AF",)),
    EventFilter(parties=("taliban",), statuses=("in_effect", "proposed")),
    EventFilter(measures=("one-measure",), regimes=("RU-UFL", "KZ-NLTO")),
    EventFilter(text="'corrected' | '=taliban' & !'=hamas'"),
]


@dataclass
class Snapshot:
    """What was answered at an instant: lists in every order, and single events."""

    instant: datetime
    lists: list[list[str]]
    totals: list[int | None]
    events: dict[str, str | None]


@dataclass
class Editors:
    """Editors who change the register at random, and remember what they have recorded."""

    database: Database
    random: Random
    ids: list[str] = field(default_factory=list)
    number: int = 0

    async def write(self) -> None:
        acts: list[Callable[[], Awaitable[None]]] = [
            self.record,
            self.record,
            self.record,
            self.correct,
            self.correct,
            self.replace,
            self.retract_or_restore,
            self.retract_or_restore,
            self.fold,
            self.rename,
        ]
        await self.random.choice(acts if self.ids else acts[:1])()

    async def record(self) -> None:
        self.number += 1
        events = [random_event(self.random, self.number)]
        async with self.database.writing() as connection:
            await record_unseen(connection, events, AUTHOR)
        self.ids += [event.id for event in events]

    async def live_one(self, connection: ReadConnection) -> str | None:
        revisions = await latest_revisions(connection, self.ids)
        live = [revision.event for revision in revisions if revision.is_live]
        return self.random.choice(live) if live else None

    async def correct(self) -> None:
        changes = {"title": f"Corrected {self.random.random()}", "measure": None}
        async with self.database.writing() as connection:
            event = await self.live_one(connection)
            if event is not None:
                outcome = await patch(connection, event, changes, ANY_STATE, AUTHOR)
                assert outcome is Outcome.CORRECTED

    async def replace(self) -> None:
        self.number += 1
        facts = random_event(self.random, self.number).facts
        async with self.database.writing() as connection:
            event = await self.live_one(connection)
            if event is not None:
                await put(connection, event, facts, ANY_STATE, AUTHOR)

    async def retract_or_restore(self) -> None:
        async with self.database.writing() as connection:
            event = self.random.choice(self.ids)
            found = await state(connection, event)
            assert found is not None
            if found.revision.is_live:
                await retract(connection, event, ANY_STATE, AUTHOR, "Doubt.")
            elif found.revision.merged_into is None:
                await restore(connection, event, ANY_STATE, AUTHOR)

    async def fold(self) -> None:
        async with self.database.writing() as connection:
            event, into = await self.live_one(connection), await self.live_one(connection)
            if event and into and event != into:
                await merge(connection, event, into, ANY_STATE, AUTHOR)

    async def rename(self) -> None:
        state: dict[str, Any] = {"id": "KZ", "kind": "state", "country": "KZ"}
        other: dict[str, Any] = {
            "id": self.random.choice(["taliban", "hamas"]),
            "kind": self.random.choice(["organisation", "group"]),
            "country": self.random.choice(["AF", "PS", None]),
        }
        called: dict[str, Any] = {
            "name": self.random.choice(["One name", "Another name"]),
            "aliases": self.random.choice([[], ["An alias"]]),
        }
        party = PartyFacts.model_validate(self.random.choice([state, other, other]) | called)
        async with self.database.writing() as connection:
            await put_party(connection, party, AUTHOR)


async def snapshot(database: Database, ids: list[str], at: Recorded | None) -> Snapshot:
    knowledge: Knowledge = at or Everything()
    async with database.reading() as connection:
        pages = [
            await events_page(connection, Question(wanted, sort, knowledge), 1_000, with_total=True)
            for wanted in FILTERS
            for sort in Sort
            if wanted.text is not None or sort is not Sort.RELEVANCE
        ]
        events = {each: await event_document(connection, each, knowledge) for each in ids}
        now = await connection.scalar(text("SELECT clock_timestamp()"))
    return Snapshot(
        instant=at.instant if at else now,
        lists=[list(page.documents) for page in pages],
        totals=[page.total for page in pages],
        events=events,
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [0, *slow(1, 2, 3)])
async def test_every_answer_given_is_given_again_for_its_instant(
    loaded_url: str, seed: int
) -> None:
    async with Database(loaded_url) as database:
        editors = Editors(database, Random(seed))
        taken = [await snapshot(database, [], None)]
        for _ in range(WRITES):
            await editors.write()
            taken.append(await snapshot(database, editors.ids, None))
        for each in taken:
            again = await snapshot(database, list(each.events), Recorded(each.instant))
            assert again == each
        await check(database)
        before = await projections(database)
        await rebuilt(database)
        assert await projections(database) == before
        assert len(before["past_event"]) > 20
