"""What parties were called when: the names that they are found by, and the words in those names."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.db.connections import WriteConnection
from app.db.names import PartyName, PartyWords
from app.db.tables import ReferenceRevision
from app.domain.names import fold
from app.domain.reference import PartyFacts
from app.domain.search import name_words
from app.domain.text import RECORDED

# A party that is younger than what is asked about goes by its first names.
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


async def begin(
    connection: WriteConnection,
    parties: Sequence[PartyFacts],
    since: datetime,
    until: datetime | None = None,
) -> None:
    """Let these be what the parties are called from one instant until another, or from then on."""
    time = {"known_from": since, "known_to": until}
    words = [{"party": p.id, "words": name_words(p.called), **time} for p in parties]
    names = [
        {"party": party.id, "folded": folded, **time}
        for party in parties
        for folded in {fold(name) for name in party.names} - {""}
    ]
    await connection.execute(insert(PartyWords), words)
    await connection.execute(insert(PartyName), names)


async def end(connection: WriteConnection, party: str, until: datetime) -> None:
    """Let what the party is called be what it was called until then."""
    for table in (PartyName, PartyWords):
        so_far = (table.party == party) & table.known_to.is_(None)
        await connection.execute(update(table).where(so_far).values(known_to=until))


async def rebuild_names(connection: WriteConnection) -> None:
    """Make all this anew from the parties' revisions; the journal's lock must be held."""
    await connection.execute(delete(PartyName))
    await connection.execute(delete(PartyWords))
    table = ReferenceRevision
    rows = await connection.execute(
        select(table.__table__).where(table.type == "party").order_by(table.id, table.revision)
    )
    for _, group in groupby(rows, key=lambda row: row.id):
        revisions = list(group)
        begins = [BEFORE_ALL, *(each.recorded_at for each in revisions[1:])]
        for each, since, until in zip(revisions, begins, [*begins[1:], None], strict=True):
            await begin(connection, [_facts(each)], since, until)


def _facts(row: Any) -> PartyFacts:
    return PartyFacts.model_validate({"id": row.id, **row.facts}, context=RECORDED)
