"""Parties: adding those that aren't there, and putting them as editors know them.

What is there is left alone when territories or a timeline are added, because an editor may have
corrected it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text, update

from app.commands import appointment, counts, journal, names
from app.commands.appointment import MissedError, Written
from app.commands.journal import Place
from app.commands.party_country import (
    find_unmoved,
    find_unmoved_since,
    lock_events,
    move_events,
)
from app.commands.reference_revisions import (
    ReferenceChange,
    add_reference_revisions,
    insert_reference_revisions,
)
from app.commands.revise import Author
from app.commands.staging import COUNT
from app.db.chain import LEAVES
from app.db.conditions import among
from app.db.connections import WriteConnection
from app.db.register import EventCount
from app.db.tables import EventRevision, Party
from app.domain.errors import Fault, ManyEventsError, RefusedError
from app.domain.reference import PartyFacts
from app.domain.territories import Territory, territories
from app.domain.text import RECORDED
from app.domain.vocabulary import PartyKind

MOST_AT_ONCE = 500
"""So many events are moved to another country under the lock, in less than a quarter second."""

# On two busy cores a second was enough for 1,000.
_SECONDS_AN_EVENT = 0.001
# Until somebody else has changed what they are changing.
_PAUSE_S = 0.02
_LEAF_AT = f"SELECT leaf FROM ({LEAVES}) journal WHERE seq = :seq"  # noqa: S608
_ITSELF = Author("chancery", "A territory of this release.")


async def add_territories(connection: WriteConnection) -> int:
    """Make a party of every territory that isn't a bloc, and return how many were new."""
    named = [_as_party(each) for each in territories().values() if each.kind != "bloc"]
    return await add_parties(connection, named, _ITSELF)


async def add_parties(
    connection: WriteConnection, parties: Sequence[PartyFacts], author: Author
) -> int:
    """Add the parties whose ids are unseen, and return how many that were."""
    if not await _unseen(connection, parties):
        return 0
    await journal.lock(connection)
    # Somebody else may have added them while the lock was waited for.
    if new := await _unseen(connection, parties):
        changes = [ReferenceChange.of_party(party) for party in new]
        first = await add_reference_revisions(connection, "party", changes, author)
        rows = [
            party_row(party) | {"recorded_at": first.plus(offset).recorded_at}
            for offset, party in enumerate(new)
        ]
        await connection.execute(insert(Party), rows)
        await names.begin(connection, new, names.BEFORE_ALL)
    return len(new)


async def _unseen(connection: WriteConnection, parties: Sequence[PartyFacts]) -> list[PartyFacts]:
    ids = [party.id for party in parties]
    recorded = set(await connection.scalars(select(Party.id).where(among(Party.id, ids))))
    return [party for party in parties if party.id not in recorded]


async def put_party(connection: WriteConnection, party: PartyFacts, author: Author) -> bool:
    """Record a party, or put these facts in place of its own; return whether it is new.

    Documents show its name, kind and country as of when they are read, so none is made anew.

    Raises:
        RefusedError: it belongs to a territory that doesn't exist, or its id is of the wrong sort.
        ManyEventsError: it moves to another country with so many events that `move_party` must.

    """
    _check_id(party)
    if party.country is not None and party.country not in territories():
        message = f"There is no territory {party.country}; /v1/territories lists them."
        raise RefusedError(Fault("body", "country", "unknown_reference", message))
    await journal.lock(connection)
    found = (
        await connection.execute(
            select(
                Party.id, Party.revision, Party.name, Party.kind, Party.country, Party.aliases
            ).where(Party.id == party.id)
        )
    ).one_or_none()
    if found is None:
        await add_parties(connection, [party], author)
        return True
    before = PartyFacts.model_validate(found, from_attributes=True, context=RECORDED)
    if before != party:
        await _change_party(connection, found, party, author)
    return False


def _check_id(party: PartyFacts) -> None:
    """Make sure that states go by their territory's code, and nobody else by a code."""
    territory = territories().get(party.id)
    is_state = territory is not None and territory.kind != "bloc"
    if is_state != (party.kind is PartyKind.STATE) or (
        not is_state and party.id != party.id.lower()
    ):
        message = "A state is named by its territory's code, and anybody else by lower-case words."
        raise RefusedError(Fault("body", "kind", "other_kind", message))
    if is_state and party.country != party.id:
        message = f"A state belongs to its own territory: write {party.id}."
        raise RefusedError(Fault("body", "country", "other_country", message))


