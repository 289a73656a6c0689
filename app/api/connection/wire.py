"""Answers as HTTP/1.1 writes them, for what the server's protocol sends without the application."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

AT_ONCE = "at_once"
"""In the application's state, what tells the protocol the answer to a request if it is at hand."""


class Wire(NamedTuple):
    """An answer as it is sent."""

    head: bytes
    """The head, without the empty line at its end: what the server adds to all answers lacks."""
    body: bytes


def head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the head of an answer, without the empty line at its end (RFC 9112, section 4)."""
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return first + b"".join([line(name, value) for name, value in headers])


def line(name: bytes, value: bytes) -> bytes:
    """Return one line of a head."""
    return b"%b: %b\r\n" % (name, value)
