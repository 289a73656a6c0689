"""Record new events: revision 1 of each, its place in the journal, and what is read of it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, inspect, select

from app.commands import journal
from app.commands.journal import Place
from app.commands.projection import Live, project
from app.db.engine import WriteConnection
from app.db.tables import EventRevision, Party, Regime, Table
from app.domain.document import Stamp
from app.domain.errors import Fault, RefusedError
from app.domain.event import EventFacts


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event under the id it shall have for good."""

    id: str
    facts: EventFacts


async def record_unseen(
    connection: WriteConnection, events: Sequence[NewEvent], by: str, note: str | None = None
) -> int:
    """Record those events whose ids were never used, and return how many that were.

    Raises:
        RefusedError: an event names a party, a regime or another event that doesn't exist.

    """
    await journal.lock(connection)
    used = await _used(connection, [event.id for event in events])
    unseen = [event for event in events if event.id not in used]
    await _check_references(connection, unseen)
    place = await journal.next_place(connection)
    if unseen:
        await _write(connection, unseen, place, by, note)
    return len(unseen)


async def _write(
    connection: WriteConnection, events: Sequence[NewEvent], first: Place, by: str, note: str | None
) -> None:
    places = [first.plus(offset) for offset in range(len(events))]
    await connection.execute(
        insert(EventRevision),
        [
            {
                "event": event.id,
                "revision": 1,
                "seq": place.seq,
                "recorded_at": place.recorded_at,
                "action": "record",
                "by": by,
                "note": note,
                "facts": event.facts.model_dump(mode="json", exclude_none=True),
            }
            for event, place in zip(events, places, strict=True)
        ],
    )
    await project(
        connection,
        [
            Live(event.id, event.facts, Stamp(1, place.recorded_at, place.recorded_at))
            for event, place in zip(events, places, strict=True)
        ],
    )


async def _used(connection: WriteConnection, ids: Collection[str]) -> set[str]:
    rows = await connection.scalars(
        select(EventRevision.event).where(EventRevision.event.in_(ids)).distinct()
    )
    return set(rows)


async def _check_references(connection: WriteConnection, events: Sequence[NewEvent]) -> None:
    own = {event.id for event in events}
    related = {name for event in events for name in _related(event)} - own
    known = {
        "party": await _existing(connection, Party, {p for e in events for p in _parties(e)}),
        "regime": await _existing(connection, Regime, {r for e in events for r in _regimes(e)}),
        "event": own | await _used(connection, related),
    }
    faults = [fault for event in events for fault in _unknown(event, known)]
    if faults:
        raise RefusedError(*faults)


async def _existing(
    connection: WriteConnection, table: type[Table], keys: Collection[str]
) -> set[str]:
    (key,) = inspect(table).primary_key
    return set(await connection.scalars(select(key).where(key.in_(keys))))


def _parties(event: NewEvent) -> Iterator[str]:
    return (participant.party for participant in event.facts.participants)


def _regimes(event: NewEvent) -> Iterable[str]:
    return [event.facts.regime] if event.facts.regime else []


def _related(event: NewEvent) -> Iterator[str]:
    return (relation.event for relation in event.facts.relations)


def _unknown(event: NewEvent, known: dict[str, set[str]]) -> Iterator[Fault]:
    named = {"party": _parties(event), "regime": _regimes(event), "event": _related(event)}
    for what, names in named.items():
        for name in names:
            if name not in known[what]:
                message = f"{event.id} names the {what} {name}, which doesn't exist."
                yield Fault("body", what, "unknown_reference", message)
