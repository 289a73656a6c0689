"""uvicorn's HTTP protocol, with a bound on the address and an end for what never ends."""

from app.api.envelope import MAX_URL_LENGTH
from app.api.framing import StrictProtocol

CUT_AFTER_S = 1.0
"""How long a stream may take to send its end once the service is to stop."""


class BoundedProtocol(StrictProtocol):
    """Keeps no more of an address than shows that it is too long, and ends streams at shutdown.

    The parser takes at most 65,535 bytes; beyond, the client would get a bare 400 in place of the
    problem 414 that the envelope answers.
    """

    def on_url(self, url: bytes) -> None:
        """Take in a further piece of the address."""
        self.url = (self.url + url)[: MAX_URL_LENGTH + 1]

    def shutdown(self) -> None:
        """Begin to close: uvicorn waits for running answers, and a stream would never end.

        A route that streams leaves in `request.state.on_shutdown` what ends it. A client that
        doesn't read would not get the end either, so it is cut off.
        """
        super().shutdown()
        if self.cycle is not None and (end := self.cycle.scope["state"].get("on_shutdown")):
            end()
            self.loop.call_later(CUT_AFTER_S, self.transport.abort)
