"""Refusals made before they are needed: a busy process, and its protocol, send them as they are."""

from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Message

from app.api.envelope import COMMON_HEADERS, url_too_long
from app.api.problems import Sort, problem, reported
from app.domain.errors import OverloadedError

MAX_HEADERS = 100
MAX_HEADER_BYTES = 65_536


def messages(response: Response) -> tuple[Message, Message]:
    """Return what sends this answer; whoever passes them on must leave the two unchanged."""
    start = {"type": "http.response.start", "status": response.status_code}
    body = {"type": "http.response.body", "body": response.body}
    return {**start, "headers": _headers(response)}, body


def head_and_body(response: Response) -> tuple[bytes, bytes]:
    """Return this answer as it goes over the wire; the head lacks the empty line at its end."""
    status = HTTPStatus(response.status_code)
    lines = [b"%b: %b\r\n" % each for each in _headers(response)]
    return f"HTTP/1.1 {status} {status.phrase}\r\n".encode() + b"".join(lines), bytes(response.body)


def _headers(response: Response) -> list[tuple[bytes, bytes]]:
    for name, value in COMMON_HEADERS.items():
        response.headers.setdefault(name, value)
    return response.raw_headers


FAULTY = head_and_body(
    problem(
        Sort(400, "malformed-request", "The request can't be read"),
        "It is no HTTP/1.1: look at its first line, its headers and the length of its body. In an "
        "address, percent-encode blanks and whatever isn't ASCII.",
    )
)
TOO_LATE = head_and_body(
    problem(
        Sort(408, "request-too-slow", "The request didn't come in time"),
        "A request must come without long pauses: send it again.",
    )
)
TOO_LARGE = head_and_body(
    problem(
        Sort(431, "headers-too-large", "The headers are too large"),
        f"A request may have {MAX_HEADERS} headers, and they may have {MAX_HEADER_BYTES:,} bytes.",
    )
)
TOO_LONG = head_and_body(url_too_long())
OVERLOADED = head_and_body(reported(OverloadedError()))
