"""The journal as server-sent events: on real servers, because a client in process would wait."""

import asyncio
import signal
import socket
import subprocess
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text

from app.api.routes import stream
from app.cli import GRACEFUL_SHUTDOWN_S
from app.commands import journal
from app.commands.parties import add_territories
from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database, engine
from app.db.url import driver_url
from app.domain.errors import UnavailableError
from app.domain.keys import Scope
from tests.support.client import client_of
from tests.support.database import TERRITORIES, execute
from tests.support.factories import SOURCE, event, facts
from tests.support.keys import bearer, key_for
from tests.support.problems import problem_of
from tests.support.processes import Control
from tests.support.server import running, until
from tests.support.service import ready
from tests.support.stream import PATH, opened

AUTHOR = Author("a test")
# Long before the heartbeat, which would bring a change as well.
SOON_S = 8.0
# Before the server would cut off what is still open.
GRACE_S = GRACEFUL_SHUTDOWN_S - 1
LISTENING = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


async def write(url: str, *ids: str, **changes: Any) -> None:
    async with Database(url) as database, database.writing() as connection:
        await record_unseen(connection, [event(each, **changes) for each in ids], AUTHOR)


async def write_patiently(url: str, event: str) -> None:
    """Write as long as a busy machine puts one off."""
    written = False
    while not written:
        with suppress(UnavailableError):
            await write(url, event)
            written = True


async def listening(url: str) -> int:
    """Return how many connections listen, as an administrator sees it."""
    administrator = engine(driver_url(url), read_only=True)
    try:
        async with administrator.connect() as connection:
            return await connection.scalar(text(f"SELECT count(*) {LISTENING}")) or 0
    finally:
        await administrator.dispose()


async def until_listening(url: str, count: int) -> None:
    async def reached() -> bool:
        return await listening(url) == count

    await until(reached)


async def ended(process: subprocess.Popen[str], within: float) -> int:
    return await asyncio.to_thread(process.wait, within)


async def test_all_of_the_journal_arrives_in_order_as_the_journal_shows_it(empty_url: str) -> None:
    await write(empty_url, *(f"event-{number}" for number in range(stream.PAGE * 2 + 30)))
    async with running(empty_url) as (address, _), opened(address, TERRITORIES) as reader:
        arrived = await reader.changes(stream.PAGE * 2 + 30)
        async with httpx.AsyncClient(base_url=address) as client:
            start = {"since": TERRITORIES, "limit": 200}
            first = await client.get("/v1/changes", params=start)
            second = await client.get(first.json()["next"])
        assert arrived == first.json()["items"] + second.json()["items"]
        assert reader.response.headers["content-type"].startswith("text/event-stream")
        assert reader.response.headers["cache-control"] == "no-store"
        assert reader.response.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in reader.response.headers


async def test_tombstones_arrive_as_the_journal_shows_them(editor: httpx.AsyncClient) -> None:
    transport = editor._transport
    assert isinstance(transport, httpx.ASGITransport)
    url = transport.app.state.settings.database_url  # type: ignore[attr-defined]
    known = "/v1/events/kz-taliban-delisting-2023"
    latest = (await editor.get("/v1/changes")).json()["latest"]
    async with running(url) as (address, _), opened(address) as reader:
        assert reader.last_id == str(latest)
        tag = {"If-Match": (await editor.get(known)).headers["etag"]}
        await editor.post(f"{known}/retract", json={"reason": "Doubt."}, headers=tag)
        listed = await editor.get("/v1/changes", params={"since": latest})
        assert [await reader.change()] == listed.json()["items"]
        assert "tombstone" in listed.json()["items"][0]


async def test_without_a_position_it_begins_now(empty_url: str) -> None:
    await write(empty_url, "before-1", "before-2")
    async with running(empty_url) as (address, _), opened(address) as reader:
        # Whoever is cut off before the first event knows where to go on nevertheless.
        assert reader.last_id == str(TERRITORIES + 2)
        await write(empty_url, "after")
        assert (await reader.change())["event"] == "after"


