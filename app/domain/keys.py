"""Editors' keys: how one looks, how it is checked, and what it allows.

A key is `chancery_<public id>_<secret>_<checksum>`. The prefix lets secret scanners find keys that
were published by mistake, and the checksum lets them and us tell a key from what only resembles one
without asking the database, as GitHub's tokens do (github.blog, "Behind GitHub's new authentication
token formats", 2021).
"""

import re
import secrets
import string
from binascii import crc32
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

PREFIX = "chancery"
SECRET_BYTES = 32
USE_KEPT_FOR = timedelta(minutes=1)
"""A key's last use is kept to the minute, so that a busy one isn't written at every request."""

_PUBLIC_ALPHABET = string.digits + string.ascii_lowercase
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PUBLIC_LENGTH = 8
# As many digits as the largest number needs, so that all keys are of one length.
_SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
_PUBLIC_ID = re.compile(f"[0-9a-z]{{{_PUBLIC_LENGTH}}}")
_KEY = re.compile(
    f"({PREFIX}_({_PUBLIC_ID.pattern})_[0-9A-Za-z]{{{_SECRET_LENGTH}}})"
    f"_([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


class Scope(StrEnum):
    """What a key allows. Neither includes the other; a key may have both."""

    EDIT = "edit"
    ADMIN = "admin"


class Refusal(StrEnum):
    """Why a key that looks like one is not accepted; never shown to who hasn't its secret."""

    UNKNOWN = "unknown"
    WRONG_SECRET = "wrong secret"  # noqa: S105 - A reason, no password.
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as their key says."""

    key_id: str
    name: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What is known of a key; of its secret there is nothing to know."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def new_key() -> tuple[str, str]:
    """Return a new key and its public id."""
    public_id = "".join(secrets.choice(_PUBLIC_ALPHABET) for _ in range(_PUBLIC_LENGTH))
    secret = _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), _SECRET_LENGTH)
    body = f"{PREFIX}_{public_id}_{secret}"
    return f"{body}_{_checksum(body)}", public_id


def public_id_of(key: str) -> str | None:
    """Return the public id of a key, or None if this is no key or one that was mistyped."""
    found = _KEY.fullmatch(key)
    if found is None or _checksum(found[1]) != found[3]:
        return None
    return found[2]


def is_public_id(text: str) -> bool:
    """Tell whether some key could have this public id."""
    return _PUBLIC_ID.fullmatch(text) is not None


def digest(key: str) -> bytes:
    """Return what is stored of a key.

    A slow hash protects passwords, which people choose and others guess. A key holds 256 random
    bits of ours, which nobody guesses however fast the hash, while a slow one would let anybody
    keep the service busy with made-up keys.
    """
    return sha256(key.encode()).digest()


def _checksum(text: str) -> str:
    return _base62(crc32(text.encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_BASE62))
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
