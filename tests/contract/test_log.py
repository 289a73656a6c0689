"""The log of a service as people start it: one JSON object a line, and never a secret."""

import asyncio
import base64
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from app.db import schema
from app.db.embedded import embedded
from app.domain.keys import Scope, new_key
from tests.support.commands import chancery, complaint
from tests.support.database import execute
from tests.support.factories import facts
from tests.support.keys import bearer, key_for
from tests.support.service import ready

ANNOUNCED = 3


@dataclass
class Logged:
    """What a service has written, to be read when it has ended."""

    address: str
    output: str = ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line after the addresses that it announces, each of them JSON."""
        return [json.loads(line) for line in self.output.splitlines()[ANNOUNCED:]]

    def answered(self, **facts: object) -> list[dict[str, Any]]:
        """Return the lines of requests of which these facts are told."""
        lines = [line for line in self.lines if line["logger"] == "chancery.requests"]
        return [line for line in lines if facts.items() <= line.items()]


@contextmanager
def logged(url: str, log: str, *options: str) -> Iterator[Logged]:
    """Run a service on this database, and have its output when the block has ended."""
    environment = {"CHANCERY_DATABASE_URL": url, "CHANCERY_LOG": log}
    with ready(environment, *options) as (address, process):
        service = Logged(address)
        yield service
        process.send_signal(signal.SIGTERM)
        service.output, _ = process.communicate(timeout=60)


def test_every_request_is_a_line_where_requests_are_asked_for(timeline_url: str) -> None:
    path = "/v1/events/kz-taliban-delisting-2023"
    with logged(timeline_url, "requests") as service, httpx.Client() as client:
        answers = [client.get(service.address + path) for _ in range(2)]
    for response in answers:
        (line,) = service.answered(request=response.headers["x-request-id"])
        assert (line["method"], line["path"], line["route"]) == ("GET", path, "/v1/events/{id}")
        assert (line["status"], line["bytes"]) == (200, int(response.headers["content-length"]))
        assert (line["level"], line["ms"] > 0) == ("info", True)
    # The server's own lines are of the same make.
    assert "uvicorn.error" in {line["logger"] for line in service.lines}


def test_only_faults_are_lines_where_nothing_else_is_asked_for(empty_url: str) -> None:
    with logged(empty_url, "") as service, httpx.Client(base_url=service.address) as client:
        client.get("/v1/events")
        client.get("/v1/events?contry=KZ")
        asyncio.run(execute(empty_url, "ALTER TABLE event RENAME TO elsewhere"))
        broken = client.get("/v1/events?country=KZ")
    assert broken.status_code == 500
    fault, answered = service.lines
    assert fault["request"] == answered["request"] == broken.headers["x-request-id"]
    assert fault["level"] == "error"
    assert 'relation "event" does not exist' in fault["traceback"]
    assert "in list_events" in fault["traceback"]
    assert (answered["status"], answered["problem"]) == (500, "internal-error")


def test_workers_log_alike(timeline_url: str) -> None:
    with logged(timeline_url, "requests", "--workers", "2") as service:
        answers = [httpx.get(f"{service.address}/livez") for _ in range(10)]
    ids = {line["request"] for line in service.answered(route="/livez")}
    assert ids == {answer.headers["x-request-id"] for answer in answers}


def test_no_secret_is_ever_logged(empty_url: str) -> None:
    key = asyncio.run(key_for(empty_url, Scope.EDIT))
    forged = new_key()[0]
    password = "pa55word"
    url = make_url(empty_url).set(password=password).render_as_string(hide_password=False)
    basic = base64.b64encode(b"me:swordfish").decode()
    secrets = {key, forged, basic, "swordfish", password}
    secrets |= {part for each in (key, forged) for part in each.split("_")[2:]}
    sent = (f"Bearer {key}", f"Bearer {forged}", f"bearer  {key[:-1]}", f"Basic {basic}")
    asked = ("/v1/events", f"/v1/events/{key}", f"/events/{forged}", f"/nothing/{key[:-9]}")
    with logged(url, "requests") as service, httpx.Client(base_url=service.address) as client:
        recorded = client.post("/v1/events", json=facts(note="swordfish"), headers=bearer(key))
        for value in sent:
            client.post("/v1/events", json={"swordfish": 1}, headers={"Authorization": value})
        for path in asked:
            client.get(path, params={"key": key, "password": "swordfish"})
            client.get(path, headers={"X-Request-Id": key, "Cookie": f"key={key}"})
        client.post("/v1/events", content=b'{"swordfish": swordfish}', headers=bearer(key))
        asyncio.run(execute(empty_url, "ALTER TABLE event_revision RENAME TO elsewhere"))
        body = facts(title="swordfish", note="swordfish")
        broken = client.post("/v1/events", json=body, headers=bearer(key))
    assert (recorded.status_code, broken.status_code) == (201, 500)
    assert [line for line in service.lines if "traceback" in line]
    # The key's public id is no secret, and tells the editor.
    assert service.answered(key=key.split("_")[1], status=201)
    assert {secret for secret in secrets if secret in service.output} == set()


@pytest.fixture
def guarded_url(tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database that asks for a password."""
    with embedded(tmp_path) as url:
        asyncio.run(schema.migrate(url))
        rules = tmp_path / "postgres" / "pg_hba.conf"
        rules.write_text("local all chancery trust\nlocal all all scram-sha-256\n")
        asyncio.run(
            execute(
                url,
                "CREATE ROLE editor LOGIN PASSWORD 'the right one'",
                "GRANT chancery_reader, chancery_writer TO editor",
                "SELECT pg_reload_conf()",
            )
        )
        yield url


def test_a_wrong_password_is_told_of_and_not_told(guarded_url: str) -> None:
    right, wrong = (
        make_url(guarded_url)
        .set(username="editor", password=password)
        .render_as_string(hide_password=False)
        for password in ("the right one", "the wr0ng one")
    )
    refused = complaint(chancery("serve", url=wrong))
    assert "password authentication failed" in refused
    assert "wr0ng" not in refused
    with logged(right, "faults") as service:
        # From now on the right one is the wrong one.
        change = "ALTER ROLE editor PASSWORD 'another'"
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'editor'"
        asyncio.run(execute(guarded_url, change, end))
        assert httpx.get(f"{service.address}/v1/events").status_code == 503
    (line,) = service.answered(status=503)
    assert "password authentication failed" in line["reason"]
    assert "the right one" not in service.output
