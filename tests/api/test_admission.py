"""How many are answered at a time, who waits, who is refused, and that no place gets lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from app.api.exchange import CHANGE_HEADER
from app.api.layers import admission
from app.api.layers.admission import CALM, IN_LINE, LINE, PLACES, SHORT_LINE, Admission, Places
from app.api.layers.observer import Observer
from app.api.metrics.tally import Tally
from app.api.routing import WATCHED
from tests.support.client import client_of
from tests.support.problems import problem_of
from tests.support.schedule import slow
from tests.support.server import running, until

READS = PLACES["reads"]
PATHS = {
    "reads": ("/v1/events?q=", "GET"),
    "searches": ("/v1/events?limit=5&q=embassy", "HEAD"),
    "exports": ("/v1/events.csv?q=embassy", "GET"),
    "writes": ("/v1/events?q=embassy", "PUT"),
    "imports": ("/v1/imports", "POST"),
}


class Held:
    """An application that answers when it may; it notes who has come in."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self._may_begin = asyncio.Semaphore(0)
        self.may_end = asyncio.Event()
        self.may_end.set()

    def let(self, count: int) -> None:
        """Let so many more be answered."""
        for _ in range(count):
            self._may_begin.release()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self.inside.append(scope["path"])
        await self._may_begin.acquire()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b"done"})


class Asked:
    """One request, and what has become of it."""

    def __init__(self, layer: Admission, path: str, method: str = "GET") -> None:
        self.sent: list[Message] = []
        self.state: dict[str, Any] = {}
        self.task = asyncio.create_task(self._ask(layer, path, method))

    async def _ask(self, layer: Admission, path: str, method: str) -> None:
        path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
        observed = Observer(layer, Tally())
        await observed({**scope, "headers": [], "state": self.state}, self._receive, self._send)

    async def _receive(self) -> Message:
        return {"type": "http.request"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int | None:
        """What was answered, None where nothing was yet."""
        return self.sent[0]["status"] if self.sent else None


async def settle() -> None:
    """Let everything happen that needs no time."""
    for _ in range(1_000):
        await asyncio.sleep(0)


async def ask(layer: Admission, count: int, path: str = "/v1/events") -> list[Asked]:
    asked = [Asked(layer, path) for _ in range(count)]
    await settle()
    return asked


def statuses(asked: list[Asked]) -> Counter[int | None]:
    return Counter(each.status for each in asked)


def free(layer: Admission, sort: str = "reads") -> int:
    return layer._places[sort]._free


async def test_few_are_answered_at_a_time_and_others_wait_their_turn() -> None:
    held = Held()
    layer = Admission(held)
    asked = [Asked(layer, f"/{number}") for number in range(READS + 10)]
    for ended in range(len(asked)):
        await settle()
        begun = min(READS + ended, len(asked))
        assert held.inside == [f"/{number}" for number in range(begun)]
        held.let(1)
    await settle()
    assert statuses(asked) == {200: len(asked)}
    assert free(layer) == READS


@pytest.fixture
async def crowded(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Held, Admission]]:
    """All places taken, and nobody in a line that was just as long as it may be."""
    monkeypatch.setattr(admission, "LINE", 5)
    held = Held()
    layer = Admission(held)
    burst = await ask(layer, READS + 5)
    assert statuses(burst) == {None: READS + 5}
    assert statuses(await ask(layer, 10)) == {503: 10}
    held.let(5)
    await settle()
    assert statuses(burst) == {200: 5, None: READS}
    yield held, layer
    held.let(1_000)
    await settle()
    assert free(layer) == READS


async def test_when_the_line_was_long_hardly_anybody_may_wait(
    crowded: tuple[Held, Admission],
) -> None:
    held, layer = crowded
    assert statuses(await ask(layer, 10)) == {None: SHORT_LINE, 503: 10 - SHORT_LINE}
    held.let(READS + SHORT_LINE)
    await settle()
    assert statuses(await ask(layer, READS + 10)) == {
        None: READS + SHORT_LINE,
        503: 10 - SHORT_LINE,
    }


@pytest.mark.usefixtures("shipped_timeouts")
async def test_as_many_may_wait_as_are_answered_while_nobody_minds() -> None:
    quick, slow = Places(READS), Places(READS)
    for _ in range(200):
        quick.give_back(admission.LINE_S / 1_000)
        slow.give_back(admission.LINE_S / 8.5)
    assert (quick._room(), slow._room()) == (LINE, int(8.5 * READS))
    for _ in range(200):
        slow.give_back(10.0)
    # However long it takes, a few may.
    assert slow._room() == admission.FEW * READS


