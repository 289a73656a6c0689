"""The network to the database swallows what is sent: nobody waits for ever, and it is found out."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.commands import journal
from app.db import engine
from app.db.engine import EDIT_COMMAND_TIMEOUT_S, Database
from app.db.prepared import Prepared
from app.domain.errors import UnavailableError
from tests.faults.cable import Cable
from tests.faults.postgres import Postgres, running
from tests.support.database import execute

pytestmark = pytest.mark.usefixtures("shipped_timeouts")
ONE = text("SELECT 1")
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name LIKE 'chancery %' AND pid <> pg_backend_pid()
"""
FORGOTTEN = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'chancery write' AND state = 'idle in transaction'
"""
# What is not mended waits for ever, or for half a minute.
SOON_S = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    async with running(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "COMMAND_TIMEOUT_S", 1)
    monkeypatch.setattr(engine, "EDIT_COMMAND_TIMEOUT_S", 1)
    monkeypatch.setattr(engine, "STREAM_COMMAND_TIMEOUT_S", 1)


@pytest_asyncio.fixture
async def cable(postgres: Postgres) -> AsyncIterator[Cable]:
    async with Cable(postgres.port).laid() as cable:
        yield cable


@pytest_asyncio.fixture
async def database(postgres: Postgres, cable: Cable) -> AsyncIterator[Database]:
    async with Database(postgres.url_through(cable.port)) as database:
        yield database


async def write(database: Database) -> None:
    async with database.editing() as connection:
        await journal.lock(connection)


async def test_a_connection_that_leads_nowhere_is_replaced(
    database: Database, cable: Cable
) -> None:
    async with asyncio.timeout(SOON_S):
        await write(database)
        cable.forget()
        await write(database)


async def test_a_write_that_is_swallowed_ends(database: Database, cable: Cable) -> None:
    async with asyncio.timeout(SOON_S):
        with pytest.raises(UnavailableError):
            async with database.editing() as connection:
                await journal.lock(connection)
                cable.hold()
                await connection.execute(ONE)


async def test_the_server_gives_an_edit_up_before_we_do(
    postgres: Postgres, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "EDIT_COMMAND_TIMEOUT_S", EDIT_COMMAND_TIMEOUT_S)
    async with Database(postgres.url_through(cable.port)) as database, asyncio.timeout(SOON_S):
        with pytest.raises(UnavailableError):
            async with database.editing() as connection:
                await journal.lock(connection)
                asyncio.get_running_loop().call_later(0.3, cable.forget)
                # As long as a lock that is waited for twice.
                await connection.execute(text("SELECT pg_sleep(2.8)"))
    # Else it would have got the lock, and kept it though nobody knows of it.
    server = await asyncpg.connect(postgres.url)
    assert await server.fetchval(FORGOTTEN) == 0
    await server.close()


async def test_a_commit_that_is_swallowed_ends(database: Database, cable: Cable) -> None:
    async with asyncio.timeout(SOON_S):
        with pytest.raises(UnavailableError):
            async with database.editing() as connection:
                await journal.lock(connection)
                cable.hold()
        cable.mend()
        await write(database)


@pytest.mark.parametrize("planned_once", [True, False])
async def test_a_question_that_is_swallowed_ends(
    database: Database, cable: Cable, *, planned_once: bool
) -> None:
    one = Prepared(ONE, planned_once=planned_once)
    async with asyncio.timeout(SOON_S), database.reading() as connection:
        assert await connection.fetch(one, {})
        cable.forget()
        with pytest.raises(UnavailableError):
            await connection.fetch(one, {})
        assert await connection.fetch(one, {})


async def test_what_one_has_found_out_all_go_by(database: Database, cable: Cable) -> None:
    one = Prepared(ONE, planned_once=True)
    async with asyncio.timeout(SOON_S), database.reading() as connection:
        await connection.fetch(one, {})
        await database.glance(one)
        cable.forget()
        with pytest.raises(UnavailableError):
            await database.glance(one)
        assert await connection.fetch(one, {})


async def test_what_was_answered_is_given_though_its_connection_cannot_be_closed(
    database: Database, cable: Cable
) -> None:
    slow = Prepared(text("SELECT 1 AS one, pg_sleep(0.5)"), planned_once=True)
    async with asyncio.timeout(SOON_S), database.reading() as connection:
        answer = asyncio.create_task(connection.fetch(slow, {}))
        await asyncio.sleep(0.2)
        # Another question has found out that what was opened before leads nowhere.
        pool = database._look_up._pool
        assert pool is not None
        await pool.expire_connections()
        cable.hold_ends()
        assert (await answer)[0].one == 1


async def test_a_connection_that_is_being_closed_is_replaced(
    postgres: Postgres, database: Database, cable: Cable
) -> None:
    one = Prepared(ONE, planned_once=True)
    async with database.reading() as connection:
        await connection.fetch(one, {})
        cable.hold_ends()
        await execute(postgres.url, TERMINATE)
        # Until the driver has heard of it.
        await asyncio.sleep(0.5)
        with pytest.raises(UnavailableError):
            await connection.fetch(one, {})
        assert await connection.fetch(one, {})


async def test_a_write_whose_connection_is_being_closed_ends(
    postgres: Postgres, database: Database, cable: Cable
) -> None:
    with pytest.raises(UnavailableError):
        async with database.editing() as connection:
            await connection.execute(ONE)
            cable.hold_ends()
            await execute(postgres.url, TERMINATE)
            await asyncio.sleep(0.5)
            await connection.execute(ONE)
    await write(database)


async def test_a_stream_that_is_swallowed_ends(database: Database, cable: Cable) -> None:
    async with asyncio.timeout(SOON_S):
        with pytest.raises(UnavailableError):
            async with database.streaming() as connection:
                await connection.execute(ONE)
                cable.forget()
                await connection.execute(ONE)


async def test_a_writer_that_nobody_hears_of_keeps_others_waiting_for_seconds_only(
    postgres: Postgres, database: Database, cable: Cable
) -> None:
    async with asyncio.timeout(SOON_S), Database(postgres.url) as others:
        with pytest.raises(UnavailableError):
            async with database.editing() as connection:
                await journal.lock(connection)
                cable.forget()
                await connection.execute(ONE)
        while True:
            try:
                await write(others)
            except UnavailableError:
                continue
            break


async def test_both_ends_ask_whether_the_other_is_there(database: Database) -> None:
    async with database.writing() as connection:
        asked = await connection.scalar(text("SHOW tcp_keepalives_idle"))
        driver: Any = (await connection.get_raw_connection()).driver_connection
        end = driver._transport.get_extra_info("socket")
        assert int(asked) == end.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 60
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert 0 < end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 60_000


async def test_who_was_idle_for_too_long_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    monkeypatch.setattr(engine, "EDIT_IDLE_TIMEOUT_MS", 1)
    async with Database(postgres.url) as database:
        with pytest.raises(UnavailableError):
            async with database.editing() as connection:
                await connection.execute(ONE)
                await asyncio.sleep(1)
                await connection.execute(ONE)
