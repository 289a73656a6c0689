"""Whether what events name exists: parties, regimes, other events."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from sqlalchemy import inspect, select

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.tables import EventRevision, Party, Regime, Table
from app.domain.errors import Fault, RefusedError
from app.domain.event import EventFacts

_Named = Iterator[tuple[str, str, str]]


_MOST_COMPARED = 200


async def check_references(
    connection: ReadConnection, events: Mapping[str, EventFacts], *, several: bool = False
) -> None:
    """Make sure that everything exists which these events name; they may name each other.

    Raises:
        RefusedError: every name that leads nowhere, with similar ones that do.

    """
    named = {event: list(names_in(facts)) for event, facts in events.items()}
    known = {
        "party": await _existing(connection, Party, _names(named.values(), "party")),
        "regime": await _existing(connection, Regime, _names(named.values(), "regime")),
        "event": {*events, *await _recorded(connection, _names(named.values(), "event"))},
    }
    faults = [
        Fault("body", field, "unknown_reference", message, await _similar(connection, what, name))
        for event, entries in named.items()
        for what, field, name in entries
        if (message := _unknown(event, what, name, known, several=several))
    ]
    if faults:
        raise RefusedError(*faults)


def _unknown(
    event: str, what: str, name: str, known: Mapping[str, Collection[str]], *, several: bool
) -> str | None:
    place = f"{event}: " if several else ""
    if what == "event" and name == event:
        return f"{place}An event can't be related to itself."
    return None if name in known[what] else f"{place}There is no {what} {name}."


def names_in(facts: EventFacts) -> _Named:
    """Return what an event names: which sort of thing, in which field, by which key."""
    for place, participant in enumerate(facts.participants):
        yield "party", f"participants.{place}.party", participant.party
    if facts.regime is not None:
        yield "regime", "regime", facts.regime
    for place, relation in enumerate(facts.relations):
        yield "event", f"relations.{place}.event", relation.event


def _names(entries: Collection[list[tuple[str, str, str]]], what: str) -> set[str]:
    return {name for each in entries for kind, _, name in each if kind == what}


async def _existing(
    connection: ReadConnection, table: type[Table], keys: Collection[str]
) -> set[str]:
    if not keys:
        return set()
    (key,) = inspect(table).primary_key
    return set(await connection.scalars(select(key).where(among(key, keys))))


async def _recorded(connection: ReadConnection, events: Collection[str]) -> set[str]:
    if not events:
        return set()
    column = EventRevision.event
    return set(await connection.scalars(select(column).where(among(column, events)).distinct()))


async def _similar(connection: ReadConnection, what: str, name: str) -> tuple[str, ...]:
    """Return existing keys that the name may have been meant for.

    Events are too many to compare with, so only those that begin like it are.
    """
    if what == "event":
        column = EventRevision.event
        alike = column.startswith(name[: len(name) // 2], autoescape=True)
        statement = select(column).where(alike, EventRevision.revision == 1).order_by(column)
        known = await connection.scalars(statement.limit(_MOST_COMPARED))
    else:
        known = await connection.scalars(select(Party.id if what == "party" else Regime.code))
    return tuple(get_close_matches(name, known.all(), n=3))
