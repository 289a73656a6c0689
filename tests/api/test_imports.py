"""`POST /v1/imports` and its template, over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.api.examples import EVENT
from app.api.routes import imports
from app.commands import import_events
from app.db.engine import Database
from app.db.locks import IMPORT
from app.domain.cells import NAMES
from tests.support.client import client_of
from tests.support.database import execute
from tests.support.factories import facts
from tests.support.problems import problem_of

JSON_LINES = {"Content-Type": "application/jsonl"}
CSV = {"Content-Type": "text/csv; charset=utf-8"}


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


async def test_a_file_is_imported_and_a_second_time_changes_nothing(
    editor: httpx.AsyncClient,
) -> None:
    body = lines({"id": "one", **facts()}, {"id": EVENT["id"], **facts()})
    expected = {"dry_run": False, "recorded": 1, "corrected": 1, "unchanged": 0, "rows": 2}
    response = await editor.post("/v1/imports", content=body, headers=JSON_LINES)
    answer = response.json()
    report = answer.pop("report")
    assert (response.status_code, answer) == (200, expected)
    assert report == [
        {"line": 1, "id": "one", "outcome": "recorded", "revision": 1},
        {"line": 2, "id": EVENT["id"], "outcome": "corrected", "revision": 2},
    ]
    assert response.headers["cache-control"] == "no-store"
    read = await editor.get("/v1/events/one")
    assert read.json()["title"] == facts()["title"]
    again = await editor.post("/v1/imports", content=body, headers=JSON_LINES)
    report = [each | {"outcome": "unchanged"} for each in report]
    unchanged = {"recorded": 0, "corrected": 0, "unchanged": 2, "report": report}
    assert again.json() == expected | unchanged


async def test_a_dry_run_writes_nothing(editor: httpx.AsyncClient) -> None:
    body = lines({"id": "one", **facts()})
    response = await editor.post(
        "/v1/imports", params={"dry_run": "true"}, content=body, headers=JSON_LINES
    )
    assert response.json()["dry_run"] is True
    assert response.json()["recorded"] == 1
    assert response.json()["report"] == [
        {"line": 1, "id": "one", "outcome": "recorded", "revision": 1}
    ]
    assert (await editor.get("/v1/events/one")).status_code == 404


async def test_the_report_of_a_large_file_is_complete(editor: httpx.AsyncClient) -> None:
    ids = [f"event-{number}" for number in range(6_000)]
    body = b"\n\n".join(lines({"id": each, **facts()}) for each in ids)
    query = {"dry_run": "true"}
    response = await editor.post("/v1/imports", params=query, content=body, headers=JSON_LINES)
    report = response.json()["report"]
    assert [each["id"] for each in report] == ids
    assert [each["line"] for each in report] == list(range(1, 12_000, 2))


async def test_the_template_can_be_downloaded_and_sent_as_it_is(editor: httpx.AsyncClient) -> None:
    template = await editor.get("/v1/imports/template.csv", headers={"Authorization": ""})
    assert template.status_code == 200
    assert template.headers["content-type"].startswith("text/csv")
    assert "attachment" in template.headers["content-disposition"]
    assert template.content.decode("utf-8-sig").splitlines()[0] == ",".join(NAMES)
    response = await editor.post("/v1/imports", content=template.content, headers=CSV)
    assert response.json() == {
        "dry_run": False,
        "recorded": 0,
        "corrected": 0,
        "unchanged": 1,
        "rows": 1,
        "report": [{"line": 2, "id": EVENT["id"], "outcome": "unchanged", "revision": 1}],
    }


async def test_faults_are_listed_with_their_lines_and_nothing_is_written(
    editor: httpx.AsyncClient,
) -> None:
    body = lines(
        {"id": "one", **facts()},
        {"id": "two", **facts(dates={"effective": "May"}, regime="KZ-NLTT")},
        {"id": "one", **facts()},
    )
    response = await editor.post("/v1/imports", content=body, headers=JSON_LINES)
    problem = problem_of(response, 422)
    assert problem["code"] == "faulty-import"
    assert "2 faults" in problem["detail"]
    assert [(each["location"], each["field"]) for each in problem["errors"]] == [
        ("body", "line 2: dates.effective"),
        ("body", "line 3: id"),
    ]
    assert (await editor.get("/v1/events/one")).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {},
        JSON_LINES | {"Content-Encoding": "gzip"},
    ],
)
async def test_other_media_types_are_refused(
    editor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await editor.post("/v1/imports", content=b"{}", headers=headers)
    problem_of(response, 415)
    assert "text/csv" in response.headers["accept"]


async def test_a_file_that_is_too_large_is_refused_while_it_comes_in(
    editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_BYTES", 5_000)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000

    response = await editor.post("/v1/imports", content=endless(), headers=JSON_LINES)
    problem_of(response, 413)
    response = await editor.post("/v1/imports", content=b"x" * 5_001, headers=JSON_LINES)
    problem_of(response, 413)


async def test_without_a_key_nothing_is_looked_at(empty_url: str) -> None:
    async with client_of(empty_url) as client:
        problem_of(await client.post("/v1/imports", content=b"", headers=CSV), 401)


async def test_a_parameter_that_does_not_exist_is_refused(editor: httpx.AsyncClient) -> None:
    response = await editor.post("/v1/imports?dryrun=true", content=b"", headers=JSON_LINES)
    problem = problem_of(response, 422)
    assert problem["errors"][0]["field"] == "dryrun"


async def test_an_import_whose_key_is_revoked_meanwhile_writes_nothing(
    editor: httpx.AsyncClient, loaded_url: str
) -> None:
    async def revoked_meanwhile() -> AsyncIterator[bytes]:
        yield lines({"id": "one", **facts()})
        await execute(loaded_url, "UPDATE api_key SET revoked_at = now()")
        yield b"\n"

    response = await editor.post("/v1/imports", content=revoked_meanwhile(), headers=JSON_LINES)
    problem_of(response, 401)
    assert (await editor.get("/v1/events/one")).status_code == 404


async def test_a_second_large_import_is_told_to_come_again(
    editor: httpx.AsyncClient, loaded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_events, "AT_ONCE", 1)
    body = lines({"id": "one", **facts()}, {"id": "two", **facts()})
    async with Database(loaded_url) as database, database.writing() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": IMPORT})
        response = await editor.post("/v1/imports", content=body, headers=JSON_LINES)
    assert problem_of(response, 503)["code"] == "busy"
    assert int(response.headers["retry-after"]) > 0
    response = await editor.post("/v1/imports", content=body, headers=JSON_LINES)
    assert response.json()["recorded"] == 2


@pytest.mark.parametrize("parts", [1, 2])
async def test_an_import_whose_client_leaves_writes_nothing(
    editor: httpx.AsyncClient, parts: int
) -> None:
    """During the upload, and after it while the rows are looked at."""
    body = lines(*({"id": f"event-{n}", **facts()} for n in range(20)))
    coming = [{"type": "http.request", "body": body, "more_body": parts == 1}]
    sent = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    transport = editor._transport
    assert isinstance(transport, httpx.ASGITransport)
    key = editor.headers["Authorization"].encode()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/imports",
        "raw_path": b"/v1/imports",
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"register.example"),
            (b"authorization", key),
            (b"content-type", b"application/jsonl"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("register.example", 80),
    }
    await transport.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert (await editor.get("/v1/events/event-1")).status_code == 404


async def test_a_put_beside_an_import_is_answered_soon(editor: httpx.AsyncClient) -> None:
    body = lines(*({"id": f"event-{n}", **facts()} for n in range(3_000)))
    importing = asyncio.create_task(
        editor.post("/v1/imports", content=body, headers=JSON_LINES, timeout=60)
    )
    written = 0
    while not importing.done():
        response = await editor.put(f"/v1/events/beside-{written}", json=facts())
        # On a busy machine one may be told to come again.
        assert response.status_code in {201, 503}
        written += response.status_code == 201
    assert (await importing).json()["recorded"] == 3_000
    assert written > 5


@pytest.mark.parametrize("query", ["dry_run=true&dry_run=false", "dryrun=true"])
async def test_a_dry_run_that_is_named_twice_or_wrongly_is_refused(
    editor: httpx.AsyncClient, query: str
) -> None:
    answer = await editor.post(f"/v1/imports?{query}", content="", headers=JSON_LINES)
    problem_of(answer, 422)
