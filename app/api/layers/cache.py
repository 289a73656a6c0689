"""Finished answers, given again as long as nothing was written: before all that makes answers.

An answer is kept under everything that it depends on: the address with its query, the host and
scheme that its links begin with, the encoding, the day where today is a default, and the number of
the newest change in the database. So nothing ever has to be thrown away because it is wrong: with
the next change its number isn't the newest one. Where the number can't be asked for, nothing is
answered from here.

What is kept as of a number that is known already is given at once; whoever must wait for anything,
for the number or for an answer, needs a place (see `app.api.layers.admission`).
"""

import time
from collections import OrderedDict

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.connection.wire import AT_ONCE, Wire, line
from app.api.exchange import ID_HEADER, IN_SCOPE, Exchange, id_of
from app.api.layers.admission import Admission
from app.api.layers.kept import CHANGE_HEADER, Asked, Entry, Key, asked, may_be_kept
from app.api.layers.observer import name_route, note
from app.api.metrics.tally import Tally
from app.api.refusals import OVERLOADED
from app.api.routing import WATCHED
from app.db.freshness import Freshness

MAX_BYTES = 50_331_648
MAX_ENTRY_BYTES = 1_048_576

_ASKED = "chancery.asked"


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
            scope.get("state", {})[AT_ONCE] = self.at_once
        if scope["type"] != "http" or scope["path"] in WATCHED:
            await self._app(scope, receive, send)
            return
        wanted = scope[_ASKED] = asked(scope)
        entry = self._at_hand(wanted)
        if wanted is None or entry is None:
            await self._admission(scope, receive, send)
        else:
            await self._give_again(entry, wanted, scope, send)

    def at_once(self, scope: Scope) -> Wire | None:
        """Return the answer to a request that needs nothing but a look, or None: see the layers.

        The server's protocol asks this before it has the request answered, and before it knows
        what a proxy says of it. What is traced isn't answered past the application.
        """
        if scope["path"] in WATCHED:
            return None
        began = time.perf_counter()
        if _ASKED not in scope:
            scope[_ASKED] = asked(scope)
        wanted: Asked | None = scope[_ASKED]
        entry = self._at_hand(wanted)
        if wanted is not None and entry is not None:
            is_seen = self._tally.is_traced or wanted.is_forwarded
            return None if is_seen else self._wire(entry, wanted, scope, began)
        if self._admission.turns_away(scope):
            self._tally.turned_away += 1
            return OVERLOADED.wire(id_of(scope))
        return None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what couldn't be answered at once; it has got a place."""
        wanted: Asked | None = scope[_ASKED]
        if scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, self._numbered(scope, send))
        elif wanted is None:
            await self._app(scope, receive, send)
        else:
            await self._answer_anew(wanted, scope, receive, send)

    async def _answer_anew(self, wanted: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        number = await self._freshness.current(wanted.at_least)
        if number is None:
            await self._app(scope, receive, send)
            return
        entry = self._kept(wanted, number)
        if entry is not None:
            await self._give_again(entry, wanted, scope, send)
            return
        self._tally.misses += 1
        keeping = Keeping(send, self, wanted.key, number, scope[IN_SCOPE])
        await self._app(scope, receive, keeping if scope["method"] == "GET" else send)

    async def _give_again(self, entry: Entry, wanted: Asked, scope: Scope, send: Send) -> None:
        self._tally.hits += 1
        name_route(scope, entry.route)
        answer = entry.to(wanted)
        await send(answer.start)
        body = answer.wire.body if scope["method"] == "GET" else b""
        await send({"type": "http.response.body", "body": body})

    def _wire(self, entry: Entry, wanted: Asked, scope: Scope, began: float) -> Wire:
        self._tally.hits += 1
        answer = entry.to(wanted)
        exchange = Exchange(scope)
        exchange.route, exchange.status = entry.route, answer.start["status"]
        exchange.sent = len(answer.wire.body) if scope["method"] == "GET" else 0
        note(self._tally, scope, exchange, time.perf_counter() - began)
        return Wire(answer.wire.head + line(ID_HEADER, exchange.id.encode()), answer.wire.body)

    def _at_hand(self, wanted: Asked | None) -> Entry | None:
        number = None if wanted is None else self._freshness.at_hand(wanted.at_least)
        return None if wanted is None or number is None else self._kept(wanted, number)

    def _kept(self, wanted: Asked, number: int) -> Entry | None:
        entry = self._entries.get(wanted.key)
        if entry is None or entry.number != number:
            return None
        self._entries.move_to_end(wanted.key)
        return entry

    def keep(self, key: Key, entry: Entry) -> None:
        """Keep an answer, and let go of those that were not asked for the longest time."""
        self._let_go(key)
        self._entries[key] = entry
        self._tally.kept_bytes += entry.size
        while self._tally.kept_bytes > self._max_bytes:
            self._let_go(next(iter(self._entries)))

    def _let_go(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._tally.kept_bytes -= entry.size

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
            self._start = message if may_be_kept(message) else None
        elif self._start is not None:
            # What comes in pieces is long, or has no end.
            if not message.get("more_body") and len(message["body"]) <= MAX_ENTRY_BYTES:
                kept = self._exchange.route, self._start["headers"], message["body"]
                self._cache.keep(self._key, Entry(self._number, *kept))
            self._start = None
