"""HTTP/1.1 as bytes on a socket: what is sent is exactly what a test writes.

Answers are read strictly, so that one with a body too many, or with none where one is announced,
is noticed as a client would notice it: with the next answer on the connection.
"""

import re
import socket
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

TIMEOUT_S = 20
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [\x20-\x7e]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
_WITHOUT_BODY = {204, 304}


class Answer(NamedTuple):
    """One answer, read to its end."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the values of a header, joined as they may be (RFC 9110, section 5.3)."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def is_last(self) -> bool:
        """Whether the server says that the connection ends with it."""
        return "close" in self.header("connection").lower()


class Wire:
    """A connection to the service."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        self._socket = socket.create_connection((where.hostname, where.port), TIMEOUT_S)
        self._read = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._read.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed already is noticed when the answer is read."""
        with suppress(ConnectionError):
            self._socket.sendall(data)

    def end(self) -> None:
        """Say that nothing more is sent."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def answer(self, method: str = "GET") -> Answer:
        """Return the next answer that is final (RFC 9110, section 15.2).

        Raises:
            EOFError: the server has closed the connection before or within it.

        """
        while (status := self._status()) < 200:
            self._headers()
        headers = self._headers()
        if method == "HEAD" or status in _WITHOUT_BODY:
            return Answer(status, headers, b"")
        return Answer(status, headers, self._body(dict(headers)))

    def interim(self) -> int:
        """Return the status of an answer that isn't final yet."""
        status = self._status()
        self._headers()
        return status

    def is_closed(self) -> bool:
        """Wait until the server closes; tell whether it did so without sending anything more."""
        try:
            return self._read.read(1) == b""
        except ConnectionResetError:
            return True

    def _status(self) -> int:
        line = self._line()
        found = _STATUS_LINE.fullmatch(line)
        assert found, f"no status line: {line[:200]!r}"
        return int(found[1])

    def _headers(self) -> tuple[tuple[str, str], ...]:
        headers = []
        while line := self._line():
            found = _HEADER.fullmatch(line)
            assert found, f"no header: {line[:200]!r}"
            headers.append((found[1].decode().lower(), found[2].decode("latin-1")))
        return tuple(headers)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            assert "content-length" not in headers
            return b"".join(iter(self._chunk, b""))
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        assert headers.get("connection") == "close", "the body has no end"
        return self._read.read()

    def _chunk(self) -> bytes:
        chunk = self._exactly(int(self._line(), 16))
        assert self._line() == b""
        return chunk

    def _exactly(self, length: int) -> bytes:
        data = self._read.read(length)
        if len(data) < length:
            raise EOFError
        return data

    def _line(self) -> bytes:
        try:
            line = self._read.readline(65_536)
        except ConnectionResetError as error:
            raise EOFError from error
        if not line:
            raise EOFError
        assert line.endswith(b"\r\n"), line[:200]
        return line[:-2]
