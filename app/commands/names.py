"""What parties were called when: the names that they are found by, and the words in those names."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, update

from app.db.connections import WriteConnection
from app.db.names import PartyName, PartyWords
from app.db.tables import Table
from app.domain.names import fold
from app.domain.reference import PartyFacts
from app.domain.search import name_words

# A party that is younger than what is asked about goes by its first names.
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


async def begin(
    connection: WriteConnection, parties: Sequence[PartyFacts], since: datetime
) -> None:
    """Let these be what the parties are called from an instant on."""
    for table in (PartyWords, PartyName):
        rows = [row for party in parties for row in name_rows(party, since, None)[table]]
        await connection.execute(insert(table), rows)


def name_rows(
    party: PartyFacts, since: datetime, until: datetime | None
) -> dict[type[Table], list[dict[str, Any]]]:
    """Return the rows of what a party was called from an instant until another, None until now."""
    key = {"party": party.id, "known_from": since, "known_to": until}
    folded = {fold(name) for name in party.names} - {""}
    return {
        PartyWords: [key | {"words": name_words(party.called)}],
        PartyName: [key | {"folded": each} for each in folded],
    }


async def end(connection: WriteConnection, party: str, until: datetime) -> None:
    """Let what the party is called be what it was called until then."""
    for table in (PartyName, PartyWords):
        so_far = (table.party == party) & table.known_to.is_(None)
        await connection.execute(update(table).where(so_far).values(known_to=until))