async def _change_party(
    connection: WriteConnection, before: Any, party: PartyFacts, author: Author
) -> None:
    """Record another state of a party; the journal's lock must be held.

    Raises:
        ManyEventsError: it moves to another country with more events than can be changed at once.

    """
    events: list[str] = []
    if before.country != party.country:
        events = await find_unmoved(connection, party.id, party.country, MOST_AT_ONCE + 1)
        if len(events) > MOST_AT_ONCE:
            raise ManyEventsError
    change = ReferenceChange.of_party(party, before.revision + 1)
    place = await add_reference_revisions(connection, "party", [change], author)
    await _replace_party(connection, party, change.revision, place.recorded_at)
    if events:
        await counts.take(connection, events)
        await move_events(connection, party.id, party.country, events, place.recorded_at)
        await counts.add(connection, events)


async def _replace_party(
    connection: WriteConnection, party: PartyFacts, revision: int, instant: datetime
) -> None:
    """Put another state in place of a party's latest one, and of what it is called."""
    values = party_row(party) | {"revision": revision}
    await connection.execute(update(Party).where(Party.id == party.id).values(values))
    await names.end(connection, party.id, instant)
    await names.begin(connection, [party], instant)


@dataclass(slots=True)
class PartyMove:
    """A party that moves to another country with many events: written as appointment.py says."""

    party: PartyFacts
    revision: int
    author: Author
    # What was recorded behind this number may be unmoved when all else is moved.
    since: int = 0

    async def write(self, connection: WriteConnection, first: Place) -> Written:
        """Record the party's revision, and move its events in batches."""
        await connection.run_sync(COUNT.create)
        change = ReferenceChange.of_party(self.party, self.revision)
        await insert_reference_revisions(connection, "party", [change], self.author, first)
        await _replace_party(connection, self.party, self.revision, first.recorded_at)
        self.since = await connection.scalar(select(func.max(EventRevision.seq))) or 0
        while events := await find_unmoved(
            connection, self.party.id, self.party.country, MOST_AT_ONCE
        ):
            if not await self._move(connection, first, events):
                await asyncio.sleep(_PAUSE_S)
        leaves = await connection.scalar(text(_LEAF_AT), {"seq": first.seq})
        return Written(first, leaves)

    async def wait(self, connection: WriteConnection, first: Place) -> None:
        """Move events that others have recorded meanwhile, so that few are left for the lock."""
        await self._move(connection, first, await self._find_new(connection))

    async def finish(self, connection: WriteConnection, first: Place) -> None:
        """Move those that are left."""
        found = await self._find_new(connection)
        moved = await self._move(connection, first, found)
        if moved < len(found) or moved == MOST_AT_ONCE:
            raise MissedError

    async def _find_new(self, connection: WriteConnection) -> list[str]:
        return await find_unmoved_since(
            connection, self.party.id, self.party.country, self.since, MOST_AT_ONCE
        )

    async def _move(self, connection: WriteConnection, first: Place, found: list[str]) -> int:
        """Move those of the events that nobody else is changing, and return how many."""
        if not (found and (events := await lock_events(connection, found))):
            return 0
        await counts.stage_take(connection, events)
        await move_events(connection, self.party.id, self.party.country, events, first.recorded_at)
        await counts.stage_add(connection, events)
        return len(events)


async def hold_party(connection: WriteConnection, party: str) -> None:
    """Keep others from changing a party until this transaction ends."""
    held = select(Party.id).where(Party.id == party).with_for_update(key_share=True)
    await connection.execute(held)


async def move_party(connection: WriteConnection, party: PartyFacts, author: Author) -> None:
    """Put these facts in place of a party's own that moves to another country with many events.

    Other writers wait for the commit alone, readers see all of it or nothing.

    Args:
        connection: in a transaction of its own that holds the party, but not the journal's lock.
        party: its facts from now on.
        author: who changes it.

    Raises:
        BusyError: an import is being written, or too much else is.

    """
    revision = await connection.scalar(select(Party.revision).where(Party.id == party.id))
    events = await connection.scalar(
        select(EventCount.events).where(
            EventCount.counted_by == "party", EventCount.value == party.id
        )
    )
    move = PartyMove(party, (revision or 0) + 1, author)
    await appointment.write(connection, move, (events or 0) * _SECONDS_AN_EVENT)


def party_row(party: PartyFacts) -> dict[str, Any]:
    """Return what the row of a party holds of its facts."""
    return party.model_dump() | {"aliases": list(party.aliases)}


def _as_party(territory: Territory) -> PartyFacts:
    # The territory's aliases stay in its own table, which names are looked up in as well.
    code = territory.code
    return PartyFacts(id=code, kind=PartyKind.STATE, name=territory.name, country=code)
