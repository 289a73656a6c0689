"""Finished answers, given again as long as nothing was written: before all that makes answers.

An answer is kept under everything that it depends on: the address with its query, the host and
scheme that its links begin with, the encoding, the day where today is a default, and the number of
the newest change in the database. So nothing ever has to be thrown away because it is wrong: with
the next change its number isn't the newest one. Where the number can't be asked for, nothing is
answered from here.

What is kept as of a number that is known already is given at once; whoever must wait for anything,
for the number or for an answer, needs a place (see `app.api.admission`).
"""

import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.admission import TURNS_AWAY, Admission
from app.api.compression import takes_gzip
from app.api.conditional import CACHE_CONTROL, matches
from app.api.exchange import IN_SCOPE, Exchange
from app.api.routing import WATCHED
from app.api.tally import Tally
from app.db.freshness import Freshness

MAX_BYTES = 67_108_864
MAX_ENTRY_BYTES = 1_048_576
# What an entry costs beside its body, roughly: its key, its headers, the objects around them.
_OVERHEAD_BYTES = 4_096
_DAY_S = 86_400
CHANGE_HEADER = "Chancery-Change"
"""On the answer to a write, the number of the change; sent back, no older answer is given."""

_CHANGE = CHANGE_HEADER.lower().encode()
_ONLY_WITH_A_BODY = {b"content-length", b"content-type", b"content-encoding"}

_ASKED = "chancery.asked"
_NUMBER = re.compile(rb"[0-9]{1,18}")

Key = tuple[Any, ...]


@dataclass(slots=True)
class Asked:
    """What an answer depends on, as the request says it."""

    key: Key
    tags: bytes | None
    at_least: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished answer, the one that says that it hasn't changed, and as of which change."""

    number: int
    tag: bytes
    start: Message
    body: Message
    unchanged: Message
    route: str | None


