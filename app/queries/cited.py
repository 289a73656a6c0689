"""Events that are named by their ids, for those who show more of them than that."""

from collections.abc import Collection, Mapping

from sqlalchemy import select, union_all

from app.db.engine import ReadConnection
from app.queries.knowledge import Knowledge


async def cited_documents(
    connection: ReadConnection, ids: Collection[str], knowledge: Knowledge
) -> Mapping[str, str]:
    """Return the documents of those of the events that are or were live, by their ids."""
    documents = [
        select(tables.event.id, tables.event.document).where(tables.event.id.in_(ids), known)
        for tables, known in knowledge.sources()
    ]
    return {row.id: row.document for row in await connection.execute(union_all(*documents))}
