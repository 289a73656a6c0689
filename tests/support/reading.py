"""The filter as one would read it in the contract: slow, naive, and written a second time."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

from app.commands.record import NewEvent
from app.domain.dates import days_of
from app.domain.vocabulary import FAMILIES, Direction, Kind, Status, Verification, family_of
from app.queries.filter import DateField, DateMatch, EventFilter
from tests.support.archive import MEASURES, PARTIES, REGIMES

COUNTRY_OF = {
    "taliban": "AF",
    "islamic-emirate-of-afghanistan": "AF",
    "hamas": "PS",
    "league-of-arab-states": "LAS",
    "european-union": "EU",
}


def random_filter(random: Random) -> EventFilter:
    def some(words: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(random.sample(list(words), random.choice([0, 0, 0, 1, 2])))

    first, last = sorted(date(2023 + random.randrange(3), random.randint(1, 12), 15) for _ in "ab")
    return EventFilter(
        countries=some(("KZ", "AF", "PS", "SA", "FR")),
        parties=some(PARTIES),
        actors=some(PARTIES),
        subjects=some(PARTIES),
        kinds=some([*Kind, *FAMILIES]),
        statuses=some(list(Status)),
        verifications=some(list(Verification)),
        directions=some(list(Direction)),
        regimes=some([regime for regime in REGIMES if regime]),
        measures=some([measure for measure in MEASURES if measure]),
        date_from=random.choice([None, first]),
        date_to=random.choice([None, last]),
        date_field=random.choice(list(DateField)),
        date_match=random.choice(list(DateMatch)),
    )


def matches(event: NewEvent, wanted: EventFilter) -> bool:
    facts = event.facts
    parties = {p.party for p in facts.participants}
    by_role = {
        role: {p.party for p in facts.participants if p.role == role}
        for role in ("actor", "subject")
    }
    words: list[tuple[Sequence[str], set[Any]]] = [
        (wanted.countries, {COUNTRY_OF.get(party, party) for party in parties}),
        (wanted.parties, parties),
        (wanted.actors, by_role["actor"]),
        (wanted.subjects, by_role["subject"]),
        (wanted.kinds, {facts.kind, family_of(facts.kind)}),
        (wanted.statuses, {facts.status}),
        (wanted.verifications, {facts.verification}),
        (wanted.directions, {facts.direction}),
        (wanted.regimes, {facts.regime}),
        (wanted.measures, {facts.measure}),
    ]
    return all(not asked or set(asked) & had for asked, had in words) and in_range(event, wanted)


def in_range(event: NewEvent, wanted: EventFilter) -> bool:
    if wanted.date_from is None and wanted.date_to is None:
        return True
    field = wanted.date_field
    text = event.facts.date if field == "date" else getattr(event.facts.dates, field)
    if text is None:
        return False
    days = days_of(text)
    first, last = days.first or date.min, days.last or date.max
    begin, end = wanted.date_from or date.min, wanted.date_to or date.max
    if wanted.date_match is DateMatch.WITHIN:
        return begin <= first and last <= end
    return first <= end and begin <= last
