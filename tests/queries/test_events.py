"""The filter against a naive reference, and walks through the pages while events are added."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest

from app.commands.record import NewEvent, record_unseen
from app.commands.revise import Author
from app.db.engine import Database
from app.db.projections import Event
from app.domain.dates import Days
from app.queries.events import event_document, events_page
from app.queries.filter import EventFilter
from app.queries.knowledge import Everything
from app.queries.question import ORDERS, POSITIONS, Question, Sort
from tests.support.archive import random_events
from tests.support.factories import event
from tests.support.reading import matches, random_filter
from tests.support.schedule import slow

AUTHOR = Author("a test")

ARCHIVE = random_events(seed=7, count=400)
# Relevance is about words, see test_search.py.
SORTS = [sort for sort in Sort if sort is not Sort.RELEVANCE]
EXAMPLES = {
    "latest": date(2024, 12, 22),
    "earliest": date.min,
    "updated_at": datetime(2024, 12, 22, tzinfo=UTC),
    "id": "an-event",
}


@pytest.fixture
async def archive(loaded_url: str) -> AsyncIterator[Database]:
    async with Database(loaded_url) as database:
        async with database.writing() as connection:
            await record_unseen(connection, ARCHIVE, AUTHOR)
        yield database


def by_day(event: NewEvent) -> tuple[date, date, str]:
    days: Days = event.facts.days
    return (days.last or date.max, days.first or date.min, event.id)


async def walk(
    database: Database, wanted: EventFilter, sort: Sort, limit: int
) -> AsyncIterator[list[str]]:
    after = None
    while True:
        async with database.reading() as connection:
            page = await events_page(connection, Question(wanted, sort), limit, after)
        yield [json.loads(document)["id"] for document in page.documents]
        if page.next is None:
            return
        after = page.next


async def test_every_filter_gives_what_a_naive_reading_gives(archive: Database) -> None:
    random = Random(11)
    own = {event.id for event in ARCHIVE}
    found_any = 0
    for _ in range(150):
        wanted = random_filter(random)
        expected = sorted((e for e in ARCHIVE if matches(e, wanted)), key=by_day, reverse=True)
        async with archive.reading() as connection:
            page = await events_page(connection, Question(wanted), 1_000, with_total=True)
        found = [json.loads(document)["id"] for document in page.documents]
        assert [each for each in found if each in own] == [each.id for each in expected], wanted
        assert page.total == len(found)
        found_any += bool(expected)
    assert found_any > 30, "the random filters hardly ever match anything"


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST])
@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_a_walk_gives_each_event_once_in_order(
    archive: Database, sort: Sort, limit: int
) -> None:
    wanted = EventFilter(countries=("AF",))
    walked = [each async for page in walk(archive, wanted, sort, limit) for each in page]
    async with archive.reading() as connection:
        whole = await events_page(connection, Question(wanted, sort), 10_000)
    assert walked == [json.loads(document)["id"] for document in whole.documents]
    assert len(walked) == len(set(walked)) > 100


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("seed", [0, *slow(1, 2)])
async def test_a_walk_while_events_are_added_misses_none_and_repeats_none(
    archive: Database, sort: Sort, seed: int
) -> None:
    wanted = EventFilter(parties=("taliban",))
    async with archive.reading() as connection:
        before = await events_page(connection, Question(wanted, sort), 10_000)
    walked: list[str] = []
    additions = random_events(seed=100 + seed, count=60)
    async for page in walk(archive, wanted, sort, 20):
        walked += page
        added, additions = additions[:6], additions[6:]
        async with archive.writing() as connection:
            await record_unseen(connection, added, AUTHOR)
    there_before = [json.loads(document)["id"] for document in before.documents]
    assert [each for each in walked if each in set(there_before)] == there_before
    assert len(walked) == len(set(walked))


async def test_oldest_is_the_exact_reverse_of_newest(archive: Database) -> None:
    lists = []
    for sort in (Sort.NEWEST, Sort.OLDEST):
        async with archive.reading() as connection:
            page = await events_page(connection, Question(sort=sort), 10_000)
        lists.append(list(page.documents))
    assert lists[0] == lists[1][::-1]


async def test_open_ends_come_after_every_day_and_open_starts_before(archive: Database) -> None:
    async with archive.reading() as connection:
        page = await events_page(connection, Question(), 10_000)
    lasts = [json.loads(document)["latest"] for document in page.documents]
    assert None in lasts
    bounded = [last for last in lasts if last is not None]
    assert lasts == [None] * (len(lasts) - len(bounded)) + bounded


@pytest.mark.parametrize(
    "wanted", [EventFilter(countries=("KZ",)), EventFilter(subjects=("AF",)), EventFilter()]
)
async def test_what_lasts_long_is_found_on_each_of_its_days(
    empty_url: str, wanted: EventFilter
) -> None:
    lasting = {
        "short": "2024-05-01",
        "a-year": "2001-06/2002-05",
        "ten-years": "2000-05/2010-06",
        "open-end": "2000-01/..",
        "open-start": "../2000-02",
    }
    expected = {
        date(1990, 1, 1): {"open-start"},
        date(2000, 2, 1): {"open-start", "open-end"},
        date(2001, 1, 1): {"open-end", "ten-years"},
        date(2002, 1, 1): {"open-end", "ten-years", "a-year"},
        date(2024, 5, 1): {"open-end", "short"},
    }
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            new = [event(name, dates={"effective": days}) for name, days in lasting.items()]
            await record_unseen(connection, new, AUTHOR)
        for day, names in expected.items():
            filtered = replace(wanted, date_from=day, date_to=day)
            for sort in (Sort.NEWEST, Sort.OLDEST):
                pages = [page async for page in walk(database, filtered, sort, 2)]
                assert {each for page in pages for each in page} == names
                assert sum(len(page) for page in pages) == len(names)


async def test_an_empty_page_still_counts(archive: Database) -> None:
    async with archive.reading() as connection:
        one = Question(EventFilter(parties=("FR",)))
        nothing = await events_page(connection, one, with_total=True)
        beyond = await events_page(
            connection,
            Question(EventFilter(countries=("KZ",))),
            after=(date.min, date.min, ""),
            with_total=True,
        )
    assert (nothing.total, nothing.documents, nothing.next) == (1, nothing.documents, None)
    assert beyond.documents == []
    assert beyond.total is not None
    assert beyond.total > 100


async def test_changed_since_goes_by_the_registers_own_time(archive: Database) -> None:
    async with archive.reading() as connection:
        newest = await events_page(connection, Question(sort=Sort.RECENTLY_UPDATED), 5)
        oldest_of_five = json.loads(newest.documents[-1])["updated_at"]
        since = EventFilter(updated_since=datetime.fromisoformat(oldest_of_five))
        found = await events_page(connection, Question(since, Sort.RECENTLY_UPDATED))
    assert list(found.documents) == list(newest.documents)


async def test_one_event_is_found_by_its_id_alone(archive: Database) -> None:
    async with archive.reading() as connection:
        document = await event_document(connection, ARCHIVE[0].id, Everything())
        assert document is not None
        assert json.loads(document)["id"] == ARCHIVE[0].id
        assert await event_document(connection, "no-such-event", Everything()) is None


def test_every_sort_has_an_order_of_columns_that_are_never_null() -> None:
    assert set(ORDERS) == set(Sort)
    assert set(POSITIONS) == set(Sort)
    for sort in SORTS:
        columns = ORDERS[sort].columns_of(Event.__table__.c)
        assert not any(column.nullable for column in columns)
        types = [column.type.python_type for column in columns]
        assert types == [
            type(each)
            for each in POSITIONS[sort].validate_python(
                [EXAMPLES[name] for name in ORDERS[sort].columns]
            )
        ]
