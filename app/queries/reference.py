"""Parties and regimes: what the filters accept, in the order of their keys."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.names import PartyName
from app.db.tables import Party, ReferenceRevision, Regime
from app.queries.keyset import AnyRow, Order
from app.queries.knowledge import Knowledge, Recorded

_PARTY = (Party.id, Party.revision, Party.name, Party.kind, Party.country, Party.aliases)
_REGIME = (
    Regime.code,
    Regime.revision,
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


async def reference_facts(
    connection: ReadConnection,
    type_: str,
    knowledge: Knowledge,
    ids: Collection[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the facts of parties or regimes by their ids, in the latest revisions that were known.

    Before there was one, they are those of the first.

    Args:
        connection: one that reads.
        type_: `party` or `regime`.
        knowledge: as known when.
        ids: which of them; all without it.

    """
    if ids is not None and not ids:
        return {}
    table = ReferenceRevision
    statement = (
        select(table.id, table.facts)
        .where(table.type == type_)
        .ext(distinct_on(table.id))
        .order_by(table.id, table.revision.desc())
    )
    if ids is not None:
        statement = statement.where(among(table.id, ids))
    if isinstance(knowledge, Recorded):
        known = table.recorded_at <= knowledge.instant
        statement = statement.where(or_(known, table.revision == 1))
    return {row.id: row.facts for row in await connection.execute(statement)}
