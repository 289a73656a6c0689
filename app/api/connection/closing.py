"""uvicorn's HTTP protocol, whose connections end in good order when the service does.

uvicorn closes at once what is idle. But a client may just be sending its next request, and would
get no answer to it; so it is heard out for a moment, and told that the connection ends.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.api.connection.framing import StrictProtocol

# A client that hasn't sent anything by then is as idle as one whose connection is timed out.
LAST_CALL_S = 0.5
# How long a stream may take to send its end.
CUT_AFTER_S = 1.0


class ClosingProtocol(StrictProtocol):
    """One connection, which ends with the answer that is under way or with the next one."""

    is_ending = False

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def shutdown(self) -> None:
        """Begin to close: uvicorn waits for running answers, and a stream would never end.

        A route that streams leaves in `request.state.on_shutdown` what ends it. A client that
        doesn't read would not get the end either, so it is cut off.
        """
        self.is_ending = True
        if self.is_idle:
            self.loop.call_later(LAST_CALL_S, self._close_if_idle)
            return
        super().shutdown()
        if end := self.cycle.scope["state"].get("on_shutdown"):
            end()
            self.loop.call_later(CUT_AFTER_S, self.transport.abort)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Answer what is asked meanwhile, and no more after it."""
        cycle.keep_alive = cycle.keep_alive and not self.is_ending
        super()._start_asgi_task(cycle, app)

    def _close_if_idle(self) -> None:
        if self.is_idle:
            self.transport.close()
