"""Answer a repeated request as the first one was answered: once recorded, never twice.

The answer is kept in the transaction that it tells of, bound to key and route, for a day. Reading
it again writes as well: a server that waits for its standby would otherwise acknowledge what the
standby doesn't have yet.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, func, insert, update

from app.db.connections import WriteConnection
from app.db.tables import IdempotentAnswer
from app.domain.errors import Fault, RefusedError

KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be sent again: whose, where, under which key, and what it says."""

    api_key: str
    route: str
    key: str
    body: Mapping[str, Any]

    @property
    def fingerprint(self) -> bytes:
        """What tells another body under the same key apart."""
        return sha256(json.dumps(self.body, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class Given:
    """The first answer: the event that was recorded, and its document."""

    event: str
    document: str


async def given(connection: WriteConnection, request: Request) -> Given | None:
    """Return the first answer to this request, if there was one; the journal's lock must be held.

    Raises:
        RefusedError: the key was used for something else.

    """
    table = IdempotentAnswer
    await connection.execute(delete(table).where(table.given_at < func.now() - KEPT))
    found = await connection.execute(
        update(table)
        .where(
            table.api_key == request.api_key,
            table.route == request.route,
            table.key == request.key,
        )
        .values(fingerprint=table.fingerprint)
        .returning(table.fingerprint, table.event, table.document)
    )
    row = found.one_or_none()
    if row is None:
        return None
    if row.fingerprint != request.fingerprint:
        message = "This Idempotency-Key was used for another body: take a new one."
        raise RefusedError(Fault("header", "Idempotency-Key", "key_reused", message))
    return Given(row.event, row.document)


async def keep(connection: WriteConnection, request: Request, answer: Given) -> None:
    """Keep the first answer to this request."""
    await connection.execute(
        insert(IdempotentAnswer).values(
            api_key=request.api_key,
            route=request.route,
            key=request.key,
            fingerprint=request.fingerprint,
            event=answer.event,
            document=answer.document,
            given_at=func.now(),
        )
    )
