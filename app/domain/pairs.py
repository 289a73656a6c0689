"""What an event says of each two of its parties: what positions between them are computed from."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from app.domain.dates import days_of
from app.domain.event import EventFacts
from app.domain.positions import STATE_OF_KIND, last_possible
from app.domain.vocabulary import DateName, Dimension, Role, Status, family_of

_TOLD_BY = (DateName.ANNOUNCED, DateName.ADOPTED, DateName.SIGNED)


class Pair(NamedTuple):
    """One party and another one towards whom the event says something.

    `dimension` is None where the event only names the two in the course of a measure, and `state`
    where it leads to none. The days are those of `app.domain.positions.Effect`.
    """

    actor: str
    subject: str
    dimension: Dimension | None
    regime: str | None
    measure: str | None
    state: str | None
    verification: str
    first: date
    last: date
    until_first: date | None
    until_last: date | None
    told: date | None
    written: str


def pairs_of(facts: EventFacts) -> Iterator[Pair]:
    """Return what an event says of each two of its parties, each two once."""
    family = family_of(facts.kind)
    dimension = Dimension(family) if family in list(Dimension) else None
    held = _held_between(facts)
    named = set() if facts.measure is None else _between(facts, Role.MENTIONED) | held
    days = _days(facts)
    for actor, subject in sorted(named if dimension is None else named | held):
        holds = dimension is not None and (actor, subject) in held
        in_effect = holds and facts.status is Status.IN_EFFECT
        yield Pair(
            actor,
            subject,
            dimension if holds else None,
            facts.regime,
            facts.measure,
            STATE_OF_KIND.get(facts.kind) if in_effect else None,
            facts.verification,
            *days,
            facts.date,
        )


def _held_between(facts: EventFacts) -> set[tuple[str, str]]:
    """Return between whom the event holds: actors and subjects, or the actors among themselves."""
    if _parties(facts, Role.SUBJECT):
        return _between(facts, Role.SUBJECT)
    return {(one, other) for one, other in _between(facts, Role.ACTOR) if one != other}


def _between(facts: EventFacts, role: Role) -> set[tuple[str, str]]:
    others = _parties(facts, role)
    return {(actor, other) for actor in _parties(facts, Role.ACTOR) for other in others}


def _parties(facts: EventFacts, role: Role) -> set[str]:
    return {each.party for each in facts.participants if each.role is role}


def _days(facts: EventFacts) -> tuple[date, date, date | None, date | None, date | None]:
    """Return when it takes effect, when that ends, and by when it was made known."""
    first, last = facts.days.bounds
    dates = facts.dates
    announced = None if dates.announced is None else days_of(dates.announced).bounds
    ends = (None, None) if dates.effective_until is None else days_of(dates.effective_until).bounds
    told = [
        days_of(text).bounds[1] for name in _TOLD_BY if (text := getattr(dates, name)) is not None
    ]
    return first, last_possible(first, last, announced), *ends, min(told, default=None)
