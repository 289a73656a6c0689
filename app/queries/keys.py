"""Keys: whose one is, and which there are."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, tuple_

from app.db.connections import ReadConnection
from app.db.tables import ApiKey
from app.domain.keys import USE_KEPT_FOR, Identity, KeyInfo, Refusal, Scope

_INFO = (
    ApiKey.id,
    ApiKey.name,
    ApiKey.scopes,
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.last_used_at,
    ApiKey.revoked_at,
)
# The order of lists, newest first; the id tells keys of one instant apart.
_ORDER = (ApiKey.created_at, ApiKey.id)

_EXPIRED = func.coalesce(ApiKey.expires_at <= func.clock_timestamp(), False)
_UNUSED_LATELY = or_(
    ApiKey.last_used_at.is_(None),
    ApiKey.last_used_at < func.clock_timestamp() - USE_KEPT_FOR,
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A key that is accepted: whose it is, and whether its use is to be written down."""

    identity: Identity
    unused_lately: bool


async def identity_of(
    connection: ReadConnection, public_id: str, digest: bytes
) -> Recognised | Refusal:
    """Return whose key this is, or why it isn't accepted.

    It is asked at every request, so that a revocation holds at once wherever requests are answered.
    Who hasn't the whole key learns nothing of its state.
    """
    asked = select(
        ApiKey.name,
        ApiKey.scopes,
        ApiKey.digest,
        ApiKey.revoked_at,
        _EXPIRED.label("expired"),
        _UNUSED_LATELY.label("unused_lately"),
    ).where(ApiKey.id == public_id)
    row = (await connection.execute(asked)).one_or_none()
    if row is None:
        return Refusal.UNKNOWN
    if not hmac.compare_digest(row.digest, digest):
        return Refusal.WRONG_SECRET
    if row.revoked_at is not None:
        return Refusal.REVOKED
    if row.expired:
        return Refusal.EXPIRED
    identity = Identity(public_id, row.name, frozenset(map(Scope, row.scopes)))
    return Recognised(identity, row.unused_lately)


async def keys(connection: ReadConnection) -> Sequence[KeyInfo]:
    """Return all keys, newest first."""
    found = await connection.execute(select(*_INFO).order_by(*(each.desc() for each in _ORDER)))
    return [_info_of(row) for row in found]


async def keys_page(
    connection: ReadConnection, limit: int, after: tuple[datetime, str] | None
) -> Sequence[KeyInfo]:
    """Return the keys after a position, newest first, with one more to see the end."""
    statement = select(*_INFO).order_by(*(each.desc() for each in _ORDER)).limit(limit + 1)
    if after is not None:
        there = tuple_(*after, types=[column.type for column in _ORDER])
        statement = statement.where(tuple_(*_ORDER) < there)
    return [_info_of(row) for row in await connection.execute(statement)]


async def key(connection: ReadConnection, public_id: str) -> KeyInfo | None:
    """Return what is known of one key, or None."""
    found = await connection.execute(select(*_INFO).where(ApiKey.id == public_id))
    row = found.one_or_none()
    return None if row is None else _info_of(row)


def _info_of(row: Row[*tuple[Any, ...]]) -> KeyInfo:
    """Return a row of the columns _INFO as what is known of a key."""
    public_id, name, scopes, *instants = row
    return KeyInfo(public_id, name, tuple(map(Scope, scopes)), *instants)
