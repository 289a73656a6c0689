"""Make the projections anew from the revisions, in batches that each commit by themselves.

Readers are served meanwhile, and a batch holds the journal's lock, so that no write slips between
the reading of its revisions and the writing of its projection.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql

from app.commands import counts, journal
from app.commands.projection_rows import (
    Batch,
    fetch_events,
    fetch_parties,
    fetch_regimes,
)
from app.db.connections import ReadConnection, WriteConnection
from app.db.engine import Database
from app.db.register import ProjectionState
from app.db.tables import EventRevision, Party, ReferenceRevision, Regime, Table
from app.domain.territories import memberships_digest

_REFERRED_TO = (Party, Regime)
"""Tables whose rows stay where they are, as keys refer to them."""


async def count_events(connection: ReadConnection) -> int:
    """Return how many events were ever recorded."""
    found = await connection.scalar(
        select(func.count()).select_from(EventRevision).where(EventRevision.revision == 1)
    )
    return found or 0


async def rebuild(database: Database) -> AsyncIterator[int]:
    """Rebuild all that is read, yielding after each batch how many events it held.

    Raises:
        TamperedError: a revision can't be read, or names a party or regime that has none.

    """
    for fetch in (fetch_parties, fetch_regimes):
        async for _ in _rebuild_batches(database, fetch):
            pass
    async for batch in _rebuild_batches(database, fetch_events):
        yield batch.ids
    async with database.writing() as connection:
        await journal.lock(connection)
        await _delete_unrecorded(connection)
        await counts.recount(connection)
        state = {"stale": False, "memberships": memberships_digest()}
        await connection.execute(update(ProjectionState).values(state))
        await journal.count_change(connection)


async def _rebuild_batches(
    database: Database, fetch: Callable[[ReadConnection, str], Awaitable[Batch]]
) -> AsyncIterator[Batch]:
    after: str | None = ""
    while after is not None:
        async with database.writing() as connection:
            await journal.lock(connection)
            batch = await fetch(connection, after)
            await _write(connection, batch)
            await journal.count_change(connection)
        yield batch
        after = batch.last


async def _write(connection: WriteConnection, batch: Batch) -> None:
    """Put the rows of a batch in place of what lies in its range."""
    for table in reversed(batch.rows):
        if table not in _REFERRED_TO:
            await connection.execute(delete(table).where(batch.covers(table)))
    for table, numbered in batch.rows.items():
        rows = [row.values for row in numbered]
        if rows and table in _REFERRED_TO:
            await _put(connection, table, rows)
        elif rows:
            await connection.execute(insert(table), rows)


async def _put(
    connection: WriteConnection, table: type[Table], rows: Sequence[dict[str, Any]]
) -> None:
    """Insert rows, and update those that differ."""
    columns = table.__table__.c
    statement = postgresql.insert(table)
    made = statement.excluded
    others = [column for column in columns if not column.primary_key]
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[column for column in columns if column.primary_key],
            set_={column.name: made[column.name] for column in others},
            where=tuple_(*others).is_distinct_from(
                tuple_(*(made[column.name] for column in others))
            ),
        ),
        rows,
    )


async def _delete_unrecorded(connection: WriteConnection) -> None:
    """Delete regimes and parties without a revision; what was rebuilt refers to none of them."""
    for table, key, type_ in ((Regime, Regime.code, "regime"), (Party, Party.id, "party")):
        recorded = exists().where(ReferenceRevision.type == type_, ReferenceRevision.id == key)
        await connection.execute(delete(table).where(~recorded))
