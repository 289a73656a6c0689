"""All events that match, one after the other: what is taken away rather than looked at."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, union_all

from app.db.connections import MomentConnection, ReadConnection
from app.db.party_cache import complete_documents
from app.queries.events import rank_of
from app.queries.filter import conditions
from app.queries.keyset import AnySelect
from app.queries.question import Question

# A batch is parsed and written between two looks at what else there is to do.
BATCH = 100


async def are_more_than(connection: ReadConnection, question: Question, limit: int) -> bool:
    """Tell whether more events match than so many, without counting further."""
    found = [
        select(tables.event.id).where(known, *conditions(question.wanted, tables))
        for tables, known in question.knowledge.sources()
    ]
    one_beyond = union_all(*found).offset(limit).limit(1)
    return await connection.scalar(one_beyond) is not None


async def event_batches(
    connection: MomentConnection, question: Question
) -> AsyncGenerator[Sequence[str], None]:
    """Yield the documents of all events that match, in order, from a cursor of the server's.

    The connection must be in a transaction; the question must be settled before that begins,
    because what a transaction sees is fixed from its first statement on.
    """
    async with connection.stream(_documents(question)) as found:
        # Without the size, a Core statement's result comes in one piece.
        async for rows in found.partitions(BATCH):
            yield await complete_documents(connection, rows)


def _documents(question: Question) -> AnySelect:
    """Return the statement that sorts keys and looks up a document for each.

    Documents sorted with them would fill the disk, and nothing could be sent before the last one
    is. Whoever reads from a subquery in order keeps that order.
    """
    order, found = question.order, []
    for tables, known in question.knowledge.sources():
        keys = [_key(tables.event, column, question) for column in order.columns]
        found.append(select(*keys).where(known, *conditions(question.wanted, tables)))
    unsorted = union_all(*found).subquery()
    event = select(unsorted.c.id).order_by(*order.sorted(unsorted.c)).subquery()
    documents = [
        select(tables.event.document).where(tables.event.id == event.c.id, known).scalar_subquery()
        for tables, known in question.knowledge.sources()
    ]
    document = func.coalesce(*documents).label("document")
    return select(document, question.knowledge.parties_as_of()).select_from(event)


def _key(event: Any, column: str, question: Question) -> ColumnElement[Any]:
    """Return a column to sort by; a file ranks everything that matches, and not the newest only."""
    if column == "rank":
        return rank_of(event, question)
    key: ColumnElement[Any] = getattr(event, column)
    return key
