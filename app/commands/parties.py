"""Parties: adding those that aren't there, and putting them as editors know them.

What is there is left alone when territories or a timeline are added, because an editor may have
corrected it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from app.commands import journal, names
from app.commands.party_country import move_party
from app.commands.reference_revisions import ReferenceChange, add_reference_revisions
from app.commands.revise import Author
from app.db.connections import WriteConnection
from app.db.tables import Party
from app.domain.errors import Fault, RefusedError
from app.domain.reference import PartyFacts
from app.domain.territories import Territory, territories
from app.domain.text import RECORDED
from app.domain.vocabulary import PartyKind

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
        rows = [_row(party) | {"recorded_at": first.recorded_at} for party in new]
        await connection.execute(insert(Party), rows)
        await names.begin(connection, new, names.BEFORE_ALL)
    return len(new)


async def _unseen(connection: WriteConnection, parties: Sequence[PartyFacts]) -> list[PartyFacts]:
    known = set(await connection.scalars(select(Party.id)))
    return [party for party in parties if party.id not in known]


async def put_party(connection: WriteConnection, party: PartyFacts, author: Author) -> bool:
    """Record a party, or put these facts in place of its own; return whether it is new.

    Documents show its name, kind and country as of when they are read, so none is made anew.

    Raises:
        RefusedError: it belongs to a territory that doesn't exist, or its id is of the wrong sort.

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
        await _change_party(connection, before, party, found.revision + 1, author)
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
    connection: WriteConnection,
    before: PartyFacts,
    party: PartyFacts,
    revision: int,
    author: Author,
) -> None:
    change = ReferenceChange.of_party(party, revision)
    place = await add_reference_revisions(connection, "party", [change], author)
    values = _row(party) | {"revision": revision}
    await connection.execute(update(Party).where(Party.id == party.id).values(values))
    await names.end(connection, party.id, place.recorded_at)
    await names.begin(connection, [party], place.recorded_at)
    if before.country != party.country:
        await move_party(connection, party.id, party.country, place.recorded_at)


def _row(party: PartyFacts) -> dict[str, Any]:
    return party.model_dump() | {"aliases": list(party.aliases)}


def _as_party(territory: Territory) -> PartyFacts:
    # The territory's aliases stay in its own table, which names are looked up in as well.
    code = territory.code
    return PartyFacts(id=code, kind=PartyKind.STATE, name=territory.name, country=code)
