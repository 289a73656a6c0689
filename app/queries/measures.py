"""Measures: the dossiers that string the events of one procedure together."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.db.engine import ReadConnection
from app.db.projections import Event
from app.domain.vocabulary import Status
from app.queries.events import ORDERS, Sort
from app.queries.keyset import AnyRow, Order

_IN_ORDER = ORDERS[Sort.OLDEST].columns_of(Event)
_NEWEST_STEP_FIRST = func.array_agg(
    aggregate_order_by(Event.status, *(column.desc() for column in _IN_ORDER))
).filter(Event.status != Status.COMMENTARY)

_SUMMARY = (
    select(
        Event.measure.label("id"),
        # The stage reached is the status of the latest step that is no commentary.
        _NEWEST_STEP_FIRST[1].label("stage"),
        func.count().label("events"),
        func.min(Event.earliest).label("earliest"),
        func.max(Event.latest).label("latest"),
        func.array_agg(Event.regime.distinct()).filter(Event.regime.is_not(None)).label("regimes"),
    )
    .where(Event.measure.is_not(None))
    .group_by(Event.measure)
)


async def measures_page(
    connection: ReadConnection, containing: str, limit: int, after: str | None
) -> Sequence[AnyRow]:
    """Return a page of measures whose id holds the text, each with its stage and its extent."""
    statement = _SUMMARY
    if containing:
        statement = statement.where(Event.measure.contains(containing, autoescape=True))
    # The order's row comparison stands in WHERE, before the grouping, so that the groups of
    # earlier pages aren't made again.
    page = Order(("measure",)).page(statement, Event, after and [after], limit)
    return (await connection.execute(page)).all()


async def measure(connection: ReadConnection, key: str) -> AnyRow | None:
    """Return one measure with the documents of its events in the order of their days, or None."""
    documents = func.array_agg(aggregate_order_by(Event.document, *_IN_ORDER)).label("documents")
    statement = _SUMMARY.add_columns(documents).where(Event.measure == key)
    return (await connection.execute(statement)).one_or_none()
