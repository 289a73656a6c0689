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


def closing(response: Response) -> Response:
    """Return this answer as the last one of its connection (RFC 9112, section 9.6)."""
    response.headers["Connection"] = "close"
    response.raw_headers = _headers(response)
    return response


def as_bytes(response: Response) -> bytes:
    """Return an answer as it goes over the wire."""
    status = HTTPStatus(response.status_code)
    lines = [b"%b: %b" % each for each in response.raw_headers]
    start = f"HTTP/1.1 {status} {status.phrase}".encode()
    return b"\r\n".join([start, *lines, b"", response.body])


def _headers(response: Response) -> list[tuple[bytes, bytes]]:
    for name, value in COMMON_HEADERS.items():
        response.headers.setdefault(name, value)
    return response.raw_headers
