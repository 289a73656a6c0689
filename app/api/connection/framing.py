"""uvicorn's HTTP protocol, as strict as HTTP demands: where a request begins, ends and leads.

What two readers could read differently is refused (RFC 9112), and what can't be read is told in a
problem as anywhere else. What uvicorn leaves open is settled here: a request that offers another
protocol is read to its end, what follows a body is no header, and HTTP/1.0 gets no chunks.
"""

import re
from typing import Any

import httptools
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# The target with a scheme and a host, as a proxy gets it (RFC 9112, section 3.2.2).
_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)
_ORIGIN = re.compile(rb"/[^#]*")


class StrictProtocol(HttpToolsProtocol):
    """One connection of a client."""

    _within_body = False

    def data_received(self, data: bytes) -> None:
        """Read what has come in; who offers another protocol is answered in this one."""
        self._unset_keepalive_if_required()
        rest = data
        while rest:
            try:
                self.parser.feed_data(rest)
                rest = b""
            except httptools.HttpParserUpgrade as upgrade:
                rest = self._head_without_offer() + rest[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                self.send_400_response(str(error))
                rest = b""

    def on_message_begin(self) -> None:
        """Begin with the next request."""
        super().on_message_begin()
        self._within_body = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header; what stands behind the body is none (RFC 9110, section 6.5.1)."""
        if not self._within_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, unless an offer to upgrade makes the parser take the body for none."""
        if self.parser.get_method() == b"CONNECT":
            raise ValueError("This is no proxy.")
        if self.parser.should_upgrade():
            return
        self._settle_target()
        super().on_headers_complete()
        self._within_body = True

    def on_message_complete(self) -> None:
        """End the request."""
        if self._within_body:
            super().on_message_complete()
        self._within_body = False

    def _settle_target(self) -> None:
        """Take the target apart, and refuse what uvicorn would silently leave out of it."""
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise ValueError("Another version of HTTP would have to be read otherwise.")
        if found := _ABSOLUTE.fullmatch(self.url):
            host, path, query = found.groups()
            self.url = (path or b"/") + (query or b"")
            # The host that is asked for goes before the one that is named beside.
            self.headers[:] = [(n, host if n == b"host" else v) for n, v in self.headers]
        elif self.url != b"*" and not _ORIGIN.fullmatch(self.url):
            raise ValueError("The target is no address of this service.")

    def _head_without_offer(self) -> bytes:
        """Return what to read again as if no other protocol was offered (RFC 9110, section 7.8).

        The parser would not read the request's body, and could take that for the next request.
        """
        version = self.parser.get_http_version().encode()
        first = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)
        kept = [b"%s: %s\r\n" % each for each in self.headers if each[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"".join([first, *kept, b"\r\n"])

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["http_version"] == "1.0":
            # It knows of no interim answers either.
            cycle.waiting_for_100_continue = False
            app = _ending_with_the_connection(app, cycle)
        elif cycle.waiting_for_100_continue:
            app = _ending_with_the_connection(app, cycle)
        super()._start_asgi_task(cycle, app)


def _ending_with_the_connection(app: ASGIApp, cycle: RequestResponseCycle) -> ASGIApp:
    """Return the application for a connection that may have to end with its answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_sized = True

        async def settled(message: Message) -> None:
            nonlocal is_sized
            if message["type"] == "http.response.start":
                # A body that nobody waits for may or may not come (RFC 9110, section 10.1.1).
                cycle.keep_alive = cycle.keep_alive and not cycle.waiting_for_100_continue
                is_sized = scope["http_version"] != "1.0" or _has_length(message)
                # So uvicorn announces no chunks, which HTTP/1.0 doesn't know (RFC 9112, 6.1).
                cycle.chunked_encoding = None if is_sized else True
                await send(message)
                cycle.chunked_encoding = cycle.chunked_encoding and is_sized
            else:
                if not is_sized:
                    cycle.expected_content_length = len(message.get("body", b""))
                await send(message)

        await app(scope, receive, settled)

    return answer


def _has_length(start: Message) -> bool:
    return any(name.lower() == b"content-length" for name, _ in start["headers"])
