"""Error responses that are rendered at import: they cost a busy process and its protocol little."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Message

from app.api.exchange import ID_HEADER
from app.api.layers.envelope import COMMON_HEADERS, url_too_long
from app.api.problems import NOBODYS, Sort, problem, reported
from app.domain.errors import OverloadedError

MAX_HEADERS = 100
MAX_HEADER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem that lacks nothing but the id of the request that it is for."""

    status: int
    headers: list[tuple[bytes, bytes]]
    before: bytes
    after: bytes

    def messages(self, request_id: str) -> tuple[Message, Message]:
        """Return what sends this answer; the header with the id comes from a layer outside."""
        body = self._body(request_id)
        headers = [*self.headers, (b"content-length", b"%d" % len(body))]
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": body}

    def serialize(self, request_id: str, more: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return the response as HTTP/1.1 has it, with more headers (RFC 9112, section 4).

        It is for what the server's protocol refuses before the application is asked.
        """
        start, body = self.messages(request_id)
        headers = [*start["headers"], (ID_HEADER, request_id.encode()), *more]
        first = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()
        lines = [b"%b: %b\r\n" % each for each in headers]
        return b"".join([first, *lines, b"\r\n", body["body"]])

    def _body(self, request_id: str) -> bytes:
        return self.before + request_id.encode() + self.after


def refusal(response: Response) -> Refusal:
    """Return this answer, a problem that was made outside of any request."""
    for name, value in COMMON_HEADERS.items():
        response.headers.setdefault(name, value)
    headers = [each for each in response.raw_headers if each[0] != b"content-length"]
    before, _, after = bytes(response.body).partition(NOBODYS.encode())
    return Refusal(response.status_code, headers, before, after)


FAULTY = refusal(
    problem(
        Sort(400, "malformed-request", "The request can't be read"),
        "It is no HTTP/1.1: look at its first line, its headers and the length of its body. In an "
        "address, percent-encode blanks and whatever isn't ASCII.",
    )
)
TOO_LATE = refusal(
    problem(
        Sort(408, "request-too-slow", "The request didn't come in time"),
        "A request must come without long pauses: send it again.",
    )
)
TOO_LARGE = refusal(
    problem(
        Sort(431, "headers-too-large", "The headers are too large"),
        f"A request may have {MAX_HEADERS} headers, and they may have {MAX_HEADER_BYTES:,} bytes.",
    )
)
TOO_LONG = refusal(url_too_long())
OVERLOADED = refusal(reported(OverloadedError()))
