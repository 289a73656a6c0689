"""What a form offers to choose from, and what ids and codes are called."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import null, select, union_all

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.tables import Party, Regime
from app.domain.vocabulary import PartyKind

# A form can't show them all; whoever isn't offered can still be written.
MOST_OFFERED = 500


async def offered_choices(connection: ReadConnection) -> tuple[Sequence[str], Mapping[str, str]]:
    """Return names to choose from, in one statement.

    They are the names of parties that are no states, as far as a form can offer them, and those of
    all regimes by their codes.
    """
    parties = (
        select(null().label("code"), Party.name)
        .where(Party.kind != PartyKind.STATE)
        .order_by(Party.name)
        .limit(MOST_OFFERED)
        .subquery()
    )
    both = union_all(select(*parties.c), select(Regime.code, Regime.name)).subquery()
    rows = (await connection.execute(select(*both.c).order_by(both.c.name))).all()
    names = [row.name for row in rows if row.code is None]
    return names, {row.code: row.name for row in rows if row.code is not None}


async def regime_names(connection: ReadConnection) -> Mapping[str, str]:
    """Return the names of all regimes by their codes."""
    rows = await connection.execute(select(Regime.code, Regime.name).order_by(Regime.name))
    return {row.code: row.name for row in rows}


async def names_of_parties(connection: ReadConnection, ids: Collection[str]) -> Mapping[str, str]:
    """Return the names of parties by their ids."""
    if not ids:
        return {}
    rows = await connection.execute(select(Party.id, Party.name).where(among(Party.id, ids)))
    return {row.id: row.name for row in rows}
