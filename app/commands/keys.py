"""Make a key, revoke one, note that one was used, and count what is written with it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import and_, case, func, insert, or_, select, update

from app.db.connections import WriteConnection
from app.db.tables import ApiKey
from app.domain.errors import (
    Fault,
    NotFoundError,
    QuotaError,
    RefusedError,
    UnauthenticatedError,
)
from app.domain.keys import USE_KEPT_FOR, KeyInfo, Scope, digest, is_public_id, new_key

_MINUTE = timedelta(minutes=1)
_VALID = and_(
    ApiKey.revoked_at.is_(None),
    or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.clock_timestamp()),
)
_NO_LONGER_VALID = "This key was revoked or has expired meanwhile."


async def create_key(
    connection: WriteConnection,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | timedelta | None,
) -> tuple[str, KeyInfo]:
    """Return a new key, which nobody can be shown again, and what is known of it.

    It expires at an instant, or so long from now by the database's clock.

    Raises:
        RefusedError: it would have expired already.

    """
    now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    end = now + expires_at if isinstance(expires_at, timedelta) else expires_at
    if end is not None and end <= now:
        message = "The key would have expired already: name an instant that is still to come."
        raise RefusedError(Fault("body", "expires_at", "in_the_past", message))
    key, public_id = new_key()
    info = KeyInfo(public_id, name, tuple(sorted(set(scopes))), now, end, None, None)
    values = {
        "id": public_id,
        "name": name,
        "scopes": list(info.scopes),
        "digest": digest(key),
        "created_at": now,
        "expires_at": end,
    }
    await connection.execute(insert(ApiKey).values(values))
    return key, info


async def revoke_key(connection: WriteConnection, public_id: str) -> None:
    """Revoke a key, or leave it revoked since when it was.

    It waits for the writes that hold the key: what is answered after it was never written with it.

    Raises:
        NotFoundError: there is no such key.

    """
    named = ApiKey.id == public_id
    # FOR UPDATE is the one lock of a row that goes with no other: here it waits for
    # `hold_key` and `count_write`.
    found = (
        is_public_id(public_id)
        and (
            await connection.execute(select(ApiKey.id).where(named).with_for_update())
        ).one_or_none()
    )
    if not found:
        raise NotFoundError("There is no key of this id.")
    await connection.execute(
        update(ApiKey)
        .where(named, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.clock_timestamp())
    )


async def hold_key(connection: WriteConnection, public_id: str) -> None:
    """Make sure that a key still holds, and that it does until this transaction ends.

    A request may wait between the look at its key and its write, and the key be revoked meanwhile.

    Raises:
        UnauthenticatedError: the key was revoked or has expired.

    """
    valid = select(ApiKey.id).where(ApiKey.id == public_id, _VALID)
    held = await connection.execute(valid.with_for_update(read=True, key_share=True))
    if held.one_or_none() is None:
        raise UnauthenticatedError(_NO_LONGER_VALID)


async def count_write(connection: WriteConnection, public_id: str, limit: int) -> None:
    """Count a write with a key, and hold the key until this transaction ends.

    The count is part of the transaction that writes: what is rolled back wasn't counted, and as
    other writes with the key wait for its row, the count is exact wherever requests are answered.
    The first write after a minute is over begins the next.

    Raises:
        UnauthenticatedError: the key was revoked or has expired since the request's beginning.
        QuotaError: it has written so often in the running minute that this must wait.

    """
    # One instant for the whole statement, or the minute could end between its expressions.
    now = func.statement_timestamp()
    running = ApiKey.minute_ends > now
    counted = await connection.execute(
        update(ApiKey)
        .where(ApiKey.id == public_id, _VALID)
        .values(
            writes=case((running, ApiKey.writes + 1), else_=1),
            minute_ends=case((running, ApiKey.minute_ends), else_=now + _MINUTE),
            # `touch_key` passes over a row that is held, as that of a busy key always is.
            last_used_at=now,
        )
        .returning(ApiKey.writes, (ApiKey.minute_ends - now).label("rest"))
    )
    row = counted.one_or_none()
    if row is None:
        raise UnauthenticatedError(_NO_LONGER_VALID)
    if row.writes > limit:
        raise QuotaError(limit, ceil(row.rest.total_seconds()))


async def touch_key(connection: WriteConnection, public_id: str) -> None:
    """Note that a key was used now, at most once a minute and without waiting for anybody."""
    last = ApiKey.last_used_at
    unused_lately = or_(last.is_(None), last < func.clock_timestamp() - USE_KEPT_FOR)
    due = select(ApiKey.id).where(ApiKey.id == public_id, unused_lately)
    await connection.execute(
        update(ApiKey)
        .where(ApiKey.id == due.with_for_update(skip_locked=True, key_share=True).scalar_subquery())
        .values(last_used_at=func.clock_timestamp())
    )
