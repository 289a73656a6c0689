"""Cursors: where the next page begins, sealed, and bound to the question that it continues.

A cursor is the position as JSON behind an HMAC over position and question, made with a key of the
register's own. One from another question, one that was edited and one made by an earlier release
are all refused. It is no secret what a cursor says.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from sqlalchemy import select

from app.db.engine import Database
from app.db.prepared import Prepared
from app.db.register import SealingKey
from app.domain.errors import Fault, RefusedError

MAX_LENGTH = 1_000
HOW_TO_GO_ON = (
    "This cursor is damaged, belongs to another question, or was made by an earlier release: "
    "follow the address in `next` as it stands, or leave cursor out to begin with the first page."
)
# 128 bits of the HMAC-SHA256 can't be guessed.
_SEAL_BYTES = 16
_KEY = Prepared(select(SealingKey.key))

Question = Mapping[str, Any]
"""What a cursor is bound to: which list, in which order, under which filter."""
Position = TypeVar("Position")


class CursorCodec:
    """Makes and reads cursors with the register's key, which each process reads once."""

    def __init__(self, database: Database) -> None:
        """Read nothing yet."""
        self._database = database
        self._key: bytes | None = None

    async def encode(self, position: Sequence[Any] | None, question: Question) -> str | None:
        """Return the cursor for a position in the answer to a question, or None for no position.

        Raises:
            UnavailableError: the key isn't known yet and the database can't be asked.

        """
        if position is None:
            return None
        payload = to_json(position)
        sealed = await self._seal(payload, question) + payload
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    async def decode(
        self, text: str | None, question: Question, positions: TypeAdapter[Position]
    ) -> Position | None:
        """Return the position in a cursor, or None for no cursor, which is the first page.

        Args:
            text: the cursor as it was sent.
            question: what is asked now.
            positions: the type of positions in this list.

        Raises:
            RefusedError: it isn't a cursor of this question, or its position isn't of this type.
            UnavailableError: the key isn't known yet and the database can't be asked.

        """
        if text is None:
            return None
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise _refused() from None
        seal, payload = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, await self._seal(payload, question)):
            raise _refused()
        try:
            return positions.validate_json(payload, strict=True)
        except ValidationError:
            raise _refused() from None

    async def _seal(self, payload: bytes, question: Question) -> bytes:
        if self._key is None:
            self._key = bytes(await self._database.glance(_KEY))
        canonical = json.dumps(question, sort_keys=True, ensure_ascii=False, default=str).encode()
        return hmac.digest(self._key, canonical + b"\0" + payload, "sha256")[:_SEAL_BYTES]


def _refused() -> RefusedError:
    return RefusedError(Fault("query", "cursor", "invalid_cursor", HOW_TO_GO_ON))


async def _codec(request: Request) -> CursorCodec:
    codec: CursorCodec = request.app.state.cursors
    return codec


Cursors = Annotated[CursorCodec, Depends(_codec)]
"""What a route that answers in pages takes."""
