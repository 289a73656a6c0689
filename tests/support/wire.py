"""HTTP byte by byte: a server on the loop it has in production, and clients that misbehave."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

from app.api.connection.bounds import BoundedProtocol
from app.api.problems import MEDIA_TYPE, ProblemDocument

PATIENCE_S = 20.0


@contextmanager
def serving(app: ASGIApp) -> Iterator[tuple[int, uvicorn.Server]]:
    """Serve an application in a thread, and lend its port."""
    config = uvicorn.Config(
        app, http=BoundedProtocol, loop="uvloop", lifespan="off", log_level="critical"
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        # The kernel accepts for it even before it is started.
        yield listener.getsockname()[1], server
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@dataclass(frozen=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        """Return the problem that it is, after checking its form."""
        document: dict[str, Any] = json.loads(self.body)
        ProblemDocument.model_validate(document)
        assert self.headers["content-type"] == MEDIA_TYPE
        assert self.headers["access-control-allow-origin"] == "*"
        assert document["status"] == self.status
        assert document["instance"] == f"urn:chancery:request:{self.headers['x-request-id']}"
        return document


class Wire:
    """One connection of a client."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def send(self, data: bytes) -> bool:
        """Send, and tell whether the other side still takes it."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def ask(self, path: str = "/") -> Answer:
        """Send a request and return its answer."""
        assert self.send(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        return self.answer()

    def answer(self) -> Answer:
        """Return the next answer."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (s.partition(": ") for s in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(first.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Wait for the end, and tell whether it came without another byte."""
        try:
            return not self._read and not self.socket.recv(1)
        except ConnectionResetError:
            return True

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        assert data, f"The connection ended after {self._read!r}."
        self._read += data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
