"""Facets against a naive reference, as things are and as they were."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import put_party
from app.commands.record import NewEvent, record_unseen
from app.commands.retract import retract
from app.commands.revise import Author
from app.db.engine import Database
from app.domain.event import Participant
from app.domain.reference import PartyFacts
from app.domain.territories import expand
from app.domain.vocabulary import family_of
from app.queries.facets import Facet, facets
from app.queries.filter import EventFilter
from app.queries.knowledge import Everything, Knowledge, Recorded
from tests.support.archive import random_events
from tests.support.reading import COUNTRY_OF, matches, random_filter

AUTHOR = Author("a test")
ANY = ("*",)
BLOCS = ("league-of-arab-states", "european-union")
Found = tuple[Mapping[Facet, Mapping[str | None, int]], int]


def with_blocs(events: list[NewEvent], random: Random) -> list[NewEvent]:
    """Let organs of blocs take part in some."""
    changed = []
    for event in events:
        party = random.choice([*BLOCS, *[None] * 10, "FR"])
        parties = event.facts.participants
        if party is not None:
            parties = (*parties, Participant.model_validate({"party": party, "role": "subject"}))
        changed.append(NewEvent(event.id, event.facts.model_copy(update={"participants": parties})))
    return changed


ARCHIVE = with_blocs(random_events(seed=5, count=400), Random(5))


async def emptied(database: Database) -> None:
    """Load the sample for its parties and regimes, and take its events out."""
    async with database.writing() as connection:
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        for event in list(await connection.scalars(text("SELECT id FROM event"))):
            await retract(connection, event, ANY, AUTHOR, "Doubt.")


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    async with Database(empty_url) as database:
        await emptied(database)
        yield database


async def counts(
    database: Database, wanted: EventFilter, knowledge: Knowledge | None = None
) -> Found:
    async with database.reading() as connection:
        return await facets(connection, wanted, knowledge or Everything(), list(Facet))


def values(event: NewEvent, facet: Facet) -> set[str | None]:
    facts = event.facts
    parties = {p.party for p in facts.participants}
    if facet in (Facet.ACTOR, Facet.SUBJECT):
        return {p.party for p in facts.participants if p.role == facet.value}
    of_event: dict[Facet, set[Any]] = {
        Facet.PARTY: parties,
        Facet.COUNTRY: {COUNTRY_OF.get(party, party) for party in parties},
        Facet.FAMILY: {family_of(facts.kind)},
        Facet.REGIME: {facts.regime} - {None},
        Facet.MEASURE: {facts.measure} - {None},
        Facet.YEAR: {within_one(event, 4)},
        Facet.MONTH: {within_one(event, 7)},
    }
    return of_event.get(facet) or (set() if facet in of_event else {getattr(facts, facet)})


def within_one(event: NewEvent, length: int) -> str | None:
    days = event.facts.days
    first, last = (str(day)[:length] for day in (days.first, days.last))
    return first if first == last else None


def expected(wanted: EventFilter) -> Found:
    found = [event for event in ARCHIVE if matches(event, wanted)]
    counted = {facet: Counter(v for e in found for v in values(e, facet)) for facet in Facet}
    countries = counted[Facet.COUNTRY]
    for bloc in {"LAS", "EU"} & set(countries):
        together = replace(EventFilter(), countries=expand(bloc))
        countries[bloc] = sum(matches(event, together) for event in found)
    return {facet: dict(counted[facet]) for facet in Facet}, len(found)


async def test_every_count_is_what_a_naive_reading_counts(database: Database) -> None:
    async with database.writing() as connection:
        await record_unseen(connection, ARCHIVE, AUTHOR)
    random = Random(3)
    wanted = [EventFilter(), *(random_filter(random) for _ in range(80))]
    found_any = 0
    for each in wanted:
        found = await counts(database, each)
        assert found == expected(each), each
        found_any += found[1] > 0
    assert found_any > 15


async def test_a_count_is_what_filtering_by_that_value_finds(database: Database) -> None:
    async with database.writing() as connection:
        await record_unseen(connection, ARCHIVE, AUTHOR)
    counted, _ = await counts(database, EventFilter())
    for country, count in counted[Facet.COUNTRY].items():
        _, total = await counts(database, EventFilter(countries=expand(str(country))))
        assert total == count, country


@pytest.mark.parametrize("facet", list(Facet))
async def test_a_facet_alone_counts_what_it_counts_among_others(
    timeline_url: str, facet: Facet
) -> None:
    async with Database(timeline_url) as database, database.reading() as connection:
        for wanted in (EventFilter(), EventFilter(countries=("AF",))):
            together, total = await facets(connection, wanted, Everything(), list(Facet))
            alone = await facets(connection, wanted, Everything(), [facet])
            assert alone == ({facet: together[facet]}, total)


async def test_counts_are_given_again_as_they_were(database: Database) -> None:
    random = Random(8)
    filters = [EventFilter(), EventFilter(countries=("AF",)), EventFilter(statuses=("adopted",))]
    given: list[tuple[datetime, list[Found]]] = []
    for step in range(5):
        async with database.writing() as connection:
            await record_unseen(connection, ARCHIVE[step * 40 : step * 40 + 40], AUTHOR)
        async with database.writing() as connection:
            for event in random.sample(ARCHIVE[step * 40 : step * 40 + 40], 5):
                await retract(connection, event.id, ANY, AUTHOR, "Doubt.")
            party = {"id": "hamas", "kind": "group", "name": "Hamas", "country": "KZ"}
            party["country"] = random.choice(["KZ", "PS"])
            await put_party(connection, PartyFacts.model_validate(party), AUTHOR)
        async with database.reading() as connection:
            now = await connection.scalar(text("SELECT clock_timestamp()"))
        given.append((now, [await counts(database, each) for each in filters]))
    for instant, answers in given:
        again = [await counts(database, each, Recorded(instant)) for each in filters]
        assert again == answers
    assert given[0][1] != given[-1][1]


async def test_nothing_matches_and_is_counted(database: Database) -> None:
    found, total = await counts(database, EventFilter())
    assert total == 0
    assert found == {facet: {} for facet in Facet}
