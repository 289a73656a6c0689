"""Make a key, revoke one, and note that one was used."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, insert, or_, select, update

from app.db.engine import WriteConnection
from app.db.tables import ApiKey
from app.domain.errors import Fault, NotFoundError, RefusedError, UnauthenticatedError
from app.domain.keys import USE_KEPT_FOR, KeyInfo, Scope, digest, is_public_id, new_key


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
    # FOR UPDATE is the one lock of a row that goes with no other: here it waits for `hold_key`.
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
    lasting = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.clock_timestamp())
    valid = select(ApiKey.id).where(ApiKey.id == public_id, ApiKey.revoked_at.is_(None), lasting)
    held = await connection.execute(valid.with_for_update(read=True, key_share=True))
    if held.one_or_none() is None:
        raise UnauthenticatedError("This key was revoked or has expired meanwhile.")


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
