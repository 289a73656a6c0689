"""uvicorn's HTTP protocol, with bounds on what a client may send and hold, and how slowly.

What a client owes, the head of a request or the rest of its body, must come in time; an answer must
be read in time; and a head may only be so large. Who is refused for it learns why, by a problem.
Where there are too many connections, the one that has asked nothing for longest gives way.
"""

import asyncio
from heapq import nsmallest
from operator import attrgetter
from typing import Any, cast

from uvicorn._types import ASGI3Application

from app.api.connection.closing import ClosingProtocol
from app.api.exchange import id_of, new_id
from app.api.layers.admission import IN_LINE
from app.api.layers.envelope import MAX_URL_LENGTH
from app.api.refusals import (
    FAULTY,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    OVERLOADED,
    TOO_LARGE,
    TOO_LATE,
    TOO_LONG,
    Refusal,
)

MAX_HEAD_BYTES = MAX_URL_LENGTH + MAX_HEADER_BYTES
# Together with what a process opens beside, they stay below the 1,024 files that it may have open
# where nobody has allowed it more.
MAX_CONNECTIONS = 800
GIVING_WAY = 40
# A head must be complete so many seconds after it began, a body so many after it did, and a second
# more for each thousand bytes of it that have come.
HEAD_S = 10.0
BODY_S = 10.0
PACE = 1_000
# A client that reads its answer more slowly than that, seen over so many seconds, is cut off.
STALLED_S = 60.0
# How long a client may go on sending what nobody reads, so that it can read why.
LINGER_S = 2.0


class BoundedProtocol(ClosingProtocol):
    """One connection, held to the bounds."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Owe nothing yet."""
        super().__init__(*arguments, **options)
        self.idle_since = 0.0
        self._due: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._begun = False
        self._head_bytes = 0
        self._header_bytes = 0
        self._body_bytes = 0
        self._fault = FAULTY
        self._refused = False
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._await_what_is_owed()
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._owe_nothing()
        self.resume_writing()
        # uvicorn does it only where the connection wasn't reset.
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        if self.cycle is not None and (turn := self.cycle.scope["state"].get(IN_LINE)):
            turn.cancel()

    def data_received(self, data: bytes) -> None:
        """Take in what has come, and wait for what is still owed."""
        if self._refused:
            return
        in_head = self._in_head
        super().data_received(data)
        is_owed = self._begun or (self.is_idle and self.timeout_keep_alive_task is None)
        if self._refused or self.transport.is_closing() or not is_owed:
            self._owe_nothing()
            return
        self._await_what_is_owed()
        if in_head and self._in_head:
            self._count_head(len(data))

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._begun, self._head_bytes, self._header_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Take in a further piece of the address, but no more than shows that it is too long.

        The parser takes at most 65,535 bytes; beyond, the client would get a bare 400 in place of
        the problem 414 that the envelope answers.
        """
        self.url = (self.url + url)[: MAX_URL_LENGTH + 1]

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header; an error makes the parser stop, and `send_400_response` be called."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES or len(self.headers) == MAX_HEADERS:
            self._fault = TOO_LARGE
            raise ValueError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, and to read a body."""
        super().on_headers_complete()
        self._owe_nothing()
        self._body_bytes, self._since = 0, self.loop.time()

    def on_body(self, body: bytes) -> None:
        """Take in a further piece of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Have what was owed."""
        self._begun = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, and for the rest of a body that nobody has read."""
        self.idle_since = self.loop.time()
        if self._within_body:
            self._since, self._body_bytes = self.idle_since, 0
        super().on_response_complete()

    def send_400_response(self, _: str) -> None:
        """Refuse what can't be parsed."""
        self._refuse(self._fault)

    def pause_writing(self) -> None:
        """Watch whether the client reads: more of an answer is waiting than goes unnoticed."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """Watch no longer: the client has read."""
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    @property
    def _in_head(self) -> bool:
        return self._begun and not self._within_body

    def _await_what_is_owed(self) -> None:
        if self._due is None:
            if not self._within_body:
                self._since = self.loop.time()
            self._due = self.loop.call_at(self._deadline(), self._refuse_if_late)

    def _owe_nothing(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _deadline(self) -> float:
        if not self._within_body:
            return self._since + HEAD_S
        # What nobody reads any more gets no time for what has come of it.
        return self._since + BODY_S + (0 if self.is_idle else self._body_bytes / PACE)

    def _refuse_if_late(self) -> None:
        self._due = None
        if self._within_body and self.flow.read_paused:
            # It isn't the client that is slow.
            self._since, self._body_bytes = self.loop.time(), 0
        if self._deadline() > self.loop.time():
            self._await_what_is_owed()
        elif self._begun:
            self._refuse(TOO_LATE)
        else:
            self.transport.close()

    def _count_head(self, count: int) -> None:
        # The parser keeps a header to itself until it is complete, however long that takes.
        self._head_bytes += count
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(TOO_LONG if len(self.url) > MAX_URL_LENGTH else TOO_LARGE)

    def _refuse(self, refusal: Refusal) -> None:
        """Read no more, and close the connection after what can still be answered."""
        self._owe_nothing()
        self._refused = True
        if self._within_body and self.pipeline:
            # What came before it is still being answered.
            self.pipeline[0] = (self.cycle, self._saying_at_last(refusal))
        elif self._within_body and (self.is_idle or self.cycle.response_started):
            self.transport.abort()
        elif self._within_body:
            # The application learns that the rest doesn't come, and answers nothing.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._say_at_last(refusal)
        elif self.is_idle:
            self._say_at_last(refusal)
        else:
            # What came before it was in order and gets its answer.
            self.cycle.keep_alive = False

    def _say_at_last(self, refusal: Refusal) -> None:
        """Send a last answer and close the connection.

        What still comes is thrown away for a while: closed at once, the connection would be reset,
        and the client might never see the answer (RFC 9112, section 9.6).
        """
        request_id = id_of(self.cycle.scope) if self._within_body else new_id()
        more = [*self.server_state.default_headers, (b"connection", b"close")]
        self.transport.write(refusal.serialize(request_id, more))
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def _saying_at_last(self, refusal: Refusal) -> ASGI3Application:
        """Return what says it in its turn, in the application's place."""
        cycle = self.cycle

        async def say(*_: object) -> None:
            cycle.disconnected = True
            self._say_at_last(refusal)

        return say

    def _make_room(self) -> None:
        """Close the connections that have been idle for longest, or refuse this one."""
        connections = cast("set[BoundedProtocol]", self.connections)
        others = (each for each in connections if each is not self and each.is_idle)
        longest = nsmallest(GIVING_WAY, others, key=attrgetter("idle_since"))
        for each in longest:
            self.connections.discard(each)
            each.transport.abort()
        if not longest:
            self._refuse(OVERLOADED)

    def _watch_reading(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(STALLED_S, self._cut_if_stalled, unread)

    def _cut_if_stalled(self, unread: int) -> None:
        if unread - self.transport.get_write_buffer_size() < PACE * STALLED_S:
            self.transport.abort()
        else:
            self._watch_reading()
