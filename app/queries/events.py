"""The events that match a filter, a page at a time, and one event by its id."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, true, union_all

from app.db.engine import ReadConnection
from app.queries.filter import EventFilter, conditions
from app.queries.keyset import AnySelect, Order
from app.queries.knowledge import Everything, Knowledge


class Sort(StrEnum):
    """The orders of a list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RECENTLY_UPDATED = "recently_updated"


_BY_DAY = ("latest", "earliest", "id")
ORDERS = {
    Sort.NEWEST: Order(_BY_DAY, descending=True),
    Sort.OLDEST: Order(_BY_DAY),
    Sort.RECENTLY_UPDATED: Order(("updated_at", "id"), descending=True),
}


@dataclass(frozen=True, slots=True)
class EventPage:
    """Documents ready to send, where the next page begins, and how many match in all."""

    documents: Sequence[str]
    next: tuple[Any, ...] | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """Which events, in which order, as known when."""

    wanted: EventFilter = field(default_factory=EventFilter)
    sort: Sort = Sort.NEWEST
    knowledge: Knowledge = field(default_factory=Everything)

    @property
    def order(self) -> Order:
        """The columns that the answer is sorted by."""
        return ORDERS[self.sort]


async def events_page(
    connection: ReadConnection,
    question: Question,
    limit: int = 50,
    after: Sequence[Any] | None = None,
    *,
    with_total: bool = False,
) -> EventPage:
    """Return one page of the events that match, in one statement."""
    await question.knowledge.settle(connection)
    statement = _page(question, after, limit)
    if with_total:
        statement = _with_total(statement, question)
    rows = (await connection.execute(statement)).all()
    shown = [row for row in rows[:limit] if row.document is not None]
    more = len(rows) > limit
    return EventPage(
        documents=[row.document for row in shown],
        next=tuple(question.order.columns_of(shown[-1])) if more else None,
        total=rows[0].total if with_total else None,
    )


def _page(question: Question, after: Sequence[Any] | None, limit: int) -> AnySelect:
    order = question.order
    pages = []
    for tables, known in question.knowledge.sources():
        event = tables.event
        found = select(event.document, *order.columns_of(event))
        found = found.where(known, *conditions(question.wanted, tables))
        pages.append(order.page(found, event, after, limit))
    if len(pages) == 1:
        return pages[0]
    # Each source gives its own first rows, of which the page is the first.
    both = union_all(*(select(*page.subquery().c) for page in pages)).subquery()
    return order.page(select(*both.c), both.c, None, limit)


def _with_total(page: AnySelect, question: Question) -> AnySelect:
    """Return the page beside the count of all that match: one statement and so one snapshot.

    An empty page still gives one row, with the count and no document.
    """
    counts = [
        select(func.count())
        .select_from(tables.event)
        .where(known, *conditions(question.wanted, tables))
        .scalar_subquery()
        for tables, known in question.knowledge.sources()
    ]
    total = select(sum(counts[1:], start=counts[0]).label("total")).subquery()
    found = page.subquery()
    return (
        select(total.c.total, *found.c)
        .select_from(total.outerjoin(found, true()))
        .order_by(*question.order.sorted(found.c))
    )


async def event_document(
    connection: ReadConnection, event: str, knowledge: Knowledge
) -> str | None:
    """Return the document of an event that is or was live, or None."""
    await knowledge.settle(connection)
    documents = [
        select(tables.event.document).where(tables.event.id == event, known)
        for tables, known in knowledge.sources()
    ]
    document: str | None = await connection.scalar(union_all(*documents))
    return document
