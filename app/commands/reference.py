"""Add reference data that isn't there yet: territories as parties, other parties, regimes.

What is there is left alone, because an editor may have corrected it.
"""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from app.db.engine import WriteConnection
from app.db.tables import Party, PartyName, Regime
from app.domain.names import fold
from app.domain.reference import PartyFacts, RegimeFacts
from app.domain.territories import Territory, territories
from app.domain.vocabulary import PartyKind


async def add_territories(connection: WriteConnection) -> int:
    """Make a party of every territory that isn't a bloc, and return how many were new."""
    named = [_as_party(each) for each in territories().values() if each.kind != "bloc"]
    return await add_parties(connection, named)


async def add_parties(connection: WriteConnection, parties: Sequence[PartyFacts]) -> int:
    """Add the parties whose ids are unseen, and return how many that were."""
    added = await connection.scalars(
        insert_or_skip(Party)
        .values([party.model_dump() | {"aliases": list(party.aliases)} for party in parties])
        .on_conflict_do_nothing()
        .returning(Party.id)
    )
    new = set(added)
    await _add_names(connection, [party for party in parties if party.id in new])
    return len(new)


async def add_regimes(connection: WriteConnection, regimes: Sequence[RegimeFacts]) -> int:
    """Add the regimes whose codes are unseen, and return how many that were."""
    added = await connection.scalars(
        insert_or_skip(Regime)
        .values([regime.model_dump() | {"aliases": list(regime.aliases)} for regime in regimes])
        .on_conflict_do_nothing()
        .returning(Regime.code)
    )
    return len(added.all())


async def rebuild_names(connection: WriteConnection) -> None:
    """Make the names that parties are found by anew from the parties."""
    await connection.execute(delete(PartyName))
    rows = await connection.execute(
        select(Party.id, Party.kind, Party.name, Party.country, Party.aliases)
    )
    parties = [PartyFacts.model_validate(row, from_attributes=True) for row in rows]
    await _add_names(connection, parties)


async def _add_names(connection: WriteConnection, parties: Sequence[PartyFacts]) -> None:
    keys = {(fold(name), party.id) for party in parties for name in party.names}
    rows = [{"folded": folded, "party": party} for folded, party in keys if folded]
    if rows:
        await connection.execute(insert(PartyName), rows)


def _as_party(territory: Territory) -> PartyFacts:
    # The territory's aliases stay in its own table, which names are looked up in as well.
    code = territory.code
    return PartyFacts(id=code, kind=PartyKind.STATE, name=territory.name, country=code)
