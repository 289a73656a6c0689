"""The events that match a filter, a page at a time, and one event by its id.

Full text has two ways. A walk through the events in the order of the page finds common words at
once and rare ones hardly ever; the index of words finds rare ones at once, and takes long over
common ones because it knows no order. Which word is common the planner can't tell, so the walk is
tried for a stretch, and where that doesn't fill the page, the index is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    REAL,
    ColumnElement,
    String,
    and_,
    bindparam,
    cast,
    func,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from app.db.connections import ReadConnection
from app.db.party_cache import complete_documents
from app.db.prepared import Prepared
from app.db.projections import Event
from app.db.reading import rows as rows_of
from app.db.register import EventCount
from app.queries.filter import LIVE, EventFilter, conditions
from app.queries.keyset import AnyRow, AnySelect
from app.queries.knowledge import Everything, Knowledge
from app.queries.question import ORDERS, Question, Sort
from app.queries.ranges import Along, along, first_of, matching
from app.queries.shape import Asked, asked

RANKED = 10_000
"""How many events are ranked by relevance at most: the newest that match."""
_STRETCH = 5_000
_STRETCH_FOR_RANKING = 25 * _STRETCH


@dataclass(frozen=True, slots=True)
class EventPage:
    """Documents ready to send, where the next page begins, and how many match in all.

    `ranked` is how many of them the order of relevance is about, None where it is about all.
    """

    documents: Sequence[str]
    next: tuple[Any, ...] | None
    total: int | None
    ranked: int | None


async def events_page(
    connection: ReadConnection,
    question: Question,
    limit: int = 50,
    after: Sequence[Any] | None = None,
    *,
    with_total: bool = False,
) -> EventPage:
    """Return one page of the events that match, from one snapshot."""
    await question.knowledge.settle(connection)
    rows: Sequence[AnyRow] = ()
    if question.wanted.text is not None and not with_total:
        rows = await _walked(connection, question, after, limit)
    if not rows:
        rows = await _found(connection, question, after, limit, with_total=with_total)
    shown = [row for row in rows[:limit] if row.document is not None]
    more = len(rows) > limit
    return EventPage(
        documents=await complete_documents(connection, shown),
        next=tuple(question.order.columns_of(shown[-1])) if more else None,
        total=rows[0].total if with_total else None,
        ranked=RANKED if _has_more_than_ranked(question, rows) else None,
    )


async def _found(
    connection: ReadConnection,
    question: Question,
    after: Sequence[Any] | None,
    limit: int,
    *,
    with_total: bool,
) -> Sequence[AnyRow]:
    """Return the rows of a page from the indexes."""
    if with_total:
        statement = _with_total(_page(question, after, limit, RANKED), question)
        return (await connection.execute(statement)).all()
    page = page_statement(question, after, limit)
    return await rows_of(connection, page.prepared, page.values)


def page_statement(question: Question, after: Sequence[Any] | None, limit: int) -> Asked:
    """Return the statement that finds a page in the indexes, and its values."""
    return asked(_page, question, after, planned_once=_is_short, limit=limit, ranked=RANKED)


def _is_short(question: Question) -> bool:
    """Tell whether it is a walk along ranges, however many events there are in them."""
    ranges = _ranges(question)
    return isinstance(question.knowledge, Everything) and ranges is not None and ranges.is_simple


def _has_more_than_ranked(question: Question, rows: Sequence[AnyRow]) -> bool:
    return question.sort is Sort.RELEVANCE and bool(rows) and (rows[0].found or 0) > RANKED


async def _walked(
    connection: ReadConnection, question: Question, after: Sequence[Any] | None, limit: int
) -> Sequence[AnyRow]:
    """Return the rows of a page if a walk along a stretch finds all that it is made of."""
    if question.sort is Sort.RELEVANCE:
        return await _walked_for_ranking(connection, question, after, limit)
    page = asked(_nearby, question, after, limit=limit, stretch=_STRETCH)
    rows = await rows_of(connection, page.prepared, page.values)
    return rows if len(rows) > limit else ()


async def _walked_for_ranking(
    connection: ReadConnection, question: Question, after: Sequence[Any] | None, limit: int
) -> Sequence[AnyRow]:
    """Do the same for the order of relevance, which is made of more than a page."""
    newest = replace(question, sort=Sort.NEWEST)
    # So long a walk is worth trying only where a short one finds that it will do.
    enough = RANKED * _STRETCH // _STRETCH_FOR_RANKING
    near = _nearby(newest, None, enough, _STRETCH).subquery()
    seen = await connection.scalar(select(func.count()).select_from(near))
    if (seen or 0) <= enough:
        return ()
    nearby = _nearby(newest, None, RANKED, _STRETCH_FOR_RANKING, with_words=True)
    ranked = _ranked(question, nearby, after, limit, RANKED)
    rows = (await connection.execute(ranked)).all()
    return rows if _has_more_than_ranked(question, rows) else ()


def _page(question: Question, after: Sequence[Any] | None, limit: int, ranked: int) -> AnySelect:
    if question.sort is not Sort.RELEVANCE:
        return _all(question, after, limit)
    newest = _all(replace(question, sort=Sort.NEWEST), None, ranked, with_words=True)
    return _ranked(question, newest, after, limit, ranked)


def _all(
    question: Question, after: Sequence[Any] | None, limit: int, *, with_words: bool = False
) -> AnySelect:
    ranges, order = _ranges(question), question.order
    pages = []
    for tables, known in question.knowledge.sources():
        if ranges is not None and tables is LIVE:
            pages.append(_along(ranges, known, question, after, limit))
            continue
        event: Any = tables.event
        found = select(*_columns_to_read(event, question, with_words=with_words))
        found = found.where(known, *conditions(question.wanted, tables))
        if question.wanted.text is not None:
            # Behind this fence the planner counts on all that is found, and asks the index.
            event = found.offset(0).subquery().c
            found = select(*event)
        pages.append(order.page(found, event, after, limit))
    if len(pages) == 1:
        return pages[0]
    # Each source gives its own first rows, of which the page is the first.
    both = union_all(*(select(*page.subquery().c) for page in pages)).subquery()
    return order.page(select(*both.c), both.c, None, limit)


def _columns_to_read(event: Any, question: Question, *, with_words: bool = False) -> list[Any]:
    words = [event.words] if with_words else []
    parties_as_of = question.knowledge.parties_as_of()
    return [event.document, parties_as_of, *words, *question.order.columns_of(event)]


def _ranges(question: Question) -> Along | None:
    """Return what the live events can be found along in the order of their days."""
    by_day = question.sort in (Sort.NEWEST, Sort.OLDEST)
    return along(question.wanted) if by_day and question.wanted.text is None else None


def _along(
    ranges: Along,
    known: ColumnElement[bool],
    question: Question,
    after: Sequence[Any] | None,
    limit: int,
) -> AnySelect:
    """Return the first events along ranges: their keys first, and documents only of those."""
    found = first_of(ranges, known, question.order, after, limit)
    statement: AnySelect = select(*_columns_to_read(Event, question)).join(
        found, found.c.id == Event.id
    )
    return statement.order_by(*question.order.sorted(Event))


def _nearby(
    question: Question,
    after: Sequence[Any] | None,
    limit: int,
    stretch: int,
    *,
    with_words: bool = False,
) -> AnySelect:
    """Return those that match among the events that come next, whichever they are.

    Nothing else is asked of the events that are walked through, so that it never takes long.
    """
    order = question.order
    stretches = []
    for tables, known in question.knowledge.sources():
        walk = order.page(select(tables.event, known.label("known")), tables.event, after, stretch)
        event: Any = walk.subquery().c
        matches = and_(event.known, *conditions(question.wanted, replace(tables, event=event)))
        shown = _columns_to_read(event, question, with_words=with_words)
        stretches.append(select(*shown, matches.label("matches")))
    walked = union_all(*stretches).subquery()
    first = select(*walked.c).order_by(*order.sorted(walked.c)).limit(stretch).subquery()
    return order.page(select(*first.c).where(first.c.matches), first.c, None, limit)


def _ranked(
    question: Question, newest: AnySelect, after: Sequence[Any] | None, limit: int, most: int
) -> AnySelect:
    """Return a page of the newest that match by relevance, each beside how many were found."""
    found = newest.cte()
    kept = select(found).order_by(*ORDERS[Sort.NEWEST].sorted(found.c)).limit(most).subquery()
    ranked = select(
        *kept.c,
        rank_of(kept.c, question),
        select(func.count()).select_from(found).scalar_subquery().label("found"),
    ).subquery()
    return question.order.page(select(*ranked.c), ranked.c, after, limit)


def rank_of(event: Any, question: Question) -> ColumnElement[float]:
    """Return how well an event answers the question, as the column that relevance sorts by."""
    return func.ts_rank(event.words, cast(question.wanted.text, TSQUERY), type_=REAL).label("rank")


def _with_total(page: AnySelect, question: Question) -> AnySelect:
    """Return the page beside the count of all that match: one statement and so one snapshot.

    An empty page still gives one row, with the count and no document.
    """
    total = select(_total(question).label("total")).subquery()
    found = page.subquery()
    return (
        select(total.c.total, *found.c)
        .select_from(total.outerjoin(found, true()))
        .order_by(*question.order.sorted(found.c))
    )


def _total(question: Question) -> ColumnElement[int]:
    """Return how many match; how many there are in all is kept with every write."""
    if question.wanted == EventFilter() and isinstance(question.knowledge, Everything):
        kept = select(EventCount.events).where(EventCount.counted_by == "total")
        return func.coalesce(kept.scalar_subquery(), 0)
    counts = [
        select(func.count())
        .select_from(matching(question.wanted, tables, known).subquery())
        .scalar_subquery()
        for tables, known in question.knowledge.sources()
    ]
    return sum(counts[1:], start=counts[0])


async def event_document(
    connection: ReadConnection, event: str, knowledge: Knowledge
) -> str | None:
    """Return the document of an event that is or was live, or None."""
    if isinstance(knowledge, Everything):
        found = await rows_of(connection, _LIVE, {"event": event})
    else:
        await knowledge.settle(connection)
        documents = [
            select(tables.event.document, knowledge.parties_as_of()).where(
                tables.event.id == event, known
            )
            for tables, known in knowledge.sources()
        ]
        found = (await connection.execute(union_all(*documents))).all()
    completed = await complete_documents(connection, found)
    return completed[0] if completed else None


_LIVE = Prepared(
    select(Event.document, Everything().parties_as_of()).where(
        Event.id == bindparam("event", type_=String())
    ),
    planned_once=True,
)
