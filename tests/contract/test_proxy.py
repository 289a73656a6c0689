"""The front proxy as it is shipped: what it holds back, what it passes on, whom it asks instead."""

import asyncio
import http.server
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from tests.support.problems import problem_of
from tests.support.proxy import CONFIGURATION, PATIENCE_S, Proxy, proxied
from tests.support.service import free_port, served
from tests.support.slow import Slow
from tests.support.stream import opened
from tests.support.wire import Wire

# Every address of this net is the machine itself.
ELSEWHERE = "127.0.7.{}"


@pytest.fixture(scope="module")
def proxy(haproxy: str, service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    place = tmp_path_factory.mktemp("proxy")
    with proxied(haproxy, urlsplit(service).netloc, place) as proxy:
        yield proxy


def client_from(number: int, proxy: Proxy) -> httpx.Client:
    """Return a client with an address of its own."""
    transport = httpx.HTTPTransport(local_address=ELSEWHERE.format(number))
    return httpx.Client(base_url=proxy.address, transport=transport, timeout=PATIENCE_S)


def test_the_configuration_is_in_order(haproxy: str) -> None:
    command = [haproxy, "-c", "-f", str(CONFIGURATION)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


def test_what_is_asked_is_answered_as_the_service_does(proxy: Proxy, service: str) -> None:
    with client_from(1, proxy) as client:
        for path in ("/v1/events?country=KZ&limit=200", "/v1/vocabulary", "/v1/nothing", "/docs"):
            through, direct = client.get(path), httpx.get(f"{service}{path}")
            assert through.status_code == direct.status_code
            for header in ("etag", "content-type", "content-encoding", "cache-control", "vary"):
                assert through.headers.get(header) == direct.headers.get(header)
        longest = "/v1/events?" + "&".join(["country=KZ"] * 2_900)
        assert client.get(longest).status_code == 200


def test_how_the_service_is_doing_is_shown_to_nobody(proxy: Proxy) -> None:
    with client_from(2, proxy) as client:
        for path in ("/metrics", "/metrics?x=1", "/%6Detrics", "/metric%73"):
            problem_of(client.get(path), 404)
            assert client.head(path).content == b""


def test_every_request_gets_an_id_from_it(proxy: Proxy) -> None:
    with client_from(6, proxy) as client:
        answer = client.get("/v1/nothing", headers={"X-Request-Id": "mine"})
    problem_of(answer, 404)
    assert str(UUID(answer.headers["x-request-id"])) == answer.headers["x-request-id"]


def test_a_stream_arrives_as_it_is_sent(proxy: Proxy) -> None:
    async def look() -> None:
        async with opened(proxy.address):
            """Its beginning has arrived, though it has no end."""

    asyncio.run(look())


def test_links_lead_to_the_proxy_whatever_the_client_says(proxy: Proxy) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    with client_from(3, proxy) as client:
        link = client.get("/v1/events?limit=1", headers=said).json()["next"]
    assert link.startswith(f"{proxy.address}/v1/events?")


def test_each_client_is_known_by_its_own_address_and_by_no_other(proxy: Proxy) -> None:
    def guess(client: httpx.Client, said: int) -> int:
        headers = {
            "Authorization": f"Bearer chancery_{said:08}",
            "X-Forwarded-For": f"203.0.113.{said}",
        }
        return client.put("/v1/events/x", json={}, headers=headers).status_code

    with client_from(4, proxy) as guessing, client_from(5, proxy) as other:
        tried = [guess(guessing, number) for number in range(61)]
        assert tried == [401] * 60 + [429]
        assert guess(other, 0) == 401


@pytest.mark.parametrize(
    ("trusted", "scheme"), [("127.0.0.0/8,::1", "https"), ("192.0.2.1", "http")]
)
def test_only_who_is_trusted_is_believed(timeline_url: str, trusted: str, scheme: str) -> None:
    environment = {"CHANCERY_DATABASE_URL": timeline_url, "CHANCERY_TRUSTED_PROXIES": trusted}
    with served(environment) as address:
        said = {"X-Forwarded-Proto": "https", "Host": "register.example"}
        link = httpx.get(f"{address}/v1/events?limit=1", headers=said).json()["next"]
    assert link.startswith(f"{scheme}://register.example/")


def test_who_asks_too_much_is_told_to_wait_and_others_are_not(
    haproxy: str, service: str, tmp_path: Path
) -> None:
    with (
        proxied(haproxy, urlsplit(service).netloc, tmp_path, requests=20) as proxy,
        client_from(1, proxy) as greedy,
        client_from(2, proxy) as other,
    ):
        assert [greedy.get("/livez").status_code for _ in range(20)] == [200] * 20
        # On a busy machine the first may have been so long ago that they count no more.
        while (refused := greedy.get("/livez")).status_code == 200:
            pass
        assert problem_of(refused, 429)["code"] == "throttled"
        assert refused.headers["retry-after"] == "10"
        assert other.get("/livez").status_code == 200


def test_who_holds_too_many_connections_gets_no_more_and_others_do(
    haproxy: str, service: str, tmp_path: Path
) -> None:
    with (
        proxied(haproxy, urlsplit(service).netloc, tmp_path, connections=10) as proxy,
        ExitStack() as stack,
        client_from(2, proxy) as other,
    ):
        source = ELSEWHERE.format(1)
        held = [stack.enter_context(Wire(proxy.port, source)) for _ in range(10)]
        # What is answered has been counted, which a busy machine may put off.
        assert all(each.ask("/livez").status == 200 for each in held)
        assert all(is_turned_away(proxy.port, source) for _ in range(5))
        assert other.get("/livez").status_code == 200
        assert all(each.ask("/livez").status == 200 for each in held)


def is_turned_away(port: int, source: str) -> bool:
    """Tell whether a new connection from an address is closed at once."""
    try:
        with Wire(port, source) as wire:
            return wire.is_closed()
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"]
)
def test_a_request_that_does_not_come_in_time_is_a_408(
    haproxy: str, service: str, tmp_path: Path, start: bytes
) -> None:
    netloc = urlsplit(service).netloc
    with (
        proxied(haproxy, netloc, tmp_path, request_time="300ms") as proxy,
        Wire(proxy.port) as wire,
    ):
        wire.send(start)
        assert wire.answer().status == 408
        assert wire.is_closed()


async def test_slow_clients_fail_nobody(haproxy: str, service: str, tmp_path: Path) -> None:
    netloc = urlsplit(service).netloc
    with proxied(haproxy, netloc, tmp_path, request_time="3s", requests=100_000) as proxy:
        slow, statuses, end = Slow(proxy.port, 200), set(), time.monotonic() + 5
        async with slow.at_work(), httpx.AsyncClient(base_url=proxy.address) as client:
            while time.monotonic() < end or slow.cut < 200:
                statuses.add((await client.get("/v1/events?limit=3")).status_code)
    assert statuses == {200}


class Stub(http.server.BaseHTTPRequestHandler):
    """A server that counts what it is asked, and answers it or breaks off."""

    asked: list[str]
    breaks_off: bool

    def answer(self) -> None:
        ready = self.path == "/readyz"
        if not ready:
            self.asked.append(self.command)
        if self.breaks_off and not ready:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer  # noqa: N815 - They are found by these names.

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def stub(*, breaks_off: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Run a server in a thread, and lend its port and what it is asked."""
    asked: list[str] = []
    handler = type("_Stub", (Stub,), {"asked": asked, "breaks_off": breaks_off})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def two_servers(program: str, place: Path, good: int, bad: int) -> Iterator[httpx.Client]:
    """Lend a client of a proxy before two servers, and let each have half of the requests."""
    with proxied(program, f"127.0.0.1:{good}", place) as proxy, client_from(1, proxy) as client:
        for number in (2, 4):
            proxy.command(f"set server chancery/chancery{number} addr 127.0.0.1 port {bad}")
        yield client


def test_a_server_that_is_gone_fails_nobody(haproxy: str, tmp_path: Path) -> None:
    with stub() as (good, asked), two_servers(haproxy, tmp_path, good, free_port()) as client:
        for method in ("GET", "POST") * 10:
            assert client.request(method, "/v1/events").status_code == 200
    assert asked == ["GET", "POST"] * 10


def test_what_breaks_off_is_asked_again_only_where_that_does_no_harm(
    haproxy: str, tmp_path: Path
) -> None:
    with (
        stub() as (good, asked),
        stub(breaks_off=True) as (bad, broken_off),
        two_servers(haproxy, tmp_path, good, bad) as client,
    ):
        for _ in range(10):
            assert client.get("/v1/events").status_code == 200
        assert "GET" in broken_off
        assert asked == ["GET"] * 10
        answers = [client.post("/v1/events") for _ in range(10)]
    failed = [each for each in answers if each.status_code != 200]
    assert len(failed) == broken_off.count("POST") > 0
    assert len(failed) + asked.count("POST") == 10
    assert problem_of(failed[0], 502)["code"] == "unavailable"


def test_without_a_server_it_says_so(haproxy: str, tmp_path: Path) -> None:
    with (
        proxied(haproxy, f"127.0.0.1:{free_port()}", tmp_path) as proxy,
        client_from(1, proxy) as client,
    ):
        answer = client.get("/v1/events")
    assert problem_of(answer, 503)["code"] == "unavailable"
    assert answer.headers["retry-after"] == "2"
