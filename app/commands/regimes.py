"""Regimes: adding those that aren't there, and putting them as editors know them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from app.commands import journal
from app.commands.revise import Author
from app.db.connections import WriteConnection
from app.db.tables import Party, Regime, RegimeRevision
from app.domain.errors import Fault, RefusedError
from app.domain.reference import RegimeFacts
from app.domain.text import RECORDED


async def add_regimes(
    connection: WriteConnection, regimes: Sequence[RegimeFacts], author: Author
) -> int:
    """Add the regimes whose codes are unseen, and return how many that were."""
    await journal.lock(connection)
    known = set(await connection.scalars(select(Regime.code)))
    new = [regime for regime in regimes if regime.code not in known]
    if new:
        instant = (await journal.next_place(connection)).recorded_at
        rows = [_row(regime) | {"recorded_at": instant} for regime in new]
        await connection.execute(insert(Regime), rows)
        await _record(connection, [(regime, 1) for regime in new], instant, author)
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
        await _change(connection, regime, author)
    return False


async def _change(connection: WriteConnection, regime: RegimeFacts, author: Author) -> None:
    instant = (await journal.next_place(connection)).recorded_at
    last = select(func.max(RegimeRevision.revision)).where(RegimeRevision.code == regime.code)
    revision = (await connection.scalar(last) or 0) + 1
    await _record(connection, [(regime, revision)], instant, author)
    this = Regime.code == regime.code
    await connection.execute(update(Regime).where(this).values(_row(regime)))


async def _record(
    connection: WriteConnection,
    regimes: Sequence[tuple[RegimeFacts, int]],
    instant: datetime,
    author: Author,
) -> None:
    stamp = {"recorded_at": instant, "by": author.name, "note": author.note}
    rows = [_row(regime) | {"revision": revision} | stamp for regime, revision in regimes]
    await connection.execute(insert(RegimeRevision), rows)


def _row(regime: RegimeFacts) -> dict[str, Any]:
    return regime.model_dump() | {"aliases": list(regime.aliases)}
