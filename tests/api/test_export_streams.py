"""Long answers on a real server: one moment, cut off when they fail, and nothing left behind."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from types import ModuleType

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.api.conditional import CACHE_CONTROL
from app.api.connection import bounds
from app.api.formats import download
from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db import engine
from app.db.engine import Database
from app.db.pools import CONNECTIONS, Shares
from app.db.url import driver_url
from tests.support.client import client_of
from tests.support.database import cloned
from tests.support.factories import event
from tests.support.multiplied import multiply
from tests.support.problems import problem_of
from tests.support.server import running, until

STREAMED = ["csv", "jsonl", "ics", "timelinejs.json"]
STREAMS = Shares.of(CONNECTIONS).long - 1
OPEN = (
    "FROM pg_stat_activity "
    "WHERE application_name = 'chancery stream' AND datname = current_database()"
)


@pytest.fixture(scope="module")
def large_url(server_url: str, timeline_template: str) -> Iterator[str]:
    """Address of a register that is too large for the buffers between it and its clients."""
    with cloned(server_url, timeline_template) as url:
        asyncio.run(multiply(url, 80))
        yield url


async def scalar(url: str, statement: str) -> int:
    """Return a number, as an administrator sees it."""
    administrator = engine.engine(driver_url(url), read_only=True)
    try:
        async with administrator.connect() as connection:
            return await connection.scalar(text(statement)) or 0
    finally:
        await administrator.dispose()


@asynccontextmanager
async def begun(
    address: str, path: str, encoding: str = "identity"
) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
    """Lend an answer of which the first piece has arrived and no more is read yet."""
    headers = {"Accept-Encoding": encoding}
    async with (
        httpx.AsyncClient(base_url=address, timeout=30, headers=headers) as client,
        client.stream("GET", path) as response,
    ):
        assert response.status_code == 200, await response.aread()
        pieces = response.aiter_raw()
        assert await anext(pieces)
        yield response, pieces


def free_streams(app: FastAPI) -> int:
    streams: asyncio.Semaphore = app.state.database._long._streams
    return streams._value


async def until_all_is_given_back(url: str, app: FastAPI) -> None:
    async def nothing_is_open() -> bool:
        return await scalar(url, f"SELECT count(*) {OPEN}") == 0

    await until(lambda: free_streams(app) == STREAMS)
    await until(nothing_is_open)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("extension", STREAMED)
async def test_a_failure_halfway_can_be_told_from_the_end(
    large_url: str, extension: str, encoding: str
) -> None:
    async with running(large_url) as (address, app):
        async with begun(address, f"/v1/events.{extension}", encoding) as (response, pieces):
            assert response.headers["transfer-encoding"] == "chunked"
            assert response.headers.get("content-encoding", "identity") == encoding
            ended = await scalar(large_url, f"SELECT count(pg_terminate_backend(pid)) {OPEN}")
            assert ended == 1
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
                async for _ in pieces:
                    """What was under way."""
        await until_all_is_given_back(large_url, app)
        async with httpx.AsyncClient(base_url=address) as client:
            assert (await client.get("/v1/events.csv?country=KZ&date_to=2023")).status_code == 200


@pytest.mark.parametrize("extension", STREAMED)
async def test_a_client_that_leaves_ends_the_question(large_url: str, extension: str) -> None:
    async with running(large_url) as (address, app):
        async with begun(address, f"/v1/events.{extension}"):
            assert free_streams(app) == STREAMS - 1
            assert await scalar(large_url, f"SELECT count(*) {OPEN}") == 1
        await until_all_is_given_back(large_url, app)


async def test_a_client_that_leaves_ends_the_making_of_a_workbook(large_url: str) -> None:
    async with running(large_url) as (address, app), httpx.AsyncClient(timeout=1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{address}/v1/events.xlsx")
        await until_all_is_given_back(large_url, app)


@pytest.mark.parametrize(
    ("limit", "extension"),
    [((bounds, "STALLED_S"), "jsonl"), ((download, "LONGEST_S"), "csv")],
)
async def test_a_client_that_stops_reading_keeps_its_place_for_a_while_only(
    large_url: str,
    monkeypatch: pytest.MonkeyPatch,
    limit: tuple[ModuleType, str],
    extension: str,
) -> None:
    monkeypatch.setattr(*limit, 0.5)
    async with (
        running(large_url) as (address, app),
        begun(address, f"/v1/events.{extension}") as (_, pieces),
    ):
        await until_all_is_given_back(large_url, app)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            async for _piece in pieces:
                """What was under way."""


async def test_too_many_exports_are_refused_while_others_go_on(large_url: str) -> None:
    async with running(large_url) as (address, app):
        async with AsyncExitStack() as stack, httpx.AsyncClient(base_url=address) as client:
            for _ in range(STREAMS):
                await stack.enter_async_context(begun(address, "/v1/events.jsonl"))
            for extension in (*STREAMED, "xlsx"):
                response = await client.get(f"/v1/events.{extension}")
                assert problem_of(response, 503)["code"] == "too-many-exports"
                assert int(response.headers["retry-after"]) >= 1
                # Who asks for no file needs no place.
                assert (await client.head(f"/v1/events.{extension}")).status_code == 200
            for path in ("/v1/events", "/v1/events.atom", "/v1/measures", "/readyz"):
                assert (await client.get(path)).status_code == 200
        await until_all_is_given_back(large_url, app)


async def test_an_export_shows_one_moment(large_url: str) -> None:
    async with running(large_url) as (address, _):
        async with begun(address, "/v1/events.jsonl?sort=oldest") as (response, pieces):
            count = await scalar(large_url, "SELECT count(*) FROM event")
            async with Database(large_url) as database, database.writing() as connection:
                late = event("too-late", dates={"effective": "2999-01-01"})
                await record_unseen(connection, [late], Author("a test"))
            rest = b"".join([piece async for piece in pieces])
        assert response.headers["cache-control"] == CACHE_CONTROL
        assert b"too-late" not in rest
        lines = rest.splitlines()[1:]
        assert all(json.loads(line) for line in lines)
        assert count - 200 < len(lines) < count


async def test_what_is_asked_of_just_now_keeps_no_writer_waiting(large_url: str) -> None:
    """The journal's lock, which settles the past, must not be held for as long as a stream."""
    now = datetime.now(UTC).isoformat().replace("+", "%2B")
    async with (
        running(large_url) as (address, _),
        begun(address, f"/v1/events.jsonl?known_at={now}"),
        Database(large_url) as database,
        database.writing() as connection,
    ):
        await record_unseen(connection, [event("meanwhile")], Author("a test"))


