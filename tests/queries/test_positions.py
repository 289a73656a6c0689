"""Positions and their spans against a naive reading of the rules, on every day, as known when."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import select, text

from app.commands.correct import patch
from app.commands.merge import merge
from app.commands.record import record_unseen
from app.commands.retract import restore, retract
from app.commands.revise import Author, state
from app.db.engine import Database
from app.db.tables import EventRevision
from app.domain.dates import days_of
from app.domain.event import EventFacts
from app.domain.evidence import Answer, Evidence
from app.domain.vocabulary import Verification
from app.queries.knowledge import Announced, Everything, Knowledge, Recorded
from app.queries.positions import PositionFilter, evidence
from tests.support.archive import STANCE_PARTIES, random_stance
from tests.support.positions import Key, Naive, Seen
from tests.support.projections import projections, rebuilt
from tests.support.schedule import slow

AUTHOR = Author("a test", "Because.")
ANY = frozenset({"*"})
BEGIN, END = date(2023, 12, 20), date(2024, 5, 10)
DAYS = [BEGIN + timedelta(days=n) for n in range((END - BEGIN).days + 1)]
MINIMA = ("confirmed", "confirmed", "reported", "claimed")


@pytest.fixture
async def database(loaded_url: str) -> AsyncIterator[Database]:
    async with Database(loaded_url) as database:
        yield database


async def instant(database: Database) -> datetime:
    async with database.reading() as connection:
        now = await connection.execute(text("SELECT clock_timestamp()"))
        moment: datetime = now.scalar_one()
        return moment


async def history(database: Database, random: Random) -> list[datetime]:
    """Record, correct, retract, restore and merge at random, and return instants on the way."""
    ids: list[str] = []
    instants = []
    for number in range(90):
        new = random_stance(random, number)
        async with database.writing() as connection:
            await record_unseen(connection, [new], AUTHOR)
            ids.append(new.id)
            event = random.choice(ids)
            found = await state(connection, event)
            assert found is not None
            act = random.randrange(6)
            if found.revision.action == "retract":
                await restore(connection, event, ANY, AUTHOR)
            elif found.revision.is_live and act == 0:
                await retract(connection, event, ANY, AUTHOR, "Doubt.")
            elif found.revision.is_live and act == 1:
                changes = random_stance(random, number).facts.model_dump(mode="json")
                await patch(connection, event, changes, ANY, AUTHOR)
            elif found.revision.is_live and act == 2 and event != new.id:
                await merge(connection, event, new.id, ANY, AUTHOR)
        if number % 30 == 29:
            instants.append(await instant(database))
    return instants


async def visible(database: Database, knowledge: Knowledge) -> list[Seen]:
    """Return what may be seen, straight from the truth."""
    async with database.reading() as connection:
        rows = (await connection.execute(select(EventRevision.__table__))).all()
    if isinstance(knowledge, Recorded):
        rows = [row for row in rows if row.recorded_at <= knowledge.instant]
    latest = {row.event: row for row in sorted(rows, key=lambda row: row.revision)}
    live = [row for row in latest.values() if row.action not in ("retract", "merge")]
    seen = [Seen(row.event, EventFacts.model_validate(row.facts)) for row in live]
    if isinstance(knowledge, Announced):
        return [each for each in seen if told(each.facts) <= knowledge.day]
    return seen


def told(facts: EventFacts) -> date:
    return days_of(facts.dates.announced or facts.date).last or date.max


def plain(answer: Answer) -> tuple[object, ...]:
    standing = answer.standing
    return (
        standing.state,
        standing.candidates,
        standing.certainty,
        answer.since,
        standing.basis,
        answer.pending,
        answer.upcoming,
        answer.unconfirmed,
    )


def expected(naive: Naive, key: Key, day: date) -> tuple[object, ...]:
    now = naive.on(key, day)
    return (
        now["state"],
        now["candidates"],
        now["certainty"],
        naive.since(key, day, BEGIN),
        now["basis"],
        naive.pending(key, day),
        naive.upcoming(key, day),
        naive.unconfirmed(key, day),
    )


def check(known: Evidence, naive: Naive, keys: set[Key], days: list[date]) -> int:
    """Compare the answers and spans of these days, and return how many say something."""
    least = Verification(naive.least)
    counted = 0
    spans = {tuple(h.key): h.spans for h in known.histories(BEGIN, END, least)}
    nothing: tuple[object, ...] = (None, [], "unknown", None, [], [], [], [])
    for day in days:
        found = {tuple(answer.key): plain(answer) for answer in known.answers(day, least)}
        assert found.keys() <= keys
        for key in keys:
            wanted = expected(naive, key, day)
            assert found.get(key, nothing) == wanted, (key, day)
            counted += wanted != nothing
            if key in spans:
                (at,) = [s for s in spans[key] if (s.first or BEGIN) <= day <= s.last]
                standing = at.standing
                assert (standing.state, standing.candidates) == wanted[:2], (key, day)
                assert (standing.certainty, standing.basis) == (wanted[2], wanted[4])
            else:
                assert wanted[2] == "unknown"
    for course in spans.values():
        assert course[0].first == BEGIN
        assert course[-1].last == END
        for one, other in pairwise(course):
            assert other.first == one.last + timedelta(days=1)
            assert other.standing.shown != one.standing.shown
    return counted


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [0, *slow(1, 2)])
async def test_every_day_is_answered_as_a_naive_reading_answers_it(
    database: Database, seed: int
) -> None:
    random, counted = Random(seed), 0
    instants = await history(database, random)
    known_when: list[Knowledge] = [
        *map(Recorded, instants),
        Announced(date(2024, 1, 31)),
        Everything(),
    ]
    for knowledge in known_when:
        naive = Naive(await visible(database, knowledge), random.choice(MINIMA))
        for party in STANCE_PARTIES:
            async with database.reading() as connection:
                towards = await evidence(connection, PositionFilter(subjects=(party,)), knowledge)
                held = await evidence(connection, PositionFilter(actors=(party,)), knowledge)
            for place, known in enumerate((held, towards)):
                keys = {key for key in naive.positions() if key[place] == party}
                counted += check(known, naive, keys, random.sample(DAYS, 20))
    assert counted > 1_000, "hardly any position ever says anything"


async def test_a_rebuild_makes_the_pairs_as_they_were(database: Database) -> None:
    await history(database, Random(9))
    before = await projections(database)
    assert before["past_event_pair"]
    await rebuilt(database)
    assert await projections(database) == before
