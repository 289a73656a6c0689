"""Answer a repeated request as the first one was answered: once recorded, never twice.

The answer is kept in the transaction that it tells of, bound to key and route, for a day. Reading
it again writes as well: a server that waits for its standby would otherwise acknowledge what the
standby doesn't have yet.

Answers that are older are removed by a task of each worker, a thousand at a time, in transactions
of their own: no request waits for that, however many there are.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Self

from sqlalchemy import ColumnElement, column, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.connections import WriteConnection
from app.db.engine import Database
from app.db.tables import IdempotentAnswer
from app.domain.errors import Fault, RefusedError, UnavailableError

KEPT = timedelta(days=1)
# Removing so many takes some milliseconds, and a million of them some minutes.
PURGED_AT_ONCE = 1_000
PURGE_PAUSE_S = 0.1
PURGE_INTERVAL_S = 60.0
logger = logging.getLogger("chancery")


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
    found = await connection.execute(
        update(table)
        .where(
            table.api_key == request.api_key,
            table.route == request.route,
            table.key == request.key,
            table.given_at >= func.now() - KEPT,
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
    """Keep the first answer to this request, in the place of one that is too old to be given."""
    new = {
        "fingerprint": request.fingerprint,
        "event": answer.event,
        "document": answer.document,
        "given_at": func.now(),
    }
    table = IdempotentAnswer
    statement = insert(table).values(
        api_key=request.api_key, route=request.route, key=request.key, **new
    )
    key = [table.api_key, table.route, table.key]
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=new))


async def purge(connection: WriteConnection) -> int:
    """Remove the oldest of the answers that are too old to be given; return how many.

    Those that somebody else is removing or replacing are left to them.
    """
    table = IdempotentAnswer
    place: ColumnElement[Any] = column("ctid")
    oldest = (
        select(place)
        .select_from(table)
        .where(table.given_at < func.now() - KEPT)
        .order_by(table.given_at)
        .limit(PURGED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    removed = await connection.execute(delete(table).where(place.in_(oldest)))
    return removed.rowcount


class Purger:
    """A task that removes old answers, from when it is entered until it is left."""

    def __init__(self, database: Database) -> None:
        """Prepare the task; nothing is removed yet."""
        self._database = database
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        assert self._task is not None  # noqa: S101 - It was entered.
        await self._task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            pause = PURGE_INTERVAL_S
            try:
                async with self._database.editing() as connection:
                    if await purge(connection) == PURGED_AT_ONCE:
                        pause = PURGE_PAUSE_S
            except UnavailableError:
                # Whoever asks for something is told; the answers can be removed later.
                pass
            except Exception:
                logger.exception("An unexpected fault while removing old idempotent answers")
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
