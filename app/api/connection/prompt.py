"""uvicorn's HTTP protocol, which answers by itself what is at hand: no task is made for it.

Many clients ask the same again and again, in the same bytes. What such bytes ask was parsed when
they came first, and is remembered: as long as the answer is at hand it costs a look and no more.
"""

from collections import OrderedDict
from typing import Any, cast

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.api.connection.bounds import BoundedProtocol
from app.api.connection.wire import AT_ONCE, Wire

MOST_HEARD = 1_000
# Browsers with all their headers stay below it.
LONGEST_HEARD = 2_048
HEARD: OrderedDict[bytes, Scope] = OrderedDict()
"""The requests that were answered at once, each by the bytes that it was sent in."""


class PromptProtocol(BoundedProtocol):
    """One connection, answered at once where that can be."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Have heard nothing yet."""
        super().__init__(*arguments, **options)
        self._requests = 0
        self._prompted: Scope | None = None

    def data_received(self, data: bytes) -> None:
        """Take in what has come; what was heard before isn't parsed again."""
        if not self._is_between_requests:
            super().data_received(data)
            return
        scope = HEARD.get(data)
        answer = None if scope is None else self._at_hand(scope)
        if scope is not None and answer is not None:
            HEARD.move_to_end(data)
            self._owe_nothing()
            self._give(scope, answer, keep_alive=True)
            self.on_response_complete()
            return
        self._requests, self._prompted = 0, None
        super().data_received(data)
        # One request, the whole of it and nothing else: what ends otherwise may be read otherwise.
        if self._prompted is not None and self._requests == 1 and self._is_between_requests:
            _remember(data, self._prompted)

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._requests += 1

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Have a request answered, here and at little cost where the answer is at hand."""
        may_wait = self.pipeline or self.flow.write_paused or cycle.waiting_for_100_continue
        scope = cast("Scope", cycle.scope)
        answer = None if may_wait else self._at_hand(scope)
        if answer is None:
            super()._start_asgi_task(cycle, app)
            return
        self._prompted = scope
        keep_alive = cycle.keep_alive and not self.is_ending
        self._give(scope, answer, keep_alive=keep_alive)
        cycle.response_started = cycle.response_complete = True
        if not keep_alive:
            self.transport.close()
        cycle.on_response()

    @property
    def _is_between_requests(self) -> bool:
        """Whether what comes next begins a request that can be answered as soon as it is whole."""
        is_asked = self._begun or self._within_body or self.pipeline or not self.is_idle
        is_last = self._refused or self.is_ending or self.transport.is_closing()
        return not (is_asked or is_last or self.flow.write_paused)

    def _at_hand(self, scope: Scope) -> Wire | None:
        at_once = self.app_state.get(AT_ONCE)
        answer: Wire | None = None if at_once is None else at_once(scope)
        return answer

    def _give(self, scope: Scope, answer: Wire, *, keep_alive: bool) -> None:
        body = b"" if scope["method"] == "HEAD" else answer.body
        self._write(answer.head, body, keep_alive=keep_alive)


def _remember(data: bytes, scope: Scope) -> None:
    if len(data) > LONGEST_HEARD:
        return
    HEARD[data] = scope
    if len(HEARD) > MOST_HEARD:
        HEARD.popitem(last=False)