async def test_that_it_is_too_much_is_logged_once(
    crowded: tuple[Held, Admission], caplog: pytest.LogCaptureFixture
) -> None:
    _, layer = crowded
    assert statuses(await ask(layer, 20))[503] == 20 - SHORT_LINE
    assert [record.name for record in caplog.get_records("setup")] == ["chancery.admission"]
    assert caplog.records == []


async def test_some_answers_without_a_refusal_make_it_forgotten(
    crowded: tuple[Held, Admission],
) -> None:
    held, layer = crowded
    for _ in range(CALM - 5):
        assert statuses(await ask(layer, 1)) == {None: 1}
        held.let(1)
        await settle()
    assert statuses(await ask(layer, 5)) == {None: 5}


async def test_a_while_without_a_refusal_makes_it_forgotten(
    crowded: tuple[Held, Admission], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, layer = crowded
    monkeypatch.setattr(admission, "CALM_S", 0)
    assert statuses(await ask(layer, 5)) == {None: 5}


async def test_who_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "WAIT_S", 0.05)
    held = Held()
    layer = Admission(held)
    inside, waiting = await ask(layer, READS), await ask(layer, 3)
    await asyncio.gather(*(each.task for each in waiting))
    assert statuses(waiting) == {503: 3}
    held.let(READS)
    await settle()
    assert statuses(inside) == {200: READS}
    assert free(layer) == READS


async def test_who_is_gone_leaves_the_line(caplog: pytest.LogCaptureFixture) -> None:
    held = Held()
    layer = Admission(held)
    inside, waiting = await ask(layer, READS), await ask(layer, 3)
    waiting[1].state[IN_LINE].cancel()
    await settle()
    assert len(layer._places["reads"]._line) == 2
    # Nothing was wrong, and nobody is there to be told anything.
    assert waiting[1].sent == []
    assert caplog.records == []
    held.let(READS + 2)
    await settle()
    assert len(held.inside) == READS + 2
    assert statuses([*inside, waiting[0], waiting[2]]) == {200: READS + 2}
    assert free(layer) == READS


@pytest.mark.parametrize("full", PATHS)
async def test_no_sort_takes_the_places_of_another(full: str) -> None:
    held = Held()
    layer = Admission(held)
    many = PLACES[full] + LINE
    asked = [Asked(layer, *PATHS[full]) for _ in range(many)]
    await settle()
    assert len(held.inside) == PLACES[full]
    asked += [Asked(layer, *PATHS[sort]) for sort in PATHS if sort != full]
    await settle()
    assert len(held.inside) == PLACES[full] + len(PLACES) - 1
    held.let(len(asked))
    await settle()
    assert statuses(asked) == {200: len(asked)}
    assert {sort: free(layer, sort) for sort in PLACES} == PLACES


async def test_an_answer_that_has_begun_holds_no_place() -> None:
    held = Held()
    held.let(3 * READS)
    held.may_end.clear()
    layer = Admission(held)
    streams = await ask(layer, 3 * READS)
    assert statuses(streams) == {200: 3 * READS}
    assert free(layer) == READS
    held.may_end.set()
    await settle()
    assert free(layer) == READS
    assert all(each.sent[1]["body"] == b"done" for each in streams)


async def test_a_fault_gives_the_place_back() -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError

    layer = Admission(fails)
    asked = await ask(layer, 3 * READS)
    assert all(isinstance(each.task.exception(), RuntimeError) for each in asked)
    assert free(layer) == READS


class Maker:
    """Makes a piece of a file when it is its turn."""

    def __init__(self, layer: Admission) -> None:
        self.is_making = asyncio.Event()
        self.may_end = asyncio.Event()
        self.task = asyncio.create_task(self._make(layer))

    async def _make(self, layer: Admission) -> None:
        async with layer.turn():
            self.is_making.set()
            await self.may_end.wait()


async def test_a_piece_of_a_file_is_made_when_nothing_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "PATIENCE_S", 60)
    held = Held()
    layer = Admission(held)
    await ask(layer, 2)
    maker = Maker(layer)
    for _ in range(2):
        await settle()
        assert not maker.is_making.is_set()
        held.let(1)
    await maker.is_making.wait()
    maker.may_end.set()
    await maker.task


async def test_under_a_steady_load_a_file_gets_on_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "PATIENCE_S", 0.01)
    held = Held()
    layer = Admission(held)
    await ask(layer, READS)
    maker = Maker(layer)
    await maker.is_making.wait()
    maker.may_end.set()
    held.let(READS)
    await settle()


async def test_pieces_are_made_one_at_a_time() -> None:
    layer = Admission(Held())
    makers = [Maker(layer) for _ in range(3)]
    for number, maker in enumerate(makers):
        await settle()
        assert [each.is_making.is_set() for each in makers] == [n <= number for n in range(3)]
        maker.may_end.set()
    await asyncio.gather(*(maker.task for maker in makers))