async def test_the_header_goes_before_the_parameter(empty_url: str) -> None:
    await write(empty_url, "one", "two", "three")
    async with running(empty_url) as (address, _):
        async with opened(address, since=0, last=str(TERRITORIES + 2)) as reader:
            assert (await reader.change())["event"] == "three"
        async with opened(address, since=TERRITORIES + 1, last="") as reader:
            assert (await reader.change())["event"] == "two"


async def test_a_change_made_by_another_process_arrives_at_once_on_every_worker(
    empty_url: str,
) -> None:
    headers = bearer(await key_for(empty_url, Scope.EDIT))
    environment = {"CHANCERY_DATABASE_URL": empty_url}
    with ready(environment, "--workers", "2") as (address, process):
        async with AsyncExitStack() as stack, httpx.AsyncClient(base_url=address) as client:
            # So many that both workers have some.
            readers = [await stack.enter_async_context(opened(address)) for _ in range(12)]
            await until_listening(empty_url, 2)
            for number in range(3):
                begun = time.monotonic()
                path = f"/v1/events/event-{number}"
                response = await client.put(path, json=facts(), headers=headers)
                assert response.status_code == 201, response.text
                for reader in readers:
                    assert (await reader.change())["event"] == f"event-{number}"
                assert time.monotonic() - begun < SOON_S
            assert await listening(empty_url) == 2
            process.send_signal(signal.SIGTERM)
            assert not [block.data for reader in readers for block in await reader.rest()]
        assert await ended(process, GRACE_S) == 0


async def test_an_idle_stream_asks_nothing_and_holds_no_connection(
    empty_url: str, statements: list[str]
) -> None:
    async with (
        running(empty_url) as (address, app),
        opened(address) as reader,
        opened(address) as other,
    ):
        # Both are woken through one connection.
        await until_listening(empty_url, 1)
        await asyncio.sleep(0.5)
        before = len(statements)
        await asyncio.sleep(1)
        assert len(statements) == before
        assert app.state.database._reader.pool.checkedout() == 0
        begun = time.monotonic()
        await write(empty_url, "new")
        for each in (reader, other):
            assert (await each.change())["event"] == "new"
        assert time.monotonic() - begun < SOON_S


async def test_who_is_cut_off_again_and_again_misses_nothing_and_sees_nothing_twice(
    empty_url: str,
) -> None:
    writers, each = 4, 15

    async def writing(writer: int) -> None:
        for number in range(each):
            await write_patiently(empty_url, f"writer-{writer}-{number}")

    async with running(empty_url) as (address, _), asyncio.TaskGroup() as tasks:
        for writer in range(writers):
            tasks.create_task(writing(writer))
        seen: list[int] = []
        last = "0"
        while len(seen) < writers * each:
            async with opened(address, last=last) as reader:
                count = min(7, writers * each - len(seen))
                seen += [item["seq"] for item in await reader.changes(count)]
                last = reader.last_id
    assert seen == list(range(1, writers * each + 1))


async def test_the_heartbeat_also_asks(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def mute(_: object) -> None:
        """Lose the notification."""

    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(journal, "announce", mute)
    async with running(empty_url) as (address, _), opened(address) as reader:
        for _beat in range(3):
            beat = await reader.next()
            assert (beat.comment, beat.data, beat.id) == ("heartbeat", "", "")
        await write(empty_url, "unheard")
        assert (await reader.change())["event"] == "unheard"


async def test_the_listening_connection_is_replaced(empty_url: str) -> None:
    async with running(empty_url) as (address, _), opened(address) as reader:
        await until_listening(empty_url, 1)
        for number in range(3):
            await execute(empty_url, f"SELECT pg_terminate_backend(pid) {LISTENING}")
            begun = time.monotonic()
            await write(empty_url, f"event-{number}")
            assert (await reader.change())["event"] == f"event-{number}"
            assert time.monotonic() - begun < SOON_S


async def test_a_stream_outlasts_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.3)
    # Not with fsync off, as other tests: this server is killed and must remember.
    with embedded(tmp_path) as url:
        await schema.migrate(url)
        async with Database(url) as database, database.writing() as connection:
            await add_territories(connection)
        control = Control(tmp_path)
        async with running(url) as (address, _), opened(address, TERRITORIES) as reader:
            await write(url, "before-1")
            assert (await reader.change())["event"] == "before-1"
            await asyncio.to_thread(control, "restart", "-m", "immediate")
            await write(url, "before-2")
            assert (await reader.change())["event"] == "before-2"
            await asyncio.to_thread(control, "stop", "-m", "immediate")
            while (await reader.next()).comment != "heartbeat":
                """What was sent before the database went away."""
            for _ in range(4):
                assert (await reader.next()).comment == "heartbeat"
            # A stream that knows where it begins needs no database to begin.
            async with opened(address, since=TERRITORIES + 2) as another:
                socket_dir = parse_qs(urlsplit(url).query)["host"][0]
                options = f"--unix_socket_directories={socket_dir}"
                await asyncio.to_thread(control, "start", "-o", options)
                await write(url, "after-1", "after-2")
                for each in (reader, another):
                    names = [item["event"] for item in await each.changes(2)]
                    assert names == ["after-1", "after-2"]


