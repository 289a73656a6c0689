"""Events that are named by their ids, and those that name one."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, select, union_all

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.party_cache import complete_documents
from app.queries.knowledge import Knowledge
from app.queries.question import ORDERS, Sort


async def cited_documents(
    connection: ReadConnection, ids: Collection[str], knowledge: Knowledge
) -> Mapping[str, str]:
    """Return the documents of those of the events that are or were live, by their ids."""
    if not ids:
        return {}
    documents = [
        select(tables.event.id, tables.event.document, knowledge.parties_as_of()).where(
            among(tables.event.id, ids), known
        )
        for tables, known in knowledge.sources()
    ]
    rows = (await connection.execute(union_all(*documents))).all()
    completed = await complete_documents(connection, rows)
    return {row.id: document for row, document in zip(rows, completed, strict=True)}


async def citing_documents(
    connection: ReadConnection, id_: str, knowledge: Knowledge, most: int
) -> tuple[Sequence[str], int]:
    """Return the newest events whose relations name one, as documents, and how many there are."""
    order, found = ORDERS[Sort.NEWEST], []
    for tables, known in knowledge.sources():
        event = tables.event
        columns = [*order.columns_of(event), event.document]
        found.append(select(*columns).where(event.related.contains([id_]), known))
    citing = union_all(*found).subquery()
    statement = select(
        citing.c.document, knowledge.parties_as_of(), func.count().over().label("total")
    )
    rows = await connection.execute(statement.order_by(*order.sorted(citing.c)).limit(most))
    listed = rows.all()
    completed = await complete_documents(connection, listed)
    return completed, listed[0].total if listed else 0
