"""What clients may send and hold, and how slowly: over real sockets, with short times."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.api.connection import bounds
from app.api.connection.bounds import BoundedProtocol
from app.cli import UNREAD_MS, _listening
from tests.support.service import free_port
from tests.support.wire import PATIENCE_S, Answer, Wire, serving

SOON_S = 0.3
LARGE = 16_000_000
START = b"POST / HTTP/1.1\r\nHost: here\r\n"


class Tried:
    """An application to try the protocol with; it knows how many of its clients have gone."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.gone = threading.Semaphore(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/unread":
            await self._answer(send, b"", status=401)
        elif scope["path"] == "/large":
            await self._answer(send, bytes(LARGE))
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        self.begun.release()
        # For ever, where it shall be held.
        while more or scope["path"] == "/held":
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.release()
                return
            size, more = size + len(message["body"]), message["more_body"]
        await self._answer(send, str(size).encode())

    async def _answer(self, send: Send, body: bytes, status: int = 200) -> None:
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def has_begun(self) -> bool:
        return self.begun.acquire(timeout=PATIENCE_S)

    def was_told(self) -> bool:
        """Wait until the application is told that a client has gone."""
        return self.gone.acquire(timeout=PATIENCE_S)


@pytest.fixture
def tried() -> Tried:
    return Tried()


@pytest.fixture
def server(tried: Tried) -> Iterator[tuple[int, uvicorn.Server]]:
    with serving(tried) as served:
        yield served


@pytest.fixture
def port(server: tuple[int, uvicorn.Server]) -> int:
    return server[0]


@pytest.fixture
def wire(port: int) -> Iterator[Wire]:
    with Wire(port) as wire:
        yield wire


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LINGER_S", SOON_S)


def refused(wire: Wire, status: int, code: str) -> Answer:
    """Return the problem that was the connection's last answer."""
    found = wire.answer()
    assert (found.status, found.problem()["code"]) == (status, code)
    assert found.headers["connection"] == "close"
    assert wire.is_closed()
    return found


def until_nobody_is_connected(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while server.server_state.connections:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"".join(b"X-%d: y\r\n" % n for n in range(101)), id="too many"),
        pytest.param(b"X: " + b"y" * 66_000 + b"\r\n", id="a long value"),
        pytest.param(b"x" * 66_000 + b": y\r\n", id="a long name"),
        pytest.param(b"".join(b"X-%d: %b\r\n" % (n, b"y" * 3_000) for n in range(30)), id="much"),
    ],
)
def test_headers_that_are_too_large_are_a_431(wire: Wire, headers: bytes) -> None:
    assert wire.ask().status == 200
    wire.send(b"GET / HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n")
    refused(wire, 431, "headers-too-large")


def test_the_largest_headers_are_read(wire: Wire) -> None:
    lines = b"".join(b"X-%02d: %b\r\n" % (n, b"y" * 600) for n in range(99))
    wire.send(b"GET / HTTP/1.1\r\nHost: here\r\n" + lines + b"\r\n")
    assert wire.answer().status == 200


@pytest.mark.parametrize(
    ("start", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nX: ", 431, "headers-too-large"),
        (b"GET /", 414, "url-too-long"),
    ],
)
def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(
    wire: Wire, start: bytes, status: int, code: str
) -> None:
    wire.send(start)
    for _ in range(100):
        wire.send(b"y" * 10_000)
    refused(wire, status, code)


@pytest.mark.parametrize("pieces", [[b"GET / HT"], [b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 90]])
def test_a_head_that_does_not_come_in_time_is_a_408(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]
) -> None:
    assert wire.ask().status == 200
    monkeypatch.setattr(bounds, "HEAD_S", SOON_S)
    began = time.monotonic()
    for piece in pieces:
        wire.send(piece)
        time.sleep(SOON_S / 60)
    refused(wire, 408, "request-too-slow")
    assert time.monotonic() - began >= SOON_S


