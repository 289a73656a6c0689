"""How many requests are worked on at a time: pure ASGI, behind the response cache.

One process answers about as fast with a handful of requests under way as with a hundred; with a
hundred, each takes longer. So only a few are begun, and a burst waits in line, as long as a line as
is served in the time that nobody minds. When it is full, more is asked than can be answered: from
then on hardly anybody may stand in it, and who comes is refused at once, until some answers were
given without a refusal in between, or a second is over without one. So those who are answered
hardly notice.

Every sort of request has places of its own, so that none can take those of another. No place is
held while a client is waited for: not for the rest of a body, nor once an answer has begun. Files,
which go on then, are made piece by piece, one piece at a time and after what is read.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.exchange import IN_SCOPE
from app.api.problems import STATUS_OF
from app.api.query_string import parse_query
from app.api.refusals import OVERLOADED
from app.api.routing import WATCHED
from app.domain.errors import OverloadedError

logger = logging.getLogger("chancery.admission")

Turn = Callable[[], AbstractAsyncContextManager[None]]

# More reads than the pool has connections: who waits for another's is admitted, and served in turn.
PLACES = {"reads": 4, "searches": 2, "exports": 4, "writes": 4, "imports": 2}
WAIT_S = 1.0
# As many may wait as are answered in so much time, or a few for each place if that takes longer,
# but no more than so many; once it was too many only so few, until so many answers were given
# without a refusal in between, or so much time is over without one.
LINE_S = 0.2
FEW = 4
LINE = 64
SHORT_LINE = 2
CALM = 30
CALM_S = 1.0

# A piece waits until nothing is read; under a steady load it is made all the same after a while.
PATIENCE_S = 0.03

TURN = "turn"
"""In a request's state, what lends the turn to make the next piece of a file."""

IN_LINE = "in_line"
"""In a request's state, what the server's protocol cancels if the client is gone meanwhile."""

# The latest so many answers say how long one takes.
_REMEMBERED = 16

# The parameters that make a question one of words or counts.
_SEARCHES = ("q", "include")
_WITHOUT_BODY = {"GET", "HEAD", "OPTIONS"}


class ClientGoneError(Exception):
    """A client was gone before it was its turn."""


class Places:
    """Places for requests of one sort, and the line before them."""

    def __init__(self, count: int) -> None:
        """Have so many places."""
        self._free = self._count = count
        self.quiet = asyncio.Event()
        self.quiet.set()
        self._line: deque[asyncio.Future[None]] = deque()
        self._given_since = CALM
        self._refused = -CALM_S
        self._usual_s = 0.0

    async def take(self, state: dict[str, Any]) -> bool:
        """Take a place, to be given back; or return False because there is none to wait for.

        Args:
            state: where whoever learns that the client is gone finds what to cancel.

        Raises:
            ClientGoneError: that has happened.

        """
        if self._free:
            self._free -= 1
            self.quiet.clear()
            return True
        if len(self._line) < self._room():
            return await self._wait(state)
        if self._is_calm():
            logger.warning("More is asked than can be answered: requests are turned away.")
        self._given_since, self._refused = 0, _now()
        return False

    def give_back(self, held_s: float) -> None:
        """Let the next one in, or keep the place free.

        Args:
            held_s: for how many seconds the place was held.

        """
        self._usual_s += (held_s - self._usual_s) / _REMEMBERED
        self._given_since += 1
        while self._line:
            turn = self._line.popleft()
            # Who was cut off has cancelled it.
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
        if self._free == self._count:
            self.quiet.set()

    def _room(self) -> int:
        if not self._is_calm():
            return SHORT_LINE
        in_time = LINE_S / self._usual_s if self._usual_s else LINE
        return min(LINE, int(self._count * max(in_time, FEW)))

    def _is_calm(self) -> bool:
        return self._given_since >= CALM or _now() - self._refused >= CALM_S

    async def _wait(self, state: dict[str, Any]) -> bool:
        turn = state[IN_LINE] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    await turn
        except asyncio.CancelledError:
            if not _is_cut_off():
                # Only the turn was cancelled.
                self._leave(turn)
                raise ClientGoneError from None
            if not turn.cancelled():
                # It has come at the same time, and is for somebody else now.
                self.give_back(self._usual_s)
            self._leave(turn)
            raise
        if turn.cancelled():
            self._leave(turn)
            return False
        return True

    def _leave(self, turn: asyncio.Future[None]) -> None:
        # It may have been passed over already.
        if turn in self._line:
            self._line.remove(turn)


