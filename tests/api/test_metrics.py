"""What the service counts: the right numbers, in the format that Prometheus reads."""

import asyncio
import os
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.api.layers.observer import Observer
from app.api.metrics.tally import BOUNDS_S, Durations, Tally
from app.db.engine import Database
from app.main import create_app
from app.settings import Settings
from tests.support.client import client_of
from tests.support.metrics import Metrics
from tests.support.problems import problem_of

PATH = "/metrics"
REQUESTS = "chancery_requests_total"
DURATION = "chancery_request_duration_seconds"


async def metrics_of(client: httpx.AsyncClient) -> Metrics:
    return Metrics(await client.get(PATH))


async def test_requests_are_counted_by_route_method_and_class_of_the_status(
    client: httpx.AsyncClient,
) -> None:
    asked = {
        ("GET", "/v1/events?country=KZ"): ("/v1/events", "2xx", 3),
        ("HEAD", "/v1/events?country=KZ"): ("/v1/events", "2xx", 1),
        ("GET", "/v1/events?contry=KZ"): ("/v1/events", "4xx", 2),
        ("DELETE", "/v1/events"): ("/v1/events", "4xx", 1),
        ("GET", "/v1/events/kz-taliban-delisting-2023"): ("/v1/events/{id}", "2xx", 2),
        ("GET", "/"): ("/", "3xx", 1),
        ("GET", "/static/icon.svg"): ("/static", "2xx", 2),
        ("GET", "/static/none.svg"): ("/static", "4xx", 1),
        ("GET", "/openapi.json"): ("/openapi.json", "2xx", 1),
        ("GET", "/v1/nothing/1"): ("none", "4xx", 1),
    }
    for (method, path), (_, _, times) in asked.items():
        for _ in range(times):
            await client.request(method, path)
    metrics = await metrics_of(client)
    for (method, _), (route, status, times) in asked.items():
        labels = {"method": method, "route": route, "status": status}
        assert metrics.values(REQUESTS, **labels) == [times], labels
    assert metrics.total(REQUESTS) == sum(times for _, _, times in asked.values())


async def test_an_unknown_method_gets_no_numbers_of_its_own(client: httpx.AsyncClient) -> None:
    for method in ("BREW", "WHISK"):
        await client.request(method, "/v1/events")
    assert (await metrics_of(client)).values(REQUESTS, method="other") == [2]


async def test_an_answer_that_is_given_again_is_counted_like_the_first(
    client: httpx.AsyncClient,
) -> None:
    for _ in range(5):
        await client.get("/v1/territories/KZ")
    metrics = await metrics_of(client)
    assert metrics.values(REQUESTS, route="/v1/territories/{code}") == [5]
    assert metrics.values("chancery_cache_hits_total") == [4]
    assert metrics.values("chancery_cache_misses_total") == [1]
    assert metrics.total("chancery_cache_bytes") > 4_096


def test_durations_are_told_apart_by_their_bounds() -> None:
    durations = Durations()
    for seconds in (0.0, BOUNDS_S[0], BOUNDS_S[0] * 1.01, BOUNDS_S[-1], BOUNDS_S[-1] + 1):
        durations.add(seconds)
    up_to = list(durations.up_to())
    assert (up_to[0], up_to[1], up_to[-2], up_to[-1], durations.count) == (2, 3, 3, 4, 5)


async def test_durations_are_a_histogram(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.get("/livez")
    metrics = await metrics_of(client)
    assert metrics.families[DURATION].type == "histogram"
    counts = metrics.values(f"{DURATION}_bucket", route="/livez")
    assert counts == sorted(counts)
    assert len(counts) == len(BOUNDS_S) + 1
    assert counts[-1:] == metrics.values(f"{DURATION}_count", route="/livez") == [3]
    assert metrics.total(f"{DURATION}_bucket", route="/livez", le="+Inf") == 3
    assert 0 < metrics.total(f"{DURATION}_sum", route="/livez") < 60


async def test_what_is_under_way_is_told(client: httpx.AsyncClient) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waits(*_: Any) -> None:
        begun.set()
        await go_on.wait()

    async def nothing(*_: Any) -> Any:
        pass

    tally = Tally()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    waiting = asyncio.create_task(Observer(waits, tally)(scope, nothing, nothing))
    await begun.wait()
    assert tally.in_flight == 1
    go_on.set()
    await waiting
    assert tally.in_flight == 0
    # It ended without an answer.
    assert list(tally.answers) == [(None, "GET", 0)]
    # The question itself.
    assert (await metrics_of(client)).values("chancery_requests_in_flight") == [1]


async def test_the_state_of_the_database_and_of_the_process_is_told(timeline_url: str) -> None:
    app = create_app(Settings(database_url=timeline_url))
    database: Database = app.state.database
    transport = httpx.ASGITransport(app)
    async with database, httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        async with database.editing() as connection:
            number = await connection.scalar(text("SELECT number FROM change_number"))
            metrics = await metrics_of(client)
        later = await metrics_of(client)
    assert metrics.values("chancery_change_number") == [number]
    for pool in ("read", "look_up", "write", "long"):
        lent = int(pool == "write")
        assert metrics.values("chancery_pool_connections_in_use", pool=pool) == [lent]
        assert later.values("chancery_pool_connections_in_use", pool=pool) == [0]
        assert metrics.total("chancery_pool_connections", pool=pool) >= 1
    assert metrics.values("chancery_streams_open") == [0]
    assert metrics.values("chancery_requests_turned_away_total") == [0]
    assert metrics.total("process_resident_memory_bytes") > 10_000_000
    assert metrics.total("process_cpu_seconds_total") > 0
    assert 0 <= time.time() - metrics.total("process_start_time_seconds") < 600
    assert metrics.workers() == {str(os.getpid()): 1}


async def test_without_the_database_the_rest_is_told() -> None:
    async with client_of("postgresql://nobody@127.0.0.1:1/none") as client:
        metrics = await metrics_of(client)
        assert metrics.values("chancery_change_number") == []
        assert (await metrics_of(client)).values(REQUESTS, route=PATH) == [1]


async def test_it_is_never_stored(client: httpx.AsyncClient) -> None:
    assert (await client.get(PATH)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/%6detrics", "/metrics/", "/%2fmetrics", "/metrics%2f"])
async def test_no_other_spelling_gets_round_a_proxy_that_hides_it(
    client: httpx.AsyncClient, path: str
) -> None:
    problem_of(await client.get(path), 404)


async def test_it_is_no_part_of_the_api(client: httpx.AsyncClient) -> None:
    for document in ("/openapi.json", "/openapi-docs.json"):
        assert PATH not in (await client.get(document)).json()["paths"]
