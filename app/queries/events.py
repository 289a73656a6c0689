"""The events that match a filter, a page at a time, and one event by its id."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.dialects.postgresql import Range

from app.db.engine import ReadConnection
from app.db.projections import Event, EventParty
from app.domain.vocabulary import DateName, Role
from app.queries.keyset import AnySelect, Order


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


class Sort(StrEnum):
    """The orders of a list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RECENTLY_UPDATED = "recently_updated"


_BY_DAY = (Event.latest, Event.earliest, Event.id)
ORDERS = {
    Sort.NEWEST: Order(_BY_DAY, descending=True),
    Sort.OLDEST: Order(_BY_DAY),
    Sort.RECENTLY_UPDATED: Order((Event.updated_at, Event.id), descending=True),
}


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


@dataclass(frozen=True, slots=True)
class EventPage:
    """Documents ready to send, where the next page begins, and how many match in all."""

    documents: Sequence[str]
    next: tuple[Any, ...] | None
    total: int | None


async def events_page(
    connection: ReadConnection,
    wanted: EventFilter,
    sort: Sort = Sort.NEWEST,
    limit: int = 50,
    after: Sequence[Any] | None = None,
    *,
    with_total: bool = False,
) -> EventPage:
    """Return one page of the events that match, in one statement."""
    order = ORDERS[sort]
    conditions = _conditions(wanted)
    statement = order.page(select(Event.document, *order.columns).where(*conditions), after, limit)
    if with_total:
        statement = _with_total(statement, order, conditions)
    rows = (await connection.execute(statement)).all()
    shown = [row for row in rows[:limit] if row.document is not None]
    more = len(rows) > limit
    return EventPage(
        documents=[row.document for row in shown],
        next=tuple(getattr(shown[-1], column.key) for column in order.columns) if more else None,
        total=rows[0].total if with_total else None,
    )


def _with_total(
    page: AnySelect, order: Order, conditions: Sequence[ColumnElement[bool]]
) -> AnySelect:
    """Return the page beside the count of all that match: one statement and so one snapshot.

    An empty page still gives one row, with the count and no document.
    """
    total = select(func.count().label("total")).select_from(Event).where(*conditions).subquery()
    found = page.subquery()
    return (
        select(total.c.total, *found.c)
        .select_from(total.outerjoin(found, true()))
        .order_by(*order.sorted(found.c[column.key] for column in order.columns))
    )


async def event_document(connection: ReadConnection, event: str) -> str | None:
    """Return the document of a live event, or None."""
    document: str | None = await connection.scalar(select(Event.document).where(Event.id == event))
    return document


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    return [
        *_party_conditions(wanted),
        *_word_conditions(wanted),
        *_date_conditions(wanted),
    ]


def _party_conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.countries:
        conditions.append(_takes_part(EventParty.country.in_(wanted.countries)))
    if wanted.parties:
        conditions.append(_takes_part(EventParty.party.in_(wanted.parties)))
    for role, parties in ((Role.ACTOR, wanted.actors), (Role.SUBJECT, wanted.subjects)):
        if parties:
            conditions.append(
                _takes_part(EventParty.party.in_(parties) & (EventParty.role == role))
            )
    return conditions


def _takes_part(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return Event.id.in_(select(EventParty.event).where(condition))


def _word_conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    columns = (
        (Event.status, wanted.statuses),
        (Event.verification, wanted.verifications),
        (Event.direction, wanted.directions),
        (Event.regime, wanted.regimes),
        (Event.measure, wanted.measures),
    )
    conditions: list[ColumnElement[bool]] = [
        column.in_(words) for column, words in columns if words
    ]
    if wanted.kinds:
        # A kind holds a full stop and a family none, so the two lists can't be confused.
        conditions.append(or_(Event.kind.in_(wanted.kinds), Event.family.in_(wanted.kinds)))
    return conditions


def _date_conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.updated_since is not None:
        conditions.append(Event.updated_at >= wanted.updated_since)
    if wanted.date_from is None and wanted.date_to is None:
        return conditions
    if wanted.date_field is DateField.DATE:
        return conditions + _own_date_conditions(wanted)
    named = getattr(Event, wanted.date_field)
    asked = Range(wanted.date_from, wanted.date_to, bounds="[]")
    if wanted.date_match is DateMatch.WITHIN:
        return [*conditions, named.contained_by(asked)]
    return [*conditions, named.overlaps(asked)]


def _own_date_conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    """Compare the sort columns, whose infinite days make an open end lie beyond every bound."""
    within = wanted.date_match is DateMatch.WITHIN
    conditions: list[ColumnElement[bool]] = []
    if wanted.date_from is not None:
        conditions.append((Event.earliest if within else Event.latest) >= wanted.date_from)
    if wanted.date_to is not None:
        conditions.append((Event.latest if within else Event.earliest) <= wanted.date_to)
    return conditions
