"""Let a party belong to another country: events are filtered and counted by it."""

from datetime import datetime

from sqlalchemy import literal, select, text

from app.commands import counts
from app.commands.projection import copy_to_past
from app.db.connections import WriteConnection
from app.db.projections import Event, EventParty

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


async def move_party(
    connection: WriteConnection, party: str, country: str | None, instant: datetime
) -> None:
    """Let a party belong to another country in all that is read since an instant.

    Args:
        connection: in the transaction that records the party's revision.
        party: its id.
        country: the code of the country that it belongs to from now on, if any.
        instant: when that was recorded.

    """
    taking_part = select(EventParty.event).where(EventParty.party == party).distinct()
    events = list(await connection.scalars(taking_part))
    await counts.take(connection, events)
    await copy_to_past(connection, Event.id.in_(events), literal(instant))
    given = {"party": party, "country": country, "events": events, "instant": instant}
    for statement in (_MOVE_PARTY, _MOVE_EVENTS, _MOVE_BESIDE):
        await connection.execute(text(statement), given)
    await counts.add(connection, events)
