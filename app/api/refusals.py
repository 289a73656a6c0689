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


def closing(response: Response) -> bytes:
    """Return this answer as it goes over the wire, to be the connection's last (RFC 9112, 9.6)."""
    status = HTTPStatus(response.status_code)
    headers = [*_headers(response), (b"connection", b"close")]
    lines = [f"HTTP/1.1 {status} {status.phrase}".encode(), *(b"%b: %b" % each for each in headers)]
    return b"\r\n".join([*lines, b"", response.body])


def _headers(response: Response) -> list[tuple[bytes, bytes]]:
    for name, value in COMMON_HEADERS.items():
        response.headers.setdefault(name, value)
    return response.raw_headers
