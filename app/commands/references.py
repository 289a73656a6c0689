"""Whether what events name exists: parties, regimes, other events."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.tables import EventRevision, Party, Regime
from app.domain.errors import MAX_FAULTS, Fault, NameKind, RefusedError, UnknownName
from app.domain.event import EventFacts

_Named = tuple[NameKind, str, str]


async def check_references(
    connection: ReadConnection, events: Mapping[str, EventFacts], *, several: bool = False
) -> None:
    """Make sure that everything exists which these events name; they may name each other.

    Raises:
        RefusedError: the names that lead nowhere. What they may have been meant for isn't looked
            for here, because the journal's lock may be held.

    """
    named = {event: list(names_in(facts)) for event, facts in events.items()}
    parties, regimes, related = (
        names_of(kind, named.values()) for kind in (NameKind.PARTY, NameKind.REGIME, NameKind.EVENT)
    )
    known = {
        NameKind.PARTY: await _existing(connection, Party.id, parties),
        NameKind.REGIME: await _existing(connection, Regime.code, regimes),
        NameKind.EVENT: {*events, *await _existing(connection, EventRevision.event, related)},
    }
    found = (
        fault
        for event, entries in named.items()
        for fault in _faults(event, entries, known, f"{event}: " if several else "")
    )
    if faults := tuple(islice(found, MAX_FAULTS)):
        raise RefusedError(*faults)


def _faults(
    event: str, entries: Collection[_Named], known: Mapping[NameKind, Collection[str]], place: str
) -> Iterator[Fault]:
    for kind, field, name in entries:
        if kind is NameKind.EVENT and name == event:
            message = f"{place}An event can't be related to itself."
            yield Fault("body", field, "unknown_reference", message)
        elif name not in known[kind]:
            message = f"{place}There is no {kind} {name}."
            unknown = UnknownName(kind, name)
            yield Fault("body", field, "unknown_reference", message, unknown=unknown)


def names_in(facts: EventFacts) -> Iterator[_Named]:
    """Return what an event names: which kind of thing, in which field, by which key."""
    for place, participant in enumerate(facts.participants):
        yield NameKind.PARTY, f"participants.{place}.party", participant.party
    if facts.regime is not None:
        yield NameKind.REGIME, "regime", facts.regime
    for place, relation in enumerate(facts.relations):
        yield NameKind.EVENT, f"relations.{place}.event", relation.event


def names_of(kind: NameKind, entries: Iterable[Iterable[_Named]]) -> set[str]:
    """Return the names of one kind among what several events name."""
    return {name for each in entries for what, _, name in each if what is kind}


async def _existing(
    connection: ReadConnection, column: InstrumentedAttribute[str], names: Collection[str]
) -> set[str]:
    if not names:
        return set()
    return set(await connection.scalars(select(column).where(among(column, names)).distinct()))
