"""Refusals made before they are needed: a busy process, and its protocol, send them as they are."""

from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Message

from app.api.envelope import COMMON_HEADERS


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
