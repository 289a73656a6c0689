"""Response cache: finished responses, sent again for as long as nothing was written.

It is the outermost middleware, so a hit costs no more than a look into a dictionary; it counts,
logs and names its hits by itself.

A response is kept under everything that it depends on: the address with its query, the host and
scheme that its links begin with, the encoding, the day where today is a default, and the number of
the newest change in the database. So nothing is ever invalidated: with the next change the number
is another one. Where the number can't be read, nothing is answered from here.

Whether a request is in order is for the application to say, and only what it has answered with 200
is kept. So a request may only be looked up if its twin in the cache has passed the same checks:
what those look at is part of the key, or makes the request one that isn't looked up.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.conditional import CACHE_CONTROL, matches
from app.api.exchange import CHANGE_HEADER, ID_HEADER, IN_SCOPE
from app.api.layers.compression import takes_gzip
from app.api.layers.observer import begin_exchange, name_route, note
from app.api.metrics.tally import Tally
from app.api.routing import WATCHED
from app.db.freshness import Freshness

# A worker with so much of it stays below 200 MB.
MAX_BYTES = 50_331_648
MAX_ENTRY_BYTES = 1_048_576
# What an entry costs beside its body, roughly: its key, its headers, the objects around them.
OVERHEAD_BYTES = 4_096

_MAX_CHANGE_DIGITS = 18
_DAY_S = 86_400
_OK, _NOT_MODIFIED = 200, 304
# Of a body, which no read has: what becomes of one is for the application to say.
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_BODY_HEADERS = frozenset({b"content-length", b"content-type", b"content-encoding"})

CacheKey = tuple[Any, ...]


class Lookup(NamedTuple):
    """What a request asks of the cache."""

    key: CacheKey
    etags: Sequence[str] = ()
    """The lines of If-None-Match."""
    at_least: int = 0
    """The change that the client has seen: an older response won't do."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response with status 200, and the number of the change that it was made at."""

    change: int
    route: str | None
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    @property
    def size(self) -> int:
        """How many bytes of memory it takes, roughly."""
        return len(self.body) + OVERHEAD_BYTES

    def is_known(self, etags: Sequence[str]) -> bool:
        """Tell whether a client that names these tags has the response already."""
        return bool(etags) and matches(etags, dict(self.headers)[b"etag"].decode())

    def headers_without_body(self) -> Sequence[tuple[bytes, bytes]]:
        """Return the headers that a response without a body has."""
        return [each for each in self.headers if each[0] not in _BODY_HEADERS]


class ResponseCache:
    """Answers with what it has stored, else by the application, and stores that."""

    def __init__(
        self, app: ASGIApp, freshness: Freshness, tally: Tally, *, max_bytes: int = MAX_BYTES
    ) -> None:
        """Wrap the application; the stored responses take about so much memory at most."""
        self.app = app
        self._freshness = freshness
        self._tally = tally
        self._responses: OrderedDict[CacheKey, StoredResponse] = OrderedDict()
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.perf_counter()
        lookup = read_lookup(scope) if scope["type"] == "http" else None
        if lookup is None:
            await self.app(scope, receive, send)
            return
        number = self._freshness.at_hand(lookup.at_least)
        if number is None:
            number = await self._freshness.current(lookup.at_least)
        if number is None:
            await self.app(scope, receive, send)
        elif (response := self._find(lookup.key, number)) is not None:
            await self._send_again(response, lookup, scope, send)
            note(self._tally, scope, scope[IN_SCOPE], time.perf_counter() - began)
        else:
            self._tally.misses += 1
            storing = self._storing(lookup.key, number, scope, send)
            await self.app(scope, receive, storing if scope["method"] == "GET" else send)

    async def _send_again(
        self, response: StoredResponse, lookup: Lookup, scope: Scope, send: Send
    ) -> None:
        self._tally.hits += 1
        exchange = begin_exchange(scope, send)
        name_route(scope, response.route)
        body = response.body if scope["method"] == "GET" else b""
        if response.is_known(lookup.etags):
            await exchange.begin(_NOT_MODIFIED, response.headers_without_body())
            body = b""
        else:
            await exchange.begin(_OK, response.headers)
        exchange.sent = len(body)
        await send({"type": "http.response.body", "body": body})

    def _storing(self, key: CacheKey, number: int, scope: Scope, send: Send) -> Send:
        """Return the way back to the client, on which a response is stored if it may be."""
        start: Message | None = None

        async def storing(message: Message) -> None:
            nonlocal start
            await send(message)
            if message["type"] == "http.response.start":
                start = message if is_cacheable(message) else None
            elif start is not None:
                # What comes in pieces is long, or has no end.
                if not message.get("more_body") and len(message["body"]) <= MAX_ENTRY_BYTES:
                    headers = [each for each in start["headers"] if each[0] != ID_HEADER]
                    route = scope[IN_SCOPE].route
                    self.store(key, StoredResponse(number, route, headers, message["body"]))
                start = None

        return storing

    def _find(self, key: CacheKey, number: int) -> StoredResponse | None:
        response = self._responses.get(key)
        if response is None or response.change != number:
            return None
        self._responses.move_to_end(key)
        return response

    def store(self, key: CacheKey, response: StoredResponse) -> None:
        """Store a response, and drop those that were not asked for the longest time."""
        self._drop(key)
        self._responses[key] = response
        self._tally.kept_bytes += response.size
        while self._tally.kept_bytes > self._max_bytes:
            self._drop(next(iter(self._responses)))

    def _drop(self, key: CacheKey) -> None:
        response = self._responses.pop(key, None)
        if response is not None:
            self._tally.kept_bytes -= response.size


def read_lookup(scope: Scope) -> Lookup | None:
    """Return what to look up for a request, or None where its response isn't one for everybody."""
    if scope["method"] not in {"GET", "HEAD"} or scope["path"] in WATCHED:
        return None
    hosts, encodings, etags, at_least = [], [], [], 0
    for name, value in scope["headers"]:
        if name == b"host":
            hosts.append(value)
        elif name == b"accept-encoding":
            encodings.append(value.decode("latin-1"))
        elif name == b"if-none-match":
            etags.append(value.decode("latin-1"))
        elif name == CHANGE_HEADER:
            is_number = value.isdigit() and len(value) <= _MAX_CHANGE_DIGITS
            at_least = max(at_least, int(value)) if is_number else at_least
        elif name == b"authorization" or name in _FRAMING:
            return None
    if len(hosts) != 1:
        # None at all is in order in HTTP/1.0 only, and several never are.
        return None
    address = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    day = int(time.time()) // _DAY_S
    is_compressed = takes_gzip(", ".join(encodings))
    key = (*address, hosts[0], scope["scheme"], is_compressed, day)
    return Lookup(key, etags, at_least)


def is_cacheable(start: Message) -> bool:
    """Tell whether a response that begins like this is the same for everybody."""
    headers = dict(start["headers"])
    is_public = headers.get(b"cache-control") == CACHE_CONTROL.encode()
    return start["status"] == _OK and is_public and b"etag" in headers
