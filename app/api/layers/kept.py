"""What the cache keeps: finished answers, and all that one depends on."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

from starlette.types import Message, Scope

from app.api.conditional import CACHE_CONTROL, matches
from app.api.connection.wire import Wire, head
from app.api.layers.compression import takes_gzip

CHANGE_HEADER = "Chancery-Change"
"""On the answer to a write, the number of the change; sent back, no older answer is given."""

_CHANGE = CHANGE_HEADER.lower().encode()
_MAX_CHANGE_DIGITS = 18
_OK, _NOT_MODIFIED = 200, 304
_DAY_S = 86_400
# What an entry costs beside its body, roughly: its key, its headers, the objects around them.
_OVERHEAD_BYTES = 4_096
_ONLY_WITH_A_BODY = {b"content-length", b"content-type", b"content-encoding"}

Key = tuple[Any, ...]
Headers = Iterable[tuple[bytes, bytes]]


@dataclass(slots=True)
class Asked:
    """What an answer depends on, as the request says it."""

    about: Key
    tags: bytes | None = None
    at_least: int = 0
    is_forwarded: bool = False
    """Whether a proxy may say that another scheme was asked for."""

    @property
    def key(self) -> Key:
        """What the answer is kept under: the day belongs to it where today is a default."""
        return (*self.about, int(time.time()) // _DAY_S)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to be given again."""

    start: Message
    wire: Wire

    @classmethod
    def of(cls, status: int, headers: Headers, body: bytes) -> Self:
        """Return the answer of these."""
        start = {"type": "http.response.start", "status": status, "headers": headers}
        return cls(start, Wire(head(status, headers), body))


@dataclass(frozen=True)
class Entry:
    """What is kept of a finished answer, and as of which change it is.

    What is given again is made when somebody asks again: most questions are asked once.
    """

    number: int
    route: str | None
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def to(self, asked: Asked) -> Answer:
        """Return what answers somebody, who may know the answer already."""
        tags = asked.tags
        knows = tags is not None and (
            tags == self._tag or matches(tags.decode("latin-1"), self._tag.decode())
        )
        return self._unchanged if knows else self._whole

    @property
    def size(self) -> int:
        """How many bytes of memory it takes, roughly."""
        return len(self.body) + _OVERHEAD_BYTES

    @cached_property
    def _tag(self) -> bytes:
        return dict(self.headers)[b"etag"]

    @cached_property
    def _whole(self) -> Answer:
        return Answer.of(_OK, self.headers, self.body)

    @cached_property
    def _unchanged(self) -> Answer:
        """The answer that says that it hasn't changed."""
        kept = [each for each in self.headers if each[0] not in _ONLY_WITH_A_BODY]
        return Answer.of(_NOT_MODIFIED, kept, b"")


def asked(scope: Scope) -> Asked | None:
    """Return what is asked, or None where the answer is for one client or none is kept."""
    if scope["method"] not in {"GET", "HEAD"}:
        return None
    found = Asked(())
    host, compressed = b"", False
    for name, value in scope["headers"]:
        if name == b"host":
            if host:
                # Which of them is meant is not for us to guess: the application refuses that.
                return None
            host = value
        elif name == b"accept-encoding":
            compressed = _takes_gzip(value)
        elif name == b"if-none-match":
            found.tags = value if found.tags is None else found.tags + b"," + value
        elif name == b"x-forwarded-proto":
            found.is_forwarded = value.strip() != scope["scheme"].encode()
        elif name == _CHANGE:
            is_number = value.isdigit() and len(value) <= _MAX_CHANGE_DIGITS
            found.at_least = int(value) if is_number else 0
        elif name == b"authorization":
            return None
    address = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    found.about = (*address, host, scope["scheme"], compressed)
    return found


def may_be_kept(start: Message) -> bool:
    """Tell whether an answer that begins like this is the same for everybody."""
    headers = dict(start["headers"])
    public = headers.get(b"cache-control") == CACHE_CONTROL.encode()
    return start["status"] == _OK and public and b"etag" in headers


@lru_cache(maxsize=256)
def _takes_gzip(accept_encoding: bytes) -> bool:
    """Tell what is the same at nearly all requests."""
    return takes_gzip(accept_encoding.decode("latin-1"))
