"""Make the projections anew from the revisions, in batches that each commit by themselves.

Readers are served meanwhile, and a batch holds the journal's lock, so that no write slips between
the reading of its revisions and the writing of its projection.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

from app.commands import counts, journal
from app.commands.names import rebuild_names
from app.commands.projection import put
from app.db.conditions import among
from app.db.connections import ReadConnection, WriteConnection
from app.db.engine import Database
from app.db.projections import Event, PastEvent
from app.db.register import ProjectionState
from app.db.tables import EventRevision, ReferenceRevision
from app.domain.history import Belonging, Revision, revision_of, versions
from app.domain.territories import memberships_digest

BATCH = 500


async def count_events(connection: ReadConnection) -> int:
    """Return how many events were ever recorded."""
    found = await connection.scalar(
        select(func.count()).select_from(EventRevision).where(EventRevision.revision == 1)
    )
    return found or 0


async def rebuild(database: Database) -> AsyncIterator[int]:
    """Rebuild names and events, yielding after each batch how many events it held."""
    async with database.writing() as connection:
        await journal.lock(connection)
        await rebuild_names(connection)
    after = ""
    while True:
        async with database.writing() as connection:
            await journal.lock(connection)
            histories = await _histories(connection, after)
            last = histories[-1][0].event if histories else None
            await _clear(connection, after, last)
            belongings = await _belongings(connection, histories)
            made = [v for history in histories for v in versions(history, belongings)]
            await put(connection, made)
            await journal.count_change(connection)
            if last is None:
                await counts.recount(connection)
                state = {"stale": False, "memberships": memberships_digest()}
                await connection.execute(update(ProjectionState).values(state))
                return
        after = last
        yield len(histories)


async def _histories(connection: WriteConnection, after: str) -> list[list[Revision]]:
    """Return the revisions of the next events in the order of their ids, event by event."""
    batch = (
        select(EventRevision.event)
        .where(EventRevision.revision == 1, EventRevision.event > after)
        .order_by(EventRevision.event)
        .limit(BATCH)
    )
    first = aliased(EventRevision)
    rows = await connection.execute(
        select(EventRevision.__table__, first.recorded_at.label("first_recorded_at"))
        .join(first, (first.event == EventRevision.event) & (first.revision == 1))
        .where(EventRevision.event.in_(batch))
        .order_by(EventRevision.event, EventRevision.revision)
    )
    revisions = [revision_of(row) for row in rows]
    return [list(group) for _, group in groupby(revisions, key=lambda each: each.event)]


async def _belongings(
    connection: WriteConnection, histories: Sequence[Sequence[Revision]]
) -> Mapping[str, list[Belonging]]:
    """Return where the parties in these histories belonged, in the order of time."""
    named = {p.party for history in histories for r in history for p in r.facts.participants}
    if not named:
        return {}
    table = ReferenceRevision
    rows = await connection.execute(
        select(table.id, table.recorded_at, table.facts["country"].astext.label("country"))
        .where(table.type == "party", among(table.id, named))
        .order_by(table.id, table.revision)
    )
    belongings: dict[str, list[Belonging]] = {}
    for row in rows:
        belongings.setdefault(row.id, []).append(Belonging(row.recorded_at, row.country))
    return belongings


async def _clear(connection: WriteConnection, after: str, last: str | None) -> None:
    """Empty the batch's range, also of what has no revision behind it."""
    for table in (Event, PastEvent):
        statement = delete(table).where(table.id > after)
        if last is not None:
            statement = statement.where(table.id <= last)
        await connection.execute(statement)
