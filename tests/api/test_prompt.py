"""What the protocol answers without the application, and without parsing what it has parsed before.

A request that is recognised by its bytes must be one: whole, alone, and where a request begins.
"""

from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from app.api.connection import prompt
from app.api.connection.prompt import HEARD, PromptProtocol
from app.api.connection.wire import AT_ONCE
from app.api.refusals import OVERLOADED
from tests.support.wire import Wire, serving

ASKED = b"GET /known HTTP/1.1\r\nHost: here\r\n\r\n"
OTHER = b"GET /other HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST /other HTTP/1.1\r\nHost: here\r\n"
KNOWN, OF_APPLICATION = 503, 200


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the whole request has come."""
    del scope
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": OF_APPLICATION, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The paths whose answers are at hand."""
    monkeypatch.setattr(prompt, "HEARD", type(HEARD)())
    return {"/known"}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The addresses of the requests that were parsed."""
    addresses: list[bytes] = []
    on_url = PromptProtocol.on_url

    def noting(self: PromptProtocol, url: bytes) -> None:
        addresses.append(url)
        on_url(self, url)

    monkeypatch.setattr(PromptProtocol, "on_url", noting)
    return addresses


@pytest.fixture
def wire(known: set[str], parsed: list[bytes]) -> Iterator[Wire]:
    """A connection to a server that has answered the known question once."""
    with serving(application) as (port, server):
        with Wire(port) as first:
            assert first.ask("/other").status == OF_APPLICATION
        server.lifespan.state[AT_ONCE] = lambda scope: (
            OVERLOADED.wire("nobody") if scope["path"] in known else None
        )
        with Wire(port) as wire:
            wire.send(ASKED)
            assert wire.answer().status == KNOWN
            parsed.clear()
            yield wire


def test_what_was_heard_is_not_parsed_again(wire: Wire, parsed: list[bytes]) -> None:
    for _ in range(5):
        wire.send(ASKED)
        assert wire.answer().status == KNOWN
        wire.send(OTHER)
        assert wire.answer().status == OF_APPLICATION
    assert parsed == [b"/other"] * 5


def test_what_is_not_at_hand_any_more_is_the_applications_to_answer(
    wire: Wire, known: set[str], parsed: list[bytes]
) -> None:
    known.clear()
    wire.send(ASKED)
    assert wire.answer().status == OF_APPLICATION
    known.add("/known")
    wire.send(ASKED)
    assert wire.answer().status == KNOWN
    assert parsed == [b"/known"]


@pytest.mark.parametrize("cut", [1, 10, len(ASKED) - 1])
def test_what_comes_in_pieces_is_read_to_its_end(wire: Wire, cut: int) -> None:
    wire.send(ASKED[:cut])
    wire.send(ASKED[cut:] + OTHER)
    assert [wire.answer().status for _ in range(2)] == [KNOWN, OF_APPLICATION]
    wire.send(ASKED)
    assert wire.answer().status == KNOWN


def test_several_in_one_piece_are_several(wire: Wire) -> None:
    for _ in range(3):
        wire.send(ASKED + ASKED)
        assert [wire.answer().status for _ in range(2)] == [KNOWN, KNOWN]
        wire.send(OTHER + ASKED)
        assert [wire.answer().status for _ in range(2)] == [OF_APPLICATION, KNOWN]


@pytest.mark.parametrize("head", ["header", "sized", "chunked"])
def test_what_looks_like_it_within_another_request_is_none(wire: Wire, head: str) -> None:
    if head == "header":
        wire.send(b"GET /other HTTP/1.1\r\nHost: here\r\nX-Said: ")
        wire.send(ASKED)
    elif head == "sized":
        wire.send(POST + b"Content-Length: %d\r\n\r\n" % len(ASKED))
        wire.send(ASKED)
    else:
        wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(ASKED))
        wire.send(ASKED)
        wire.send(b"\r\n0\r\n\r\n")
    assert wire.answer().status in {OF_APPLICATION, 400}
    wire.send(OTHER)
    if head != "header":
        assert wire.answer().status == OF_APPLICATION


@pytest.mark.parametrize("ending", [b"Connection: close\r\n", b""], ids=["closing", "HTTP/1.0"])
def test_who_wants_the_end_gets_it_every_time(
    wire: Wire, parsed: list[bytes], ending: bytes
) -> None:
    version = b"1.1" if ending else b"1.0"
    for _ in range(3):
        with Wire(wire.socket.getpeername()[1]) as other:
            other.send(b"GET /known HTTP/" + version + b"\r\n" + ending + b"\r\n")
            assert other.answer().headers["connection"] == "close"
            assert other.is_closed()
    assert parsed == [b"/known"] * 3


def test_only_so_much_is_remembered(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, parsed: list[bytes]
) -> None:
    monkeypatch.setattr(prompt, "MOST_HEARD", 2)
    monkeypatch.setattr(prompt, "LONGEST_HEARD", len(ASKED) + 10)
    for path in ("/known?1", "/known?2", "/known?1", "/known", "/known?" + 20 * "3") * 2:
        wire.send(ASKED.replace(b"/known", path.encode()))
        assert wire.answer().status == KNOWN
    assert len(prompt.HEARD) == 2
    assert all(len(each) <= prompt.LONGEST_HEARD for each in prompt.HEARD)
    # The one that was heard again in between outlasts the one that was heard after it.
    assert parsed.count(b"/known?1") == 1
    assert parsed.count(b"/known?2") == 2
