"""Revisions of parties and regimes: numbered, linked and told of in the journal as events are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from app.commands import chain, journal
from app.commands.journal import Place
from app.commands.revise import Author
from app.db.connections import WriteConnection
from app.db.tables import ReferenceRevision
from app.domain.reference import PartyFacts, RegimeFacts


@dataclass(frozen=True, slots=True)
class ReferenceChange:
    """A revision to be added."""

    id: str
    revision: int
    facts: dict[str, Any]

    @classmethod
    def of_party(cls, party: PartyFacts, revision: int = 1) -> "ReferenceChange":
        """Return the revision that a party's facts make."""
        return cls(party.id, revision, _facts(party, "id"))

    @classmethod
    def of_regime(cls, regime: RegimeFacts, revision: int = 1) -> "ReferenceChange":
        """Return the revision that a regime's facts make."""
        return cls(regime.code, revision, _facts(regime, "code"))


async def add_reference_revisions(
    connection: WriteConnection, type_: str, changes: Sequence[ReferenceChange], author: Author
) -> Place:
    """Add revisions in the order given, and link them; the journal's lock must be held.

    Returns:
        The place of the first; the others follow it.

    """
    first = await journal.next_place(connection)
    await insert_reference_revisions(connection, type_, changes, author, first)
    await chain.link(connection)
    return first


async def insert_reference_revisions(
    connection: WriteConnection,
    type_: str,
    changes: Sequence[ReferenceChange],
    author: Author,
    first: Place,
) -> None:
    """Insert revisions from a place in the journal onwards, to be linked by the caller."""
    rows = [
        {
            "type": type_,
            "id": change.id,
            "revision": change.revision,
            "seq": first.seq + offset,
            "recorded_at": first.plus(offset).recorded_at,
            "action": "record" if change.revision == 1 else "correct",
            "by": author.name,
            "note": author.note,
            "facts": change.facts,
        }
        for offset, change in enumerate(changes)
    ]
    await connection.execute(insert(ReferenceRevision), rows)
    await journal.announce(connection)


def _facts(stated: PartyFacts | RegimeFacts, key: str) -> dict[str, Any]:
    return stated.model_dump(mode="json", exclude={key}, exclude_none=True)