@pytest.mark.parametrize("wait", [1.0, 0.0])
@pytest.mark.parametrize("seed", [0, *slow(1, 2)])
async def test_a_thousand_that_are_cut_off_take_no_place_with_them(
    monkeypatch: pytest.MonkeyPatch, seed: int, wait: float
) -> None:
    monkeypatch.setattr(admission, "WAIT_S", wait)
    random, places, inside = Random(seed), Places(READS), 0

    async def enter() -> None:
        nonlocal inside
        if not await places.take({}):
            return
        inside += 1
        assert inside <= READS
        try:
            for _ in range(random.randrange(4)):
                await asyncio.sleep(0)
        finally:
            inside -= 1
            places.give_back(0.0)

    going: list[asyncio.Task[None]] = []
    for _ in range(1_000):
        going.append(asyncio.create_task(enter()))
        # At any moment: before it began, in line, at its turn, inside, at the end.
        if random.random() < 0.8:
            random.choice(going).cancel()
        if random.random() < 0.5:
            await asyncio.sleep(0)
    ended = await asyncio.gather(*going, return_exceptions=True)
    assert not [each for each in ended if isinstance(each, Exception)]
    assert places._free == READS
    assert not places._line


@pytest.fixture
def _no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no place in applications that are made from now on."""
    monkeypatch.setattr(admission, "PLACES", dict.fromkeys(PLACES, 0))
    monkeypatch.setattr(admission, "LINE", 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/events"),
        ("HEAD", "/v1/events"),
        ("GET", "/timeline"),
        ("GET", "/v1/facets?by=status"),
        ("GET", "/v1/events.csv"),
        ("PUT", "/v1/events/an-event"),
        ("POST", "/v1/imports"),
    ],
)
@pytest.mark.usefixtures("_no_place")
async def test_a_refusal_is_a_problem_and_asks_the_database_nothing(
    timeline_url: str,
    statements: list[str],
    method: str,
    path: str,
) -> None:
    async with client_of(timeline_url) as client:
        refused = await client.request(method, path)
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert CHANGE_HEADER.decode() not in refused.headers
    if method == "HEAD":
        assert (refused.status_code, refused.content) == (503, b"")
    else:
        assert problem_of(refused, 503)["code"] == "overloaded"
    assert statements == []


async def test_what_is_kept_is_given_however_full_it_is(
    timeline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.freshness.LONGEST_S", 60)
    async with client_of(timeline_url) as client:
        first = await client.get("/v1/events")
        monkeypatch.setattr(admission, "LINE", 0)
        app: Any = client._transport
        admission_of(app.app)._places["reads"] = Places(0)
        assert (await client.get("/v1/events")).content == first.content
        assert (await client.get("/v1/events?limit=1")).status_code == 503
        for path in WATCHED - {"/metrics"}:
            assert (await client.get(path)).status_code == 200


async def test_a_client_that_leaves_the_service_leaves_the_line(timeline_url: str) -> None:
    async with running(timeline_url) as (address, app), httpx.AsyncClient(base_url=address) as c:
        assert (await c.get("/v1/events")).status_code == 200
        places = admission_of(app)._places["reads"] = Places(1)
        assert await places.take({})
        _, writer = await asyncio.open_connection(*address.removeprefix("http://").split(":"))
        writer.write(b"GET /v1/events?limit=1 HTTP/1.1\r\nHost: here\r\n\r\n")
        await until(lambda: len(places._line) == 1)
        writer.close()
        await until(lambda: not places._line)


async def test_a_thousand_clients_that_leave_at_once_take_no_place_with_them(
    timeline_url: str,
) -> None:
    async with running(timeline_url) as (address, app), httpx.AsyncClient(base_url=address) as c:
        assert (await c.get("/v1/events")).status_code == 200
        places = admission_of(app)._places["reads"]
        for number in range(1_000):
            _, writer = await asyncio.open_connection(*address.removeprefix("http://").split(":"))
            request = f"GET /v1/events?limit={number % 200 + 1} HTTP/1.1\r\nHost: here\r\n\r\n"
            writer.write(request.encode())
            # Let the server begin now and then, so that clients leave at all stages.
            await writer.drain()
            writer.transport.abort()
        await until(lambda: places._free == READS)
        assert not places._line
        assert (await c.get("/v1/events?limit=1")).status_code == 200


def admission_of(app: FastAPI) -> Admission:
    """Return what lets requests in to an application that has answered something."""
    layer: Any = app.middleware_stack
    while not isinstance(layer, Admission):
        layer = layer.app
    return layer
