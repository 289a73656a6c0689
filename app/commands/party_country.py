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
