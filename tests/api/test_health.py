"""Alive, ready, and the database away and back: on a server of the test's own."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.commands.parties import add_territories
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from tests.support.client import client_of
from tests.support.problems import problem_of
from tests.support.processes import Control

READS = ["/readyz", "/v1/events", "/v1/events/any", "/v1/parties", "/v1/measures"]


async def test_a_migrated_register_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).json() == {"status": "ready", "writable": True}


async def test_an_unmigrated_database_is_not_ready(unmigrated_url: str) -> None:
    async with client_of(unmigrated_url) as client:
        problem = problem_of(await client.get("/readyz"), 503)
        assert "chancery migrate" in problem["detail"]
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/none",
        "postgresql://nobody@/none?host=/nonexistent",
        "postgresql://nobody@no-such-host.invalid/none",
    ],
)
async def test_an_unreachable_database_is_a_503(url: str) -> None:
    async with client_of(url) as client:
        for path in READS:
            response = await client.get(path)
            assert problem_of(response, 503)["code"] == "unavailable"
            assert int(response.headers["retry-after"]) >= 1
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/v1/territories/KZ")).status_code == 200
        assert (await client.get("/v1/vocabulary")).status_code == 200


async def test_reads_recover_by_themselves_when_the_database_returns(tmp_path: Path) -> None:
    # Not with fsync off, as other tests: this server is killed and must remember.
    with embedded(tmp_path) as url:
        await schema.migrate(url)
        async with Database(url) as database, database.writing() as connection:
            await add_territories(connection)
        control = Control(tmp_path)
        async with client_of(url) as client:
            assert (await client.get("/v1/parties")).status_code == 200
            control("restart", "-m", "immediate")
            # The pool's connections are dead; they are replaced without a failed request.
            assert (await client.get("/v1/parties")).status_code == 200
            control("stop", "-m", "immediate")
            for path in READS:
                problem_of(await client.get(path), 503)
            socket_dir = parse_qs(urlsplit(url).query)["host"][0]
            control("start", "-o", f"--unix_socket_directories={socket_dir}")
            for path in ("/readyz", "/v1/events", "/v1/parties"):
                assert (await client.get(path)).status_code == 200
