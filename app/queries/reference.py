"""Parties and regimes: what the filters accept, in the order of their keys."""

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.names import PartyName
from app.db.tables import Party, Regime, RegimeRevision
from app.queries.keyset import AnyRow, Order
from app.queries.knowledge import Knowledge, Recorded

_PARTY = (Party.id, Party.name, Party.kind, Party.country, Party.aliases)
_REGIME = (
    Regime.code,
    Regime.name,
    Regime.aliases,
    Regime.issuer,
    Regime.legal_basis,
    Regime.removal,
)


async def parties_page(
    connection: ReadConnection,
    folded: str,
    territories: Collection[str],
    limit: int,
    after: str | None,
) -> Sequence[AnyRow]:
    """Return parties with a name that holds the folded text, and those of these territories."""
    statement = select(*_PARTY)
    if folded:
        named = select(PartyName.party).where(
            PartyName.folded.contains(folded, autoescape=True), PartyName.known_to.is_(None)
        )
        places = [among(Party.id, territories)] if territories else []
        statement = statement.where(or_(Party.id.in_(named), *places))
    page = Order(("id",)).page(statement, Party, after and [after], limit)
    return (await connection.execute(page)).all()


async def party(connection: ReadConnection, key: str) -> AnyRow | None:
    """Return one party, or None."""
    return (await connection.execute(select(*_PARTY).where(Party.id == key))).one_or_none()


async def regimes(connection: ReadConnection) -> Sequence[AnyRow]:
    """Return all regimes; there are as many as there are lists in the world, which is few."""
    return (await connection.execute(select(*_REGIME).order_by(Regime.code))).all()


async def regime(connection: ReadConnection, key: str) -> AnyRow | None:
    """Return one regime, or None."""
    return (await connection.execute(select(*_REGIME).where(Regime.code == key))).one_or_none()


async def regime_then(connection: ReadConnection, key: str, knowledge: Knowledge) -> AnyRow | None:
    """Return one regime as it was known, or None; before it was recorded, as it was first."""
    table = RegimeRevision
    statement = select(table.__table__).where(table.code == key).order_by(table.revision.desc())
    if isinstance(knowledge, Recorded):
        known = table.recorded_at <= knowledge.instant
        statement = statement.where(or_(known, table.revision == 1))
    return (await connection.execute(statement.limit(1))).one_or_none()