def _is_cut_off() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _now() -> float:
    return asyncio.get_running_loop().time()


class Admission:
    """Lets requests through to the application, or refuses them at once."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app
        self._places = {sort: Places(count) for sort, count in PLACES.items()}
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in WATCHED:
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state[TURN] = self.turn
        admitted = Admitted(self._places[_sort_of(scope)], state, receive, send)
        try:
            may_ask = await admitted.take()
        except ClientGoneError:
            scope[IN_SCOPE].has_left = True
            return
        if may_ask:
            await self._answer(admitted, scope, receive)
        else:
            await self._refuse(scope, send)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Lend the turn to make a piece of a file."""
        async with self._making:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._places["reads"].quiet.wait()
            yield

    async def _refuse(self, scope: Scope, send: Send) -> None:
        exchange = scope[IN_SCOPE]
        exchange.problem = STATUS_OF[OverloadedError].code
        start, body = OVERLOADED.messages(exchange.id)
        await send(start)
        await send(body if scope["method"] != "HEAD" else {**body, "body": b""})

    async def _answer(self, admitted: "Admitted", scope: Scope, receive: Receive) -> None:
        receiving = receive if scope["method"] in _WITHOUT_BODY else admitted.receive
        try:
            await self.app(scope, receiving, admitted.send)
        finally:
            admitted.give_back()


class Admitted:
    """A request that was let in, with its place and the way to and from its client."""

    def __init__(self, places: Places, state: dict[str, Any], receive: Receive, send: Send) -> None:
        """Have no place yet."""
        self._places = places
        self._state = state
        self._receive = receive
        self._send = send
        self._is_held = False
        self._since = 0.0
        self._may_come = True

    async def take(self) -> bool:
        """Take a place, as `Places.take` does."""
        self._is_held = await self._places.take(self._state)
        self._since = _now()
        return self._is_held

    def give_back(self) -> None:
        """Give the place back where one is held."""
        if self._is_held:
            self._is_held = False
            self._places.give_back(_now() - self._since)

    async def send(self, message: Message) -> None:
        """Pass a message on to the client.

        How long an answer lasts that has begun is up to its reader, and bounded elsewhere.
        """
        self._may_come = False
        self.give_back()
        await self._send(message)

    async def receive(self) -> Message:
        """Return the client's next message, and have a place once the whole body has come.

        Raises:
            OverloadedError: there is no place any more.

        """
        if not self._may_come:
            return await self._receive()
        message = await self._next()
        if self._may_come and not message.get("more_body"):
            self._may_come = False
            if message["type"] == "http.request" and not self._is_held:
                return await self._resume(message)
        return message

    async def _resume(self, message: Message) -> Message:
        try:
            if not await self.take():
                raise OverloadedError
        except ClientGoneError:
            return {"type": "http.disconnect"}
        return message

    async def _next(self) -> Message:
        coming = asyncio.ensure_future(self._receive())
        try:
            # What has come already is there after one step, and costs nobody the place.
            await asyncio.sleep(0)
            if not coming.done():
                self.give_back()
            return await coming
        finally:
            coming.cancel()


def _sort_of(scope: Scope) -> str:
    path: str = scope["path"]
    if scope["method"] not in _WITHOUT_BODY:
        return "imports" if path.startswith("/v1/imports") else "writes"
    if path.startswith("/v1/") and "." in path:
        return "exports"
    if path == "/v1/facets":
        return "searches"
    # As the routes read it, so that no other spelling makes a search a cheap read.
    query = parse_query(scope)
    return "searches" if any(v.strip() for n in _SEARCHES for v in query.getlist(n)) else "reads"
