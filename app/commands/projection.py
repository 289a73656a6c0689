"""From revisions to what is read: the live event with its document, and who takes part in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import Range

from app.db.engine import WriteConnection
from app.db.tables import Event, EventParty
from app.db.tables import Party as PartyTable
from app.domain.dates import Days, days_of
from app.domain.document import Party, Stamp, render
from app.domain.event import EventFacts
from app.domain.vocabulary import DateName, family_of


@dataclass(frozen=True, slots=True)
class Live:
    """An event as it now stands: the facts of its latest revision, and the journal's stamp."""

    id: str
    facts: EventFacts
    stamp: Stamp


async def project(connection: WriteConnection, events: Sequence[Live]) -> None:
    """Put these events in place of whatever the projection holds under their ids."""
    if not events:
        return
    parties = await _parties(connection, events)
    await remove(connection, [event.id for event in events])
    await connection.execute(insert(Event), [_event_row(event, parties) for event in events])
    await connection.execute(
        insert(EventParty), [row for event in events for row in _party_rows(event, parties)]
    )


async def remove(connection: WriteConnection, events: Sequence[str]) -> None:
    """Take events out of the projection; who took part in them goes along."""
    await connection.execute(delete(Event).where(Event.id.in_(events)))


async def _parties(connection: WriteConnection, events: Sequence[Live]) -> Mapping[str, Party]:
    ids = {participant.party for event in events for participant in event.facts.participants}
    rows = await connection.execute(
        select(PartyTable.id, PartyTable.name, PartyTable.kind, PartyTable.country).where(
            PartyTable.id.in_(ids)
        )
    )
    return {row.id: Party(*row) for row in rows}


def _event_row(event: Live, parties: Mapping[str, Party]) -> dict[str, Any]:
    facts = event.facts
    return {
        "id": event.id,
        "revision": event.stamp.revision,
        "kind": facts.kind,
        "family": family_of(facts.kind),
        "status": facts.status,
        "verification": facts.verification,
        "direction": facts.direction,
        "regime": facts.regime,
        "measure": facts.measure,
        **_sort_days(facts.days),
        **{name: _range(getattr(facts.dates, name)) for name in DateName},
        "recorded_at": event.stamp.recorded_at,
        "updated_at": event.stamp.updated_at,
        "document": render(event.id, facts, event.stamp, parties),
    }


def _party_rows(event: Live, parties: Mapping[str, Party]) -> list[dict[str, Any]]:
    return [
        {
            "event": event.id,
            "position": position,
            "party": participant.party,
            "role": participant.role,
            "country": parties[participant.party].country,
            **_sort_days(event.facts.days),
        }
        for position, participant in enumerate(event.facts.participants)
    ]


def _sort_days(days: Days) -> dict[str, date]:
    # The driver writes the least and the greatest date as PostgreSQL's -infinity and infinity.
    return {"earliest": days.first or date.min, "latest": days.last or date.max}


def _range(edtf: str | None) -> Range[date] | None:
    if edtf is None:
        return None
    days = days_of(edtf)
    return Range(days.first, days.last, bounds="[]")
