"""Regimes: adding those that aren't there, and putting them as editors know them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from app.commands import journal
from app.commands.reference_revisions import ReferenceChange, add_reference_revisions
from app.commands.revise import Author
from app.db.conditions import among
from app.db.connections import WriteConnection
from app.db.tables import Party, Regime
from app.domain.errors import Fault, RefusedError
from app.domain.reference import RegimeFacts
from app.domain.text import RECORDED


async def add_regimes(
    connection: WriteConnection, regimes: Sequence[RegimeFacts], author: Author
) -> int:
    """Add the regimes whose codes are unseen, and return how many that were."""
    await journal.lock(connection)
    codes = select(Regime.code).where(among(Regime.code, [regime.code for regime in regimes]))
    recorded = set(await connection.scalars(codes))
    new = [regime for regime in regimes if regime.code not in recorded]
    if new:
        changes = [ReferenceChange.of_regime(regime) for regime in new]
        first = await add_reference_revisions(connection, "regime", changes, author)
        rows = [
            regime_row(regime) | {"recorded_at": first.plus(offset).recorded_at}
            for offset, regime in enumerate(new)
        ]
        await connection.execute(insert(Regime), rows)
    return len(new)


async def put_regime(connection: WriteConnection, regime: RegimeFacts, author: Author) -> bool:
    """Record a regime, or put these facts in place of its own; return whether it is new.

    Raises:
        RefusedError: its issuer doesn't exist.

    """
    if await connection.scalar(select(Party.id).where(Party.id == regime.issuer)) is None:
        message = f"There is no party {regime.issuer}; /v1/parties lists them."
        raise RefusedError(Fault("body", "issuer", "unknown_reference", message))
    if await add_regimes(connection, [regime], author):
        return True
    row = (
        await connection.execute(select(Regime.__table__).where(Regime.code == regime.code))
    ).one()
    recorded = {name: getattr(row, name) for name in RegimeFacts.model_fields}
    if RegimeFacts.model_validate(recorded, context=RECORDED) != regime:
        await _change(connection, regime, row.revision + 1, author)
    return False


async def _change(
    connection: WriteConnection, regime: RegimeFacts, revision: int, author: Author
) -> None:
    change = ReferenceChange.of_regime(regime, revision)
    await add_reference_revisions(connection, "regime", [change], author)
    values = regime_row(regime) | {"revision": revision}
    await connection.execute(update(Regime).where(Regime.code == regime.code).values(values))


def regime_row(regime: RegimeFacts) -> dict[str, Any]:
    """Return what the row of a regime holds of its facts."""
    return regime.model_dump() | {"aliases": list(regime.aliases)}
