"""A response never depends on whether it was kept.

The same mutated requests are sent to a service whose cache is empty, and to one that has answered
them and all before them. In this process, so that both are the same service at the same address.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from app.db import freshness
from app.main import Application
from app.middleware import response_cache
from app.middleware.response_cache import Lookup, ResponseCache
from tests.support.exchange import Answer, Wire
from tests.support.mutations import HOST, TARGETS, Request, mutate
from tests.support.server import running

# What two responses to the same request may differ in.
CHANGING = {"date", "x-request-id"}
INSTANCE = re.compile(rb"urn:chancery:request:[A-Za-z0-9.-]+")
# The machine was busy, and the client may ask again.
BUSY = 503
UNCOMPRESSED = ("Accept-Encoding", "identity")


class Service:
    """A running service whose cache can be exchanged."""

    def __init__(self, address: str, app: Application) -> None:
        assert isinstance(app.response_cache, ResponseCache)
        self._address = address
        self._cache = app.response_cache
        self._stored = self._cache._responses

    def ask_fresh(self, request: Request) -> object:
        """Return the answer of a service that hasn't answered anything yet."""
        self._cache._responses = OrderedDict()
        try:
            return self._lasting(request)
        finally:
            self._cache._responses = self._stored

    def ask(self, request: Request) -> object:
        """Return the answer of a service that remembers all that it was asked."""
        return self._lasting(request)

    def etag(self, target: str) -> str:
        """Return the tag of a target's response."""
        answer = self._answer(Request(target, headers=(HOST, UNCOMPRESSED)))
        return answer.header("etag") or '"none"'

    def _lasting(self, request: Request) -> object:
        for _ in range(10):
            try:
                answer = self._answer(request)
            except EOFError:
                return "closed"
            if answer.status != BUSY:
                break
        headers = sorted(each for each in answer.headers if each[0] not in CHANGING)
        return answer.status, headers, INSTANCE.sub(b"", answer.body)

    def _answer(self, request: Request) -> Answer:
        with Wire(self._address) as wire:
            wire.send(request.encode())
            return wire.answer(request.method)


def differences(service: Service, seed: int, count: int) -> Iterator[str]:
    """Yield each request that is answered in another way when it was answered before."""
    random = Random(seed)
    bases = [Request(target, etag=service.etag(target)) for target in TARGETS]
    for _ in range(count):
        base = random.choice(bases)
        if random.random() < 0.5:
            base = replace(base, headers=(*base.headers, ("Accept-Encoding", "gzip")))
        service.ask(base)
        request = mutate(random, base)
        fresh = service.ask_fresh(request)
        # The first may be answered with what another one left, the second with its own.
        if any(service.ask(request) != fresh for _ in range(2)):
            yield f"{request.encode()!r}: {service.ask(request)} and not {fresh}"


async def found(url: str, seed: int, count: int) -> list[str]:
    async with running(url) as (address, app):
        assert isinstance(app, Application)
        service = Service(address, app)
        listed = await asyncio.to_thread(lambda: [*differences(service, seed, count)])
        # Else nothing would have been compared.
        assert app.state.tally.hits > count / 4
        return listed


@pytest.fixture(autouse=True)
def _known_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cache answer however slow the machine is."""
    monkeypatch.setattr(freshness, "LONGEST_S", 600)


@pytest.mark.parametrize("seed", range(2))
async def test_a_response_never_depends_on_whether_it_was_kept(
    timeline_url: str, seed: int
) -> None:
    assert await found(timeline_url, seed, 200) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 105))
async def test_a_response_never_depends_on_whether_it_was_kept_at_length(
    timeline_url: str, seed: int
) -> None:
    assert await found(timeline_url, seed, 2_000) == []


async def test_a_cache_that_forgets_what_a_response_depends_on_is_found_out(
    timeline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = response_cache.read_lookup

    def careless(scope: dict[str, object]) -> Lookup | None:
        hosts = [(b"host", HOST[1].encode())]
        headers = [each for each in scope["headers"] if each[0] != b"host"]  # type: ignore[attr-defined]
        return read({**scope, "headers": hosts + headers})

    monkeypatch.setattr(response_cache, "read_lookup", careless)
    assert await found(timeline_url, 0, 100) != []


OLD = Request(TARGETS[0], version="1.0", headers=())


@pytest.mark.parametrize(
    ("before", "request_", "status"),
    [
        (OLD, replace(OLD, version="1.1"), 400),
        (Request(TARGETS[0]), Request(TARGETS[0], headers=(("Host", ""), HOST)), 400),
        (Request(TARGETS[0]), Request(TARGETS[0], headers=(HOST, HOST)), 400),
        (Request(TARGETS[0]), replace(OLD, headers=(HOST,)), 200),
        (OLD, OLD, 200),
    ],
    ids=["1.1 without Host", "empty Host first", "two Hosts", "1.0 with Host", "1.0 without"],
)
async def test_who_names_no_host_is_answered_alike(
    timeline_url: str, before: Request, request_: Request, status: int
) -> None:
    async with running(timeline_url) as (address, app):
        assert isinstance(app, Application)
        service = Service(address, app)

        def asked() -> list[object]:
            fresh = service.ask_fresh(request_)
            service.ask(before)
            return [fresh, service.ask(before) and service.ask(request_)]

        fresh, kept = await asyncio.to_thread(asked)
        assert fresh == kept
        assert isinstance(fresh, tuple)
        assert fresh[0] == status
