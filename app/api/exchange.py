"""One request and its answer: the id that both are known by, and what becomes of them.

The id stands in the `X-Request-Id` of the answer, in the `instance` of a problem, and in every line
that is logged meanwhile. What logs or reports a problem isn't handed the request, so it finds the
exchange in `EXCHANGE`; the layers before that is set find it in the scope.
"""

import re
from collections.abc import Awaitable, Iterable, Mapping
from contextvars import ContextVar
from random import getrandbits
from typing import Any

from starlette.types import Message, Scope, Send

IN_SCOPE = "chancery.exchange"
ID_HEADER = b"x-request-id"
CHANGE_HEADER = b"chancery-change"
"""On the answer to a write, the number of the change; sent back, no older answer is given."""

# Whoever is in front of the service may have given an id already. Without the underscore none of
# our keys can pass for one, and so be written to a log by mistake.
_ID = re.compile(rb"[A-Za-z0-9.-]{1,64}")
_REFUSED = 400


class Exchange:
    """One request, and the server's way back to its client."""

    route: str | None = None
    """The template of the path, for instance `/v1/events/{id}`; None where there is none."""
    key: str | None = None
    """The id of the editor's key that was accepted."""
    problem: str | None = None
    """The code of the problem that was answered."""
    reason: BaseException | None = None
    """What is behind that problem, where it is no fault of the client's."""
    has_left = False
    """Whether the client was gone before it was its turn, so that nothing was answered."""
    status = 0
    """The status of the answer, 0 as long as it hasn't begun."""
    sent = 0
    """How many bytes of the body were sent."""

    change: int | None = None
    """The number of the change that the request has made, once that is committed."""

    def __init__(self, scope: Scope, send: Send) -> None:
        """Take over the id that the request brings, or give it one.

        Args:
            scope: the request.
            send: the server's way back to the client.

        """
        self.id = _brought_id(scope) or new_id()
        self._send = send

    def __call__(self, message: Message) -> Awaitable[None]:
        """Pass one message of the answer on."""
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            self.status = message["status"]
            if self.change is not None and self.status < _REFUSED:
                headers.append((CHANGE_HEADER, b"%d" % self.change))
            return self.begin(self.status, headers)
        self.sent += len(message.get("body", b""))
        return self._send(message)

    def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> Awaitable[None]:
        """Begin the answer, which gets the id as well."""
        self.status = status
        listed = [*headers, (ID_HEADER, self.id.encode())]
        return self._send({"type": "http.response.start", "status": status, "headers": listed})


EXCHANGE: ContextVar[Exchange] = ContextVar("exchange")
"""The exchange in whose course the running code runs, unless the cache answers."""


def id_of(scope: Mapping[str, Any]) -> str:
    """Return the id of a request, also of one that the application hasn't got."""
    return scope[IN_SCOPE].id if IN_SCOPE in scope else _brought_id(scope) or new_id()


def new_id() -> str:
    """Return an id for a request that brings none."""
    # It only has to differ from those of other requests; nobody is kept from guessing it.
    return getrandbits(64).to_bytes(8).hex()


def template_of(scope: Scope) -> str | None:
    """Return the template of the path that was routed; files in one folder have one together."""
    path: str | None = None
    if "route" in scope:
        path = scope["route"].path
    elif "endpoint" in scope:
        path = scope.get("root_path") or scope["path"]
    return path


def _brought_id(scope: Mapping[str, Any]) -> str | None:
    for name, value in scope["headers"]:
        if name == ID_HEADER and _ID.fullmatch(value):
            return str(value, "ascii")
    return None
