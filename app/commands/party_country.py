"""Let a party belong to another country: events are filtered and counted by it.

What shows a party is put together when it is read, but the rows of its events in the indexes hold
its country. A few of them are changed under the journal's lock; many in batches before it is taken,
in one transaction, so that readers see all or nothing of it (see appointment.py).
"""

from datetime import datetime

from sqlalchemy import literal, text

from app.commands.projection import copy_to_past
from app.db.connections import WriteConnection
from app.db.projections import Event

_UNMOVED = """
    SELECT DISTINCT event FROM event_party
    WHERE party = :party AND country IS DISTINCT FROM CAST(:country AS text)
    LIMIT :limit
"""
# What grows with the party's events is not looked at under the lock: only what is new.
_UNMOVED_SINCE = """
    SELECT DISTINCT p.event FROM event_revision r JOIN event_party p ON p.event = r.event
    WHERE r.seq > :since AND p.party = :party
      AND p.country IS DISTINCT FROM CAST(:country AS text)
    LIMIT :limit
"""
_LOCK = "SELECT id FROM event WHERE id = ANY(:events) FOR NO KEY UPDATE SKIP LOCKED"
_MOVE_PARTY = """
    UPDATE event_party SET country = :country WHERE party = :party AND event = ANY(:events)
"""
_MOVE_EVENTS = """
    UPDATE event SET known_from = :instant, countries = coalesce((
        SELECT string_agg(DISTINCT country, ' ' ORDER BY country)
        FROM event_party WHERE event = event.id
    ), '')
    WHERE id = ANY(:events)
"""
_MOVE_BESIDE = """
    UPDATE event_party SET countries = event.countries
    FROM event WHERE event_party.event = event.id AND event.id = ANY(:events)
"""


async def find_unmoved(
    connection: WriteConnection, party: str, country: str | None, limit: int
) -> list[str]:
    """Return some of the live events in which a party still belongs to another country."""
    given = {"party": party, "country": country, "limit": limit}
    return list(await connection.scalars(text(_UNMOVED), given))


async def find_unmoved_since(
    connection: WriteConnection, party: str, country: str | None, since: int, limit: int
) -> list[str]:
    """Return those of them that were recorded behind a number of the journal."""
    given = {"party": party, "country": country, "since": since, "limit": limit}
    return list(await connection.scalars(text(_UNMOVED_SINCE), given))


async def lock_events(connection: WriteConnection, events: list[str]) -> list[str]:
    """Return those of the events that nobody else is changing, and keep others from them.

    Without this, an event that changes between two statements of a batch is counted wrongly.
    """
    return list(await connection.scalars(text(_LOCK), {"events": events}))


async def move_events(
    connection: WriteConnection,
    party: str,
    country: str | None,
    events: list[str],
    instant: datetime,
) -> None:
    """Let a party belong to another country in these live events.

    Args:
        connection: in the transaction that records the party's revision.
        party: its id.
        country: the code of the country that it belongs to from now on, if any.
        events: the ids of the events.
        instant: when that is recorded.

    """
    await copy_to_past(connection, Event.id.in_(events), literal(instant))
    given = {"party": party, "country": country, "events": events, "instant": instant}
    for statement in (_MOVE_PARTY, _MOVE_EVENTS, _MOVE_BESIDE):
        await connection.execute(text(statement), given)
