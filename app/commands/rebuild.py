"""Make the projections anew from the revisions, in batches that each commit by themselves.

Readers are served meanwhile, and a batch holds the journal's lock, so that no write slips between
the reading of its revisions and the writing of its projection.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.commands import journal
from app.commands.projection import Live, project, remove
from app.commands.reference import rebuild_names
from app.db.engine import Database, ReadConnection, WriteConnection
from app.db.tables import Event, EventRevision
from app.domain.document import Stamp
from app.domain.event import EventFacts

BATCH = 500
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
_GONE = ("retract", "merge")


async def count_events(connection: ReadConnection) -> int:
    """Return how many events were ever recorded."""
    found = await connection.scalar(
        select(func.count()).select_from(EventRevision).where(EventRevision.revision == 1)
    )
    return found or 0


async def rebuild(database: Database) -> AsyncIterator[int]:
    """Rebuild names and events, yielding after each batch how many events it held."""
    async with database.writing() as connection:
        await rebuild_names(connection)
    after = ""
    while True:
        async with database.writing() as connection:
            await journal.lock(connection)
            latest = await _latest_revisions(connection, after)
            await _project_batch(connection, latest)
            await _remove_strays(connection, after, latest)
        if not latest:
            return
        after = latest[-1].event
        yield len(latest)


async def _latest_revisions(connection: WriteConnection, after: str) -> Sequence[AnyRow]:
    first = select(EventRevision.event, EventRevision.recorded_at).where(
        EventRevision.revision == 1, EventRevision.event > after
    )
    batch = first.order_by(EventRevision.event).limit(BATCH).subquery()
    rows = await connection.execute(
        select(
            EventRevision.event,
            EventRevision.revision,
            EventRevision.action,
            EventRevision.facts,
            EventRevision.recorded_at.label("updated_at"),
            batch.c.recorded_at,
        )
        .join(batch, batch.c.event == EventRevision.event)
        .ext(distinct_on(EventRevision.event))
        .order_by(EventRevision.event, EventRevision.revision.desc())
    )
    return rows.all()


async def _project_batch(connection: WriteConnection, latest: Sequence[AnyRow]) -> None:
    await project(
        connection,
        [
            Live(
                row.event,
                EventFacts.model_validate(row.facts),
                Stamp(row.revision, row.recorded_at, row.updated_at),
            )
            for row in latest
            if row.action not in _GONE
        ],
    )
    await remove(connection, [row.event for row in latest if row.action in _GONE])


async def _remove_strays(connection: WriteConnection, after: str, latest: Sequence[AnyRow]) -> None:
    """Remove what the projection holds in the batch's range without a revision behind it."""
    stray = delete(Event).where(Event.id > after, Event.id.not_in([row.event for row in latest]))
    if latest:
        stray = stray.where(Event.id <= latest[-1].event)
    await connection.execute(stray)
