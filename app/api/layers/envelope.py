"""What every request passes first and every answer last: pure ASGI, so that it costs little.

It refuses addresses that can't be read (too long, not UTF-8, control characters), answers HEAD as
GET without the body and OPTIONS with the methods, adds the headers that every answer carries, and
turns an exception of ours into a problem. No exception reaches the server, which would close the
connection without saying so and fail the client's next request on it.
"""

import logging
import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.exchange import EXCHANGE, IN_SCOPE, template_of
from app.api.problems import STATUS_OF, Sort, problem, unexpected
from app.api.routing import allowed_methods
from app.domain.errors import MAX_FAULTS, Fault, RefusedError
from app.domain.text import printable, shown

logger = logging.getLogger("chancery")

MAX_URL_LENGTH = 32_768
WITHOUT_BODY = "chancery.without_body"
"""In the scope of a HEAD request, so that what never ends can do without its body."""

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_LAST_PORT = 65_535
COMMON_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Chancery-Change, Content-Disposition, ETag, Link, Location, Retry-After, X-Request-Id"
    ),
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    # Said of small answers as well, which the compression passes on unchanged.
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


class Envelope:
    """The layer around the application itself."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the rest of the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        EXCHANGE.set(scope[IN_SCOPE])
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET", WITHOUT_BODY: True}
        sending = Sending(send, scope)
        try:
            await self._answer(scope, receive, sending)
        except Exception:
            logger.exception("An unexpected fault while answering %s", scope["method"])
            if not sending.started:
                await unexpected()(scope, receive, sending)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["method"] == "OPTIONS" and (methods := allowed_methods(scope["app"], scope)):
            await _options(methods)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Sending:
    """The way back to the client: adds the common headers, and leaves out the body for HEAD."""

    def __init__(self, send: Send, scope: Scope) -> None:
        """Wrap the server's own way back from what is asked."""
        self._send = send
        self._scope = scope
        self.started = False

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self.started = True
            EXCHANGE.get().route = template_of(self._scope)
            headers = MutableHeaders(scope=message)
            for name, value in COMMON_HEADERS.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body" and WITHOUT_BODY in self._scope:
            message = {**message, "body": b""}
        await self._send(message)


def _options(methods: list[str]) -> Response:
    """Answer OPTIONS, which is a browser's preflight as well: reading is open to every origin."""
    listed = ", ".join(methods)
    headers = {
        "Allow": listed,
        "Access-Control-Allow-Methods": listed,
        "Access-Control-Allow-Headers": (
            "Accept, Chancery-Change, Content-Type, If-None-Match, Last-Event-ID"
        ),
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers=headers)


def url_too_long() -> Response:
    """Return the answer to an address that is too long, which the protocol may notice before."""
    detail = f"An address may have {MAX_URL_LENGTH:,} characters: ask for fewer things at once."
    return problem(Sort(414, "url-too-long", "The address is too long"), detail)


def _refusal(scope: Scope) -> Response | None:
    """Return the problem with an address that can't be read, or None."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    if len(path) + len(query) + 1 > MAX_URL_LENGTH:
        return url_too_long()
    if not _names_a_host(scope):
        detail = "There must be one Host header, with a host name and at most a port."
        return problem(Sort(400, "invalid-host", "The request names no host"), detail)
    if _fault_in(path) is not None:
        detail = "The address holds characters that can't be read: write it in UTF-8."
        return problem(Sort(400, "malformed-url", "The address can't be read"), detail)
    faults = tuple(islice(_faults_in_query(query), MAX_FAULTS))
    if faults:
        return problem(STATUS_OF[RefusedError], str(RefusedError(*faults)), faults)
    return None


def _names_a_host(scope: Scope) -> bool:
    """Tell whether it is said whom the request is for; HTTP/1.0 needn't (RFC 9112, section 3.2)."""
    hosts = Headers(scope=scope).getlist("host")
    if len(hosts) != 1:
        return not hosts and scope["http_version"] == "1.0"
    found = _HOST.fullmatch(hosts[0])
    return found is not None and int(found[1] or 0) <= _LAST_PORT


def _faults_in_query(query: bytes) -> Iterator[Fault]:
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        message = _fault_in(name) or _fault_in(value)
        if message is not None:
            named = shown(unquote_to_bytes(name).decode(errors="replace"))
            yield Fault("query", named, "unreadable_text", message)


def _fault_in(encoded: bytes) -> str | None:
    try:
        printable(unquote_to_bytes(encoded).decode())
    except UnicodeDecodeError:
        return "The text is not UTF-8."
    except ValueError as error:
        return str(error)
    return None
