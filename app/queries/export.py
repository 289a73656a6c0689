"""All events that match, one after the other: what is taken away rather than looked at."""

from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import literal, select, union_all

from app.db.engine import ReadConnection
from app.queries.events import Question
from app.queries.filter import conditions
from app.queries.keyset import AnySelect

# A batch is parsed and written between two looks at what else there is to do.
BATCH = 100


async def are_more_than(connection: ReadConnection, question: Question, limit: int) -> bool:
    """Tell whether more events match than so many, without counting further."""
    found = [
        select(literal(1)).where(known, *conditions(question.wanted, tables))
        for tables, known in question.knowledge.sources()
    ]
    one_beyond = union_all(*found).offset(limit).limit(1)
    return await connection.scalar(one_beyond) is not None


async def event_batches(
    connection: ReadConnection, question: Question
) -> AsyncGenerator[Sequence[str], None]:
    """Yield the documents of all events that match, in order, from a cursor of the server's.

    The connection must be in a transaction; the question must be settled before that begins,
    because what a transaction sees is fixed from its first statement on.
    """
    options = {"yield_per": BATCH}
    async with connection.stream_scalars(_ordered(question), execution_options=options) as found:
        async for documents in found.partitions():
            yield documents


def _ordered(question: Question) -> AnySelect:
    order = question.order
    found = []
    for tables, known in question.knowledge.sources():
        event = tables.event
        documents = select(event.document, *order.columns_of(event))
        found.append(documents.where(known, *conditions(question.wanted, tables)))
    both = union_all(*found).subquery()
    return select(*both.c).order_by(*order.sorted(both.c))
