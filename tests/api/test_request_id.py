"""The id of a request: on every answer, in every problem, in what is logged meanwhile."""

import logging
import re

import httpx
import pytest

from app.api.examples import EVENT
from app.domain.keys import PREFIX, new_key
from tests.support.client import client_of
from tests.support.editing import seen
from tests.support.keys import bearer
from tests.support.problems import problem_of

MADE = re.compile(r"[0-9a-f]{16}")
# It only looks like one, because every process that runs tests must have the same.
A_KEY = f"{PREFIX}_0srxoulo_{'x' * 43}_3GT6q5"
PATHS = ["/v1/events?country=RU", f"/v1/events/{EVENT['id']}", "/timeline", "/livez", "/metrics"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_an_id_of_its_own(client: httpx.AsyncClient, path: str) -> None:
    # The first is made, the others are mostly given again.
    answers = [await client.get(path) for _ in range(3)]
    answers += [await client.head(path), await client.options(path)]
    answers.append(await client.get(path, headers={"If-None-Match": "*"}))
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(map(MADE.fullmatch, ids))
    assert len(set(ids)) == len(ids)
    assert len({answer.headers.get("etag") for answer in answers[:4]}) == 1


@pytest.mark.parametrize("brought", ["a", "5F1C-9a.3e", "x" * 64])
async def test_an_id_that_is_brought_is_taken_over(client: httpx.AsyncClient, brought: str) -> None:
    for path in PATHS:
        response = await client.get(path, headers={"X-Request-Id": brought})
        assert response.headers["x-request-id"] == brought


@pytest.mark.parametrize("brought", ["", "a b", "x" * 65, 'a"b', "a\\b", "é", A_KEY])
async def test_what_is_no_id_is_not_taken_over(client: httpx.AsyncClient, brought: str) -> None:
    headers = httpx.Headers({"X-Request-Id": brought}, encoding="utf-8")
    response = await client.get("/v1/nothing", headers=headers)
    assert MADE.fullmatch(response.headers["x-request-id"])
    problem_of(response, 404)


async def test_every_problem_names_its_request(client: httpx.AsyncClient) -> None:
    problems = [
        problem_of(await client.get("/v1/nothing"), 404),
        problem_of(await client.get("/v1/events?contry=KZ"), 422),
        problem_of(await client.get("/v1/events?q=%00"), 422),
        problem_of(await client.get("/v1/events", headers={"Host": "no host"}), 400),
        problem_of(await client.delete("/v1/events"), 405),
        problem_of(await client.post("/v1/events"), 401),
        problem_of(await client.get("/v1/events/" + "x" * 40_000), 414),
    ]
    assert len({problem["instance"] for problem in problems}) == len(problems)


async def test_a_problem_on_a_page_names_its_request(client: httpx.AsyncClient) -> None:
    response = await client.get("/events/unknown")
    assert response.status_code == 404
    assert f"<code>{response.headers['x-request-id']}</code>" in response.text


async def test_a_page_of_another_site_may_read_it(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/nothing", headers={"Origin": "https://newsroom.example"})
    assert "X-Request-Id" in response.headers["access-control-expose-headers"].split(", ")


async def test_a_fault_of_ours_is_logged_under_its_id(
    timeline_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("app.api.routes.events.event_document", fails)
    async with client_of(timeline_url) as client:
        response = await client.get("/v1/events/anything")
    problem_of(response, 500)
    fault, answered = caplog.records
    assert fault.exc_info is not None
    assert str(fault.exc_info[1]) == "out of order"
    assert answered.levelno == logging.WARNING
    facts = vars(answered)["facts"]
    assert facts["request"] == response.headers["x-request-id"]
    assert (facts["status"], facts["problem"]) == (500, "internal-error")


async def test_why_the_database_did_not_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with client_of("postgresql://nobody@127.0.0.1:1/none") as client:
        for path in ("/v1/events/any", "/events/any"):
            assert (await client.get(path)).status_code == 503
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert isinstance(vars(record)["facts"]["reason"], OSError)


async def test_a_request_is_logged_by_its_path_and_key_and_nothing_else(
    editor: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chancery.requests")
    address = f"/v1/events/{EVENT['id']}"
    headers = await seen(editor, str(EVENT["id"]))
    body = {"title": "Of no concern to a log"}
    changed = await editor.patch(f"{address}?", json=body, headers=headers)
    assert changed.status_code == 200
    facts = vars(caplog.records[-1])["facts"]
    assert facts.pop("ms") > 0
    assert facts == {
        "request": changed.headers["x-request-id"],
        "method": "PATCH",
        "path": address,
        "route": "/v1/events/{id}",
        "status": 200,
        "bytes": int(changed.headers["content-length"]),
        "key": editor.headers["authorization"].split("_")[1],
    }


async def test_a_key_that_was_refused_is_not_named(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chancery.requests")
    problem_of(await client.get("/v1/keys", headers=bearer(new_key()[0])), 401)
    assert "key" not in vars(caplog.records[-1])["facts"]
