"""Measures: the dossiers that string the events of one procedure together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Subquery, func, select, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.db.connections import ReadConnection
from app.db.party_cache import party_cache_of
from app.domain.vocabulary import Status
from app.queries.keyset import AnyRow, AnySelect, Order
from app.queries.knowledge import Knowledge
from app.queries.question import ORDERS, Sort

_COLUMNS = ("id", "measure", "status", "regime", "earliest", "latest", "document")
_IN_ORDER = ORDERS[Sort.OLDEST]
_NEWEST_STEP_FIRST = ORDERS[Sort.NEWEST]


async def measures_page(
    connection: ReadConnection,
    knowledge: Knowledge,
    containing: str,
    limit: int,
    after: str | None,
) -> Sequence[AnyRow]:
    """Return a page of measures whose id holds the text, each with its stage and its extent."""
    await knowledge.settle(connection)
    events = _events(knowledge)
    statement = _summary(events)
    if containing:
        statement = statement.where(events.c.measure.contains(containing, autoescape=True))
    # The order's row comparison stands in WHERE, before the grouping, so that the groups of
    # earlier pages aren't made again.
    page = Order(("measure",)).page(statement, events.c, after and [after], limit)
    return (await connection.execute(page)).all()


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as in a page of them, with its events' documents in the order of their days."""

    summary: AnyRow
    documents: Sequence[str]


async def measure(connection: ReadConnection, knowledge: Knowledge, key: str) -> Measure | None:
    """Return one measure, or None."""
    await knowledge.settle(connection)
    events = _events(knowledge)
    documents = func.array_agg(aggregate_order_by(events.c.document, *_IN_ORDER.sorted(events.c)))
    statement = _summary(events).add_columns(
        documents.label("documents"), knowledge.parties_as_of()
    )
    found = await connection.execute(statement.where(events.c.measure == key))
    row = found.one_or_none()
    if row is None:
        return None
    cache = party_cache_of(connection)
    return Measure(row, await cache.complete(connection, row.documents, row.parties_as_of))


def _events(knowledge: Knowledge) -> Subquery:
    """Return the events that belong to a measure, as they are or were known."""
    sources = [
        select(*(getattr(tables.event, name) for name in _COLUMNS)).where(
            known, tables.event.measure.is_not(None)
        )
        for tables, known in knowledge.sources()
    ]
    return (union_all(*sources) if len(sources) > 1 else sources[0]).subquery()


def _summary(events: Subquery) -> AnySelect:
    event: Any = events.c
    steps = aggregate_order_by(event.status, *_NEWEST_STEP_FIRST.sorted(event))
    latest_first = func.array_agg(steps).filter(event.status != Status.COMMENTARY)
    regimes = func.array_agg(event.regime.distinct()).filter(event.regime.is_not(None))
    return select(
        event.measure.label("id"),
        # The stage reached is the status of the latest step that is no commentary.
        latest_first[1].label("stage"),
        func.count().label("events"),
        func.min(event.earliest).label("earliest"),
        func.max(event.latest).label("latest"),
        regimes.label("regimes"),
    ).group_by(event.measure)
