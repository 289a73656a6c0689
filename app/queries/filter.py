"""What is asked for of events, as conditions on the live ones or on the past ones."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import DATERANGE, TSQUERY

from app.db.conditions import among
from app.db.projections import (
    Event,
    EventPair,
    EventParty,
    PastEvent,
    PastEventPair,
    PastEventParty,
)
from app.domain.vocabulary import DateName, Role


class DateField(StrEnum):
    """Which date a date filter looks at: the event's own or a named one."""

    DATE = "date"
    OCCURRED = DateName.OCCURRED.value
    ANNOUNCED = DateName.ANNOUNCED.value
    ADOPTED = DateName.ADOPTED.value
    SIGNED = DateName.SIGNED.value
    EFFECTIVE = DateName.EFFECTIVE.value
    EFFECTIVE_UNTIL = DateName.EFFECTIVE_UNTIL.value


class DateMatch(StrEnum):
    """Whether an event's days must share a day with the range, or lie wholly within it."""

    OVERLAPS = "overlaps"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What is asked for, with every name resolved; an empty condition asks for nothing."""

    countries: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    verifications: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    regimes: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    date_from: date | None = None
    date_to: date | None = None
    date_field: DateField = DateField.DATE
    date_match: DateMatch = DateMatch.OVERLAPS
    updated_since: datetime | None = None
    text: str | None = None
    """Full text, as a tsquery in which names stand for parties."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The events to be asked, who takes part in them, and what they say of each two parties."""

    event: Any
    party: Any
    pair: Any
    key: tuple[str, ...]
    detail_key: tuple[str, ...]

    def takes_part(self, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return the condition that somebody of whom these hold takes part in the event."""
        own = tuple_(*(getattr(self.event, name) for name in self.key))
        theirs = select(*(getattr(self.party, name) for name in self.detail_key))
        return own.in_(theirs.where(and_(*conditions)))

    def of_event(self, detail: Any) -> ColumnElement[bool]:
        """Return the condition that joins a row of the party or pair table with its event."""
        names = zip(self.key, self.detail_key, strict=True)
        return and_(*(getattr(self.event, own) == getattr(detail, its) for own, its in names))


LIVE = Tables(Event, EventParty, EventPair, ("id",), ("event",))
PAST = Tables(
    PastEvent, PastEventParty, PastEventPair, ("id", "known_from"), ("event", "known_from")
)


def conditions(wanted: EventFilter, tables: Tables) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter on these tables."""
    return [
        *_party_conditions(wanted, tables),
        *word_conditions(wanted, tables.event),
        *_date_conditions(wanted, tables.event),
        *([] if wanted.text is None else [has_words(tables.event.words, wanted.text)]),
    ]


def has_words(words: Any, text: Any) -> ColumnElement[bool]:
    """Return the condition that a tsvector meets a tsquery."""
    met: ColumnElement[bool] = words.bool_op("@@")(cast(text, TSQUERY))
    return met


def _party_conditions(wanted: EventFilter, tables: Tables) -> list[ColumnElement[bool]]:
    party = tables.party
    conditions = []
    if wanted.countries:
        conditions.append(tables.takes_part(among(party.country, wanted.countries)))
    if wanted.parties:
        conditions.append(tables.takes_part(among(party.party, wanted.parties)))
    for role, parties in ((Role.ACTOR, wanted.actors), (Role.SUBJECT, wanted.subjects)):
        if parties:
            conditions.append(tables.takes_part(among(party.party, parties), party.role == role))
    return conditions


def without_words(wanted: EventFilter) -> EventFilter:
    """Return what is asked for besides what `word_conditions` are about."""
    return replace(
        wanted, kinds=(), statuses=(), verifications=(), directions=(), regimes=(), measures=()
    )


def word_conditions(wanted: EventFilter, event: Any) -> list[ColumnElement[bool]]:
    """Return the conditions on the words of closed lists that an event is described by."""
    columns = (
        (event.status, wanted.statuses),
        (event.verification, wanted.verifications),
        (event.direction, wanted.directions),
        (event.regime, wanted.regimes),
        (event.measure, wanted.measures),
    )
    conditions: list[ColumnElement[bool]] = [
        among(column, words) for column, words in columns if words
    ]
    if wanted.kinds:
        # A kind holds a full stop and a family none, so the two lists can't be confused.
        conditions.append(or_(among(event.kind, wanted.kinds), among(event.family, wanted.kinds)))
    return conditions


def _date_conditions(wanted: EventFilter, event: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.updated_since is not None:
        conditions.append(event.updated_at >= wanted.updated_since)
    if wanted.date_from is None and wanted.date_to is None:
        return conditions
    if wanted.date_field is DateField.DATE:
        return conditions + own_date_conditions(wanted, event)
    named = getattr(event, wanted.date_field)
    asked = func.daterange(wanted.date_from, wanted.date_to, "[]", type_=DATERANGE)
    if wanted.date_match is DateMatch.WITHIN:
        return [*conditions, named.contained_by(asked)]
    return [*conditions, named.overlaps(asked)]


def own_date_conditions(wanted: EventFilter, event: Any) -> list[ColumnElement[bool]]:
    """Compare the sort columns, whose infinite days make an open end lie beyond every bound."""
    within = wanted.date_match is DateMatch.WITHIN
    conditions: list[ColumnElement[bool]] = []
    if wanted.date_from is not None:
        conditions.append((event.earliest if within else event.latest) >= wanted.date_from)
    if wanted.date_to is not None:
        conditions.append((event.latest if within else event.earliest) <= wanted.date_to)
    return conditions