@pytest.mark.parametrize("before", [0, 1])
def test_who_asks_nothing_is_left_without_a_word(
    port: int, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    monkeypatch.setattr(bounds, "HEAD_S", SOON_S)
    with Wire(port) as wire:
        for _ in range(before):
            assert wire.ask().status == 200
        # Line ends before a request are passed over (RFC 9112, section 2.2), and are none.
        wire.send(b"\r\n")
        assert wire.is_closed()


def test_a_connection_may_rest_between_its_requests(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "HEAD_S", SOON_S)
    with Wire(port) as wire:
        for _ in range(2):
            assert wire.ask().status == 200
            time.sleep(2 * SOON_S)
        assert wire.ask().status == 200


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 1000\r\n\r\n" + b"x" * 400, b"Transfer-Encoding: chunked\r\n\r\n190\r\nxxx"],
)
def test_a_body_that_does_not_come_in_time_is_a_408_and_never_carried_out(
    wire: Wire, tried: Tried, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(bounds, "BODY_S", SOON_S)
    wire.send(START + head)
    refused(wire, 408, "request-too-slow")
    assert tried.was_told()


def test_a_long_body_may_take_its_time_if_it_keeps_the_pace(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "BODY_S", SOON_S)
    # Even the slowest machine sends so much in a second.
    monkeypatch.setattr(bounds, "PACE", 50)
    wire.send(START + b"Content-Length: 10000\r\n\r\n")
    for _ in range(10):
        time.sleep(SOON_S / 3)
        wire.send(b"x" * 1_000)
    assert wire.answer().body == b"10000"


def test_who_is_not_read_is_not_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    async def reads_late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(3 * SOON_S)
        await Tried()(scope, receive, send)

    monkeypatch.setattr(bounds, "BODY_S", SOON_S)
    with serving(reads_late) as (port, _), Wire(port) as wire:
        wire.send(START + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        assert wire.answer().body == b"1000000"


def test_the_rest_of_a_body_that_nobody_reads_may_come_for_a_while_only(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "BODY_S", SOON_S)
    head = b"POST /unread HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n"
    wire.send(head)
    assert wire.answer().status == 401
    wire.send(b"x" * 1_000_000)
    assert wire.ask().status == 200
    wire.send(head)
    assert wire.answer().status == 401
    while wire.send(b"x" * 1_000):
        time.sleep(SOON_S / 100)


@pytest.mark.parametrize(
    "nonsense", [b"nonsense\r\n\r\n", START + b"Content-Length: x\r\n\r\n", START + b"a b: c\r\n"]
)
def test_what_is_no_request_is_a_400(wire: Wire, nonsense: bytes) -> None:
    wire.send(nonsense)
    refused(wire, 400, "malformed-request")


def test_a_body_that_is_no_body_is_a_400_and_never_carried_out(wire: Wire, tried: Tried) -> None:
    wire.send(START + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    assert tried.has_begun()
    wire.send(b"nonsense\r\n")
    refused(wire, 400, "malformed-request")
    assert tried.was_told()


def test_what_was_in_order_is_answered_whatever_follows(wire: Wire) -> None:
    wire.send(START + b"Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    found = wire.answer()
    assert (found.status, found.body, found.headers["connection"]) == (200, b"3", "close")
    assert wire.is_closed()


def test_who_does_not_read_is_cut_off(
    server: tuple[int, uvicorn.Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "STALLED_S", SOON_S)
    port, serving_ = server
    with Wire(port) as wire:
        wire.send(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
        wire.socket.recv(1)
        until_nobody_is_connected(serving_)


def test_who_reads_slowly_gets_it_all(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "STALLED_S", SOON_S)
    wire.send(b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
    size, began = 0, time.monotonic()
    while size < LARGE:
        time.sleep(SOON_S / 4)
        size += len(wire.socket.recv(LARGE // 10, socket.MSG_WAITALL))
    assert time.monotonic() - began > 2 * SOON_S


def test_the_kernel_gives_up_what_nobody_takes() -> None:
    port = free_port()
    with (
        _listening("127.0.0.1", port) as listener,
        socket.create_connection(("127.0.0.1", port)),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNREAD_MS


def test_who_asks_nothing_gives_way_to_who_asks(
    server: tuple[int, uvicorn.Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_CONNECTIONS", 20)
    monkeypatch.setattr(bounds, "GIVING_WAY", 5)
    port, serving_ = server
    with ExitStack() as stack, Wire(port) as healthy:
        for _ in range(40):
            slow = stack.enter_context(Wire(port))
            slow.send(b"GET / HTTP/1.1\r\nX: ")
            assert healthy.ask().status == 200
            with Wire(port) as new:
                assert new.ask().status == 200
        assert len(serving_.server_state.connections) <= 21


def test_where_all_are_being_answered_who_comes_is_told_to_come_again(
    port: int, tried: Tried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_CONNECTIONS", 5)
    with ExitStack() as stack:
        for _ in range(5):
            held = stack.enter_context(Wire(port))
            held.send(b"GET /held HTTP/1.1\r\nHost: here\r\n\r\n")
            assert tried.has_begun()
        with Wire(port) as new:
            assert refused(new, 503, "overloaded").headers["retry-after"] == "1"
    for _ in range(5):
        assert tried.was_told()


@pytest.fixture
def ending(server: tuple[int, uvicorn.Server]) -> Iterator[Wire]:
    """A connection that was used, and whose server is about to stop."""
    port, serving_ = server
    with Wire(port) as wire:
        assert wire.ask().status == 200
        connection = cast("BoundedProtocol", next(iter(serving_.server_state.connections)))
        serving_.should_exit = True
        while not connection.is_ending:
            time.sleep(0.01)
        yield wire


def test_who_is_just_asking_when_the_service_stops_is_answered(ending: Wire) -> None:
    answer = ending.ask()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert ending.is_closed()


def test_who_asks_nothing_does_not_put_the_stop_off(ending: Wire) -> None:
    assert ending.is_closed()


def test_two_in_a_row_when_the_service_stops_are_one_too_many(ending: Wire) -> None:
    ending.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n" * 2)
    assert ending.answer().headers["connection"] == "close"
    assert ending.is_closed()