class Cache:
    """Answers from what it keeps, else from the application, and keeps that."""

    def __init__(
        self, app: ASGIApp, freshness: Freshness, tally: Tally, *, max_bytes: int = MAX_BYTES
    ) -> None:
        """Wrap the application."""
        self._app = app
        self._admission = Admission(self._answer)
        self._freshness = freshness
        self._tally = tally
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            scope.get("state", {})[TURNS_AWAY] = self.turns_away
        if scope["type"] != "http" or scope["path"] in WATCHED:
            await self._app(scope, receive, send)
            return
        asked = scope[_ASKED] = _asked(scope)
        entry = self._at_hand(asked)
        if asked is None or entry is None:
            await self._admission(scope, receive, send)
        else:
            await self._give_again(entry, asked, scope, send)

    def turns_away(self, scope: Scope) -> bool:
        """Tell whether a request would be refused that came now; the server's protocol asks it."""
        if scope["path"] in WATCHED or not self._admission.turns_away(scope):
            return False
        if self._at_hand(_asked(scope)) is not None:
            return False
        self._tally.turned_away += 1
        return True

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what couldn't be answered at once; it has got a place."""
        asked: Asked | None = scope[_ASKED]
        if scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, self._numbered(scope, send))
        elif asked is None:
            await self._app(scope, receive, send)
        else:
            await self._answer_anew(asked, scope, receive, send)

    async def _answer_anew(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        number = await self._freshness.current(asked.at_least)
        if number is None:
            await self._app(scope, receive, send)
            return
        entry = self._kept(asked, number)
        if entry is not None:
            await self._give_again(entry, asked, scope, send)
            return
        self._tally.misses += 1
        keeping = Keeping(send, self, asked.key, number, scope[IN_SCOPE])
        await self._app(scope, receive, keeping if scope["method"] == "GET" else send)

    async def _give_again(self, entry: Entry, asked: Asked, scope: Scope, send: Send) -> None:
        self._tally.hits += 1
        scope[IN_SCOPE].route = entry.route
        await _give(entry, asked, scope["method"], send)

    def _at_hand(self, asked: Asked | None) -> Entry | None:
        number = None if asked is None else self._freshness.at_hand(asked.at_least)
        return None if asked is None or number is None else self._kept(asked, number)

    def _kept(self, asked: Asked, number: int) -> Entry | None:
        entry = self._entries.get(asked.key)
        if entry is None or entry.number != number:
            return None
        self._entries.move_to_end(asked.key)
        return entry

    def keep(self, key: Key, entry: Entry) -> None:
        """Keep an answer, and let go of those that were not asked for the longest time."""
        self._let_go(key)
        self._entries[key] = entry
        self._tally.kept_bytes += _size(entry)
        while self._tally.kept_bytes > self._max_bytes:
            self._let_go(next(iter(self._entries)))

    def _let_go(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._tally.kept_bytes -= _size(entry)

    def _numbered(self, scope: Scope, send: Send) -> Send:
        """Return the way back of a write: what this process says next is at least as new."""

        async def numbered(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] != "OPTIONS":
                number = await self._freshness.renewed()
                if number is not None:
                    MutableHeaders(scope=message)[CHANGE_HEADER] = str(number)
            await send(message)

        return numbered


class Keeping:
    """The way back to the client, on which a whole answer is kept if it may be."""

    def __init__(self, send: Send, cache: Cache, key: Key, number: int, exchange: Exchange) -> None:
        """Wrap the server's own way back."""
        self._send = send
        self._cache = cache
        self._key = key
        self._number = number
        self._exchange = exchange
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        await self._send(message)
        if message["type"] == "http.response.start":
            self._start = message if _may_be_kept(message) else None
        elif self._start is not None:
            # What comes in pieces is long, or has no end.
            if not message.get("more_body") and len(message["body"]) <= MAX_ENTRY_BYTES:
                entry = _entry(self._number, self._start, message, self._exchange.route)
                self._cache.keep(self._key, entry)
            self._start = None


def _asked(scope: Scope) -> Asked | None:
    """Return what is asked, or None where the answer is for one client or none is kept."""
    if scope["method"] not in {"GET", "HEAD"}:
        return None
    host, tags, at_least, compressed = b"", None, 0, False
    for name, value in scope["headers"]:
        if name == b"host":
            host = value
        elif name == b"accept-encoding":
            compressed = takes_gzip(value.decode("latin-1"))
        elif name == b"if-none-match":
            tags = value if tags is None else tags + b"," + value
        elif name == _CHANGE:
            at_least = int(value) if _NUMBER.fullmatch(value) else 0
        elif name == b"authorization":
            return None
    day = int(time.time()) // _DAY_S
    address = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    return Asked((*address, host, scope["scheme"], compressed, day), tags, at_least)


def _may_be_kept(start: Message) -> bool:
    headers = dict(start["headers"])
    public = headers.get(b"cache-control") == CACHE_CONTROL.encode()
    return start["status"] == 200 and public and b"etag" in headers  # noqa: PLR2004


def _entry(number: int, start: Message, body: Message, route: str | None) -> Entry:
    kept = [each for each in start["headers"] if each[0] not in _ONLY_WITH_A_BODY]
    unchanged = {**start, "status": 304, "headers": kept}
    tag = dict(start["headers"])[b"etag"]
    return Entry(number, tag, start, body, unchanged, route)


def _size(entry: Entry) -> int:
    return len(entry.body["body"]) + _OVERHEAD_BYTES


_NO_BODY: Message = {"type": "http.response.body", "body": b""}


async def _give(entry: Entry, asked: Asked, method: str, send: Send) -> None:
    if asked.tags is not None and (
        asked.tags == entry.tag or matches(asked.tags.decode("latin-1"), entry.tag.decode())
    ):
        await send(entry.unchanged)
        await send(_NO_BODY)
        return
    await send(entry.start)
    await send(entry.body if method == "GET" else _NO_BODY)
