"""Cursors: where the next page begins, bound to the question that it continues.

A cursor is the position's JSON with a digest over position and question, so that one from another
question, or one that was edited, is refused rather than answered wrongly. It is not a secret.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from app.domain.errors import Fault, RefusedError

MAX_LENGTH = 1_000
HOW_TO_GO_ON = (
    "This cursor belongs to another question or is incomplete: follow the address in `next` as it "
    "stands, or leave cursor out to begin with the first page."
)
_DIGEST_BYTES = 9


def encode(position: Sequence[Any], question: Mapping[str, Any]) -> str:
    """Return the cursor for a position in the answer to a question."""
    payload = json.dumps(list(position), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_digest(payload, question) + payload).decode().rstrip("=")


def decode(cursor: str, question: Mapping[str, Any]) -> list[Any]:
    """Return the position that a cursor of this question holds.

    Raises:
        RefusedError: it is no cursor, or one of another question.

    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if not payload or digest != _digest(payload, question):
        raise refused()
    position: list[Any] = json.loads(payload)
    return position


def _digest(payload: bytes, question: Mapping[str, Any]) -> bytes:
    canonical = json.dumps(question, sort_keys=True, ensure_ascii=False, default=str).encode()
    return blake2b(canonical + b"\0" + payload, digest_size=_DIGEST_BYTES).digest()


def refused() -> RefusedError:
    """Return the refusal of a cursor, to be raised."""
    return RefusedError(Fault("query", "cursor", "invalid_cursor", HOW_TO_GO_ON))
