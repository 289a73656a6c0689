"""Several requests on one connection: each is answered once, in turn, and none is taken for more.

What is sent here is cut into pieces at will, as networks do.
"""

import json

import pytest

from tests.support.attacked import Attacked
from tests.support.corpus.cases import AS_EDITOR, EDIT, HOST, JSON, get, raw, request
from tests.support.exchange import Wire

ALIVE, READY = get("/livez"), get("/readyz")
BROKEN = raw("GET /livez HTTP/1.1\nX\0: a")
KEYLESS = {"Content-Type": JSON, "Transfer-Encoding": "chunked"}
UPGRADE = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}


@pytest.fixture
def wire(attacked: Attacked) -> Wire:
    """A connection that nothing was sent on."""
    attacked.hang_up()
    attacked.wire = Wire(attacked.address)
    return attacked.wire


def statuses(wire: Wire, *methods: str) -> list[int]:
    return [wire.answer(method).status for method in methods]


def test_requests_in_a_row_are_answered_in_their_order(wire: Wire) -> None:
    refused = request("POST", "/v1/events", {"Content-Type": JSON}, b"{}")
    nothing = request("HEAD", "/v1/nothing")
    wire.send(ALIVE + refused + nothing + get("/v1/events?x=1") + READY)
    assert statuses(wire, "GET", "POST", "HEAD", "GET", "GET") == [200, 401, 404, 422, 200]


def test_what_is_broken_takes_no_answer_from_what_came_before(wire: Wire) -> None:
    wire.send(READY + ALIVE + BROKEN)
    assert statuses(wire, "GET", "GET") == [200, 200]
    assert wire.is_closed()


def test_a_broken_body_is_answered_when_its_turn_has_come(wire: Wire) -> None:
    broken = request("POST", "/v1/events", KEYLESS) + b"zz\r\n"
    wire.send(READY + ALIVE + broken)
    assert statuses(wire, "GET", "GET", "POST") == [200, 200, 400]
    assert wire.is_closed()


def test_what_breaks_after_its_answer_is_not_answered_again(wire: Wire) -> None:
    wire.send(request("POST", "/v1/events", KEYLESS) + b"2\r\n{}\r\n")
    assert wire.answer("POST").status == 401
    wire.send(b"zz\r\n" + ALIVE)
    assert wire.is_closed()


def test_the_rest_of_a_body_that_was_refused_is_no_request(wire: Wire) -> None:
    wire.send(request("POST", "/v1/events", KEYLESS) + b"%x\r\n" % len(ALIVE))
    assert wire.answer("POST").status == 401
    wire.send(ALIVE + b"\r\n0\r\n\r\n" + READY)
    assert json.loads(wire.answer().body) == {"status": "ready", "writable": True}


def upgrading(attacked: Attacked, body: bytes) -> bytes:
    keys = {"Authorization": f"Bearer {attacked.keys[EDIT]}"}
    return request("POST", "/v1/events", {**keys, **UPGRADE, "Content-Type": JSON}, body)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_who_offers_another_protocol_is_read_to_the_end_in_this_one(
    attacked: Attacked, wire: Wire, size: int
) -> None:
    # Its body would be a request of its own to whoever takes the request for one without a body.
    sent = upgrading(attacked, ALIVE) + READY + get("/livez", **UPGRADE) + ALIVE
    for start in range(0, len(sent), size):
        wire.send(sent[start : start + size])
    assert wire.answer("POST").status == 400
    assert json.loads(wire.answer().body) == {"status": "ready", "writable": True}
    assert statuses(wire, "GET", "GET") == [200, 200]


def test_any_number_of_offers_is_passed_over(wire: Wire) -> None:
    wire.send(get("/livez", **UPGRADE) * 1_500)
    assert {wire.answer().status for _ in range(1_500)} == {200}


def test_a_proxys_request_tunnels_nothing(wire: Wire) -> None:
    wire.send(raw(f"CONNECT {HOST}:80 HTTP/1.1") + ALIVE)
    assert wire.answer("CONNECT").status == 400
    assert wire.is_closed()


def test_links_go_by_the_host_that_was_asked(wire: Wire) -> None:
    wire.send(raw("GET http://asked.example:81/v1/events?limit=1 HTTP/1.1\nHost: beside.example"))
    assert json.loads(wire.answer().body)["next"].startswith("http://asked.example:81/v1/events?")


@pytest.mark.parametrize(
    "path", ["/v1/events.csv", "/v1/events.jsonl", "/v1/events.ics", "/v1/events.xlsx", "/livez"]
)
def test_http_1_0_gets_the_same_bytes_and_no_chunks(attacked: Attacked, path: str) -> None:
    whole = attacked.ask(path)
    with Wire(attacked.address) as wire:
        wire.send(raw(f"GET {path} HTTP/1.0"))
        old = wire.answer()
    assert not old.header("transfer-encoding")
    assert old.is_last
    assert (old.status, len(old.body)) == (200, len(whole.body))
    # Calendars and workbooks say when they were made.
    assert old.body == whole.body or path.endswith((".ics", ".xlsx"))


def test_a_body_is_called_for_only_where_it_is_read(attacked: Attacked, wire: Wire) -> None:
    waiting = {"Content-Type": JSON, "Content-Length": "2", "Expect": "100-continue"}
    known = {"Authorization": AS_EDITOR["Authorization"].replace(EDIT, attacked.keys[EDIT])}
    wire.send(request("POST", "/v1/events", waiting | known))
    assert wire.interim() == 100
    wire.send(b"{}" + ALIVE)
    assert statuses(wire, "POST", "GET") == [422, 200]
    wire.send(request("POST", "/v1/events", waiting))
    refused = wire.answer("POST")
    assert (refused.status, refused.is_last) == (401, True)
    assert wire.is_closed()


def test_a_trailer_is_no_header(attacked: Attacked, wire: Wire) -> None:
    key = f"Authorization: Bearer {attacked.keys[EDIT]}\r\n\r\n".encode()
    wire.send(request("POST", "/v1/events", KEYLESS) + b"2\r\n{}\r\n0\r\n" + key)
    assert wire.answer("POST").status == 401


@pytest.mark.parametrize(
    ("header", "is_packed"),
    [
        *(
            (header, True)
            for header in ("gzip", "x-gzip, gzip", "br;q=1, gzip;q=0.1", "gzip ; q=1")
        ),
        *((header, False) for header in ("gzip;q=0", "gzip; q=0.000", "*", "gzippy", "br", "")),
    ],
)
def test_only_who_takes_it_is_sent_it_compressed(
    attacked: Attacked, header: str, *, is_packed: bool
) -> None:
    # Twice, because the second answer may be the first one's, given again.
    for _ in range(2):
        with Wire(attacked.address) as wire:
            wire.send(get("/v1/events?country=KZ", Accept_Encoding=header))
            answer = wire.answer()
        assert (answer.header("content-encoding") == "gzip") == is_packed