async def test_head_leaves_nothing_open(large_url: str) -> None:
    async with running(large_url) as (address, app):
        async with httpx.AsyncClient(base_url=address) as client:
            for extension in (*STREAMED, "xlsx"):
                response = await client.head(f"/v1/events.{extension}?country=KZ")
                assert (response.status_code, response.content) == (200, b"")
        await until_all_is_given_back(large_url, app)


async def test_a_stream_cannot_write_and_sees_one_moment(empty_url: str) -> None:
    async with Database(empty_url) as database:
        async with database.streaming() as connection:
            for setting, value in (
                ("transaction_isolation", "repeatable read"),
                ("transaction_read_only", "on"),
                ("role", "chancery_reader"),
                ("statement_timeout", "1min"),
            ):
                assert await connection.scalar(text(f"SHOW {setting}")) == value
        with pytest.raises(DBAPIError, match="read-only"):
            async with database.streaming() as connection:
                await connection.execute(text("DELETE FROM event"))


async def test_a_question_that_takes_too_long_begins_no_file(
    large_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "STREAM_STATEMENT_TIMEOUT_MS", 1)
    now = datetime.now(UTC).isoformat()
    async with client_of(large_url) as client:
        for extension in (*STREAMED, "xlsx"):
            answer = await client.get(f"/v1/events.{extension}", params={"known_at": now})
            assert problem_of(answer, 503)["code"] == "unavailable"


@pytest.mark.parametrize(
    ("path", "budget"),
    [
        ("/v1/events.csv", 2),
        ("/v1/events.jsonl?country=KZ&known_at=2026-11-24", 1),
        ("/v1/events.ics?party=taliban", 3),
        ("/v1/events.xlsx", 3),
        ("/v1/events.atom", 1),
    ],
)
async def test_a_file_takes_few_statements(
    timeline_url: str, statements: list[str], path: str, budget: int
) -> None:
    async with client_of(timeline_url) as client:
        # The same question once before, at another address, so that no answer was kept.
        await client.get(f"{path}{'&' if '?' in path else '?'}status=")
        statements.clear()
        assert (await client.get(path)).status_code == 200
    asked = [each for each in statements if "set_config" not in each]
    assert len(asked) == budget, asked
