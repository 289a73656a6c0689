"""Invented events are what they would be had they been recorded one by one."""

import json
from datetime import UTC, datetime

import pytest

from app.commands import demo as demo_module
from app.commands.demo import DEMO_AUTHOR, demo
from app.commands.journal import Place
from app.commands.names import BEFORE_ALL
from app.commands.record import record_unseen
from app.db.copying import vacuum
from app.db.engine import Database
from app.db.projections import Event, PastEvent
from app.db.tables import EventRevision
from app.domain import invented
from app.domain.errors import ConflictError
from app.domain.history import Belonging
from app.domain.territories import territories
from app.domain.vocabulary import FAMILIES
from app.queries.events import events_page
from app.queries.facets import Facet, facets
from app.queries.filter import EventFilter
from app.queries.knowledge import Everything
from app.queries.question import Question
from tests.support.factories import event
from tests.support.projections import projections, rebuilt


async def fill(database: Database, events: int, seed: int = 0) -> list[int]:
    return [done async for done in demo(database, events, seed)]


async def test_what_was_copied_is_what_a_rebuild_makes(empty_url: str) -> None:
    async with Database(empty_url) as database:
        assert await fill(database, 700) == [500, 700]
        before = await projections(database)
        assert len(before["event"]) == 164 + 700
        assert len(before["past_event"]) > 100
        await rebuilt(database)
        assert await projections(database) == before


async def test_the_seed_decides_what_is_invented() -> None:
    assert invented.history(1, 5) == invented.history(1, 5)
    assert invented.history(1, 5) != invented.history(2, 5)
    assert len({invented.event_id(number) for number in range(20_000)}) == 20_000
    assert {party.id for party in invented.organisations()}.isdisjoint(territories())


def test_a_batch_is_made_of_nothing_but_its_plan() -> None:
    named = ["KZ", *territories(), *(each.id for each in invented.organisations())]
    belongings = {party: [Belonging(BEFORE_ALL, party[:2])] for party in named}
    plan = demo_module._Plan(3, 400, Place(7, datetime(2026, 1, 1, tzinfo=UTC)), belongings)
    rows = demo_module._rows(plan, range(400))
    assert rows == demo_module._rows(plan, range(400))
    revisions = rows[EventRevision].decode().splitlines()
    assert len({line.split("\t")[2] for line in revisions}) == len(revisions) > 450
    assert rows[Event].count(b"\n") == 400
    assert rows[PastEvent].count(b"\n") == len(revisions) - 400


async def test_invented_events_go_only_where_no_others_are(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await fill(database, 5)
        with pytest.raises(ConflictError):
            await fill(database, 5)
        async with database.reading() as connection:
            page = await events_page(connection, Question(), 200, with_total=True)
        assert page.total == len(page.documents) == 164 + 5
        titles = [json.loads(document)["title"] for document in page.documents]
        assert sum(title.endswith("(invented)") for title in titles) == 5


async def test_invented_events_do_not_go_beside_those_of_an_editor(empty_url: str) -> None:
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            await record_unseen(connection, [event("an-editors-event")], DEMO_AUTHOR)
        with pytest.raises(ConflictError):
            await fill(database, 5)


async def test_what_is_kept_is_what_would_be_counted(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await fill(database, 200)
        await vacuum(empty_url)
        # Every event is of some family, so this filter leaves none out and has them counted.
        all_of_them = EventFilter(kinds=FAMILIES)
        async with database.reading() as connection:
            kept = await facets(connection, EventFilter(), Everything(), list(Facet))
            counted = await facets(connection, all_of_them, Everything(), list(Facet))
        assert kept == counted
        assert kept[1] == 364