async def test_without_the_database_now_is_unknown() -> None:
    async with client_of(NOWHERE) as client:
        assert problem_of(await client.get(PATH), 503)["code"] == "unavailable"


async def test_too_many_streams_are_refused(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_STREAMS", 2)
    async with running(empty_url) as (address, app), httpx.AsyncClient(base_url=address) as client:
        async with opened(address), opened(address):
            response = await client.get(PATH)
            assert problem_of(response, 503)["code"] == "too-many-streams"
            assert int(response.headers["retry-after"]) >= 1
            assert (await client.get("/v1/changes")).status_code == 200
        await until(lambda: app.state.streams.count == 0)
        async with opened(address):
            assert app.state.streams.count == 1


async def test_a_client_that_leaves_leaves_nothing_behind(empty_url: str) -> None:
    async with running(empty_url) as (address, app):
        tasks = len(asyncio.all_tasks())
        async with AsyncExitStack() as stack:
            for _ in range(5):
                await stack.enter_async_context(opened(address, since=0))
            assert app.state.streams.count == 5
        await until(lambda: app.state.streams.count == 0)
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        await until_listening(empty_url, 0)
        assert app.state.database._reader.pool.checkedout() == 0


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "1 2", "9" * 19, "9" * 30, "²"])
async def test_a_bad_position_is_refused(client: httpx.AsyncClient, value: str) -> None:
    response = await client.get(PATH, headers=[(b"Last-Event-ID", value.encode("latin-1"))])
    (fault,) = problem_of(response, 422)["errors"]
    assert (fault["location"], fault["field"]) == ("header", "Last-Event-ID")
    assert fault["message"].startswith("Write a whole number")
    response = await client.get(PATH, params={"since": value})
    assert problem_of(response, 422)["errors"][0]["field"] == "since"


async def test_an_unknown_parameter_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.get(PATH, params={"sinse": "1"})
    assert problem_of(response, 422)["errors"][0]["suggestions"] == ["since"]


@pytest.mark.parametrize("query", [{}, {"since": "0"}])
async def test_head_ends(client: httpx.AsyncClient, query: dict[str, str]) -> None:
    response = await asyncio.wait_for(client.head(PATH, params=query), 5)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert not response.content


async def test_streams_end_in_good_order_at_shutdown(empty_url: str) -> None:
    await write(empty_url, "one")
    with ready({"CHANCERY_DATABASE_URL": empty_url}) as (address, process):
        async with opened(address, TERRITORIES) as reader, opened(address) as other:
            assert (await reader.change())["event"] == "one"
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            # A body that is cut off would raise.
            assert not [b.data for each in (reader, other) for b in await each.rest()]
            assert time.monotonic() - begun < GRACE_S
        assert await ended(process, GRACE_S) == 0
        assert process.stdout is not None
        assert "Traceback" not in process.stdout.read()


async def test_a_client_that_reads_nothing_does_not_put_the_shutdown_off(empty_url: str) -> None:
    long = [SOURCE | {"quote": "It happened. " * 60}] * 20
    await write(empty_url, *(f"event-{number}" for number in range(300)), sources=long)
    environment = {"CHANCERY_DATABASE_URL": empty_url}
    with ready(environment) as (address, process), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", urlsplit(address).port))
        client.sendall(f"GET {PATH}?since=0 HTTP/1.1\r\nHost: register\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert await ended(process, GRACE_S) == 0
