"""Keys over HTTP: made, shown once, listed, revoked."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from app.db.engine import Database
from app.domain.keys import Scope, digest, public_id_of
from tests.support.client import client_of
from tests.support.keys import bearer, key_for
from tests.support.problems import problem_of

KEYS = "/v1/keys"
NEW = {"name": "Newsroom", "scopes": ["edit"], "expires_at": None}


@pytest.fixture
async def client(empty_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin's key, on a database of the test's own."""
    key = await key_for(empty_url, Scope.ADMIN, name="The admin")
    async with client_of(empty_url, public_url="https://register.example/at") as client:
        client.headers.update(bearer(key))
        yield client


async def test_a_key_is_shown_once_and_works(client: httpx.AsyncClient, empty_url: str) -> None:
    response = await client.post(KEYS, json=NEW)
    made = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"https://register.example/at/v1/keys/{made['id']}"
    assert response.headers["cache-control"] == "no-store"
    key = made.pop("key")
    assert public_id_of(key) == made["id"]
    assert (made["name"], made["scopes"], made["expires_at"]) == ("Newsroom", ["edit"], None)
    shown = await client.get(f"{KEYS}/{made['id']}")
    assert shown.json() == made
    # It is good for what it was made for, which isn't this.
    problem_of(await client.get(KEYS, headers=bearer(key)), 403)
    for answer in (shown, await client.get(KEYS)):
        assert answer.headers["cache-control"] == "no-store"
        assert key.split("_")[2] not in answer.text
    async with Database(empty_url) as database, database.reading() as connection:
        select = "SELECT digest FROM api_key WHERE name = 'Newsroom'"
        assert (await connection.execute(text(select))).scalar_one() == digest(key)


async def test_both_scopes_and_an_end(client: httpx.AsyncClient) -> None:
    both = {"name": "Both", "scopes": ["edit", "admin", "edit"], "expires_at": "2999-01-31"}
    made = (await client.post(KEYS, json=both)).json()
    assert made["scopes"] == ["admin", "edit"]
    assert made["expires_at"] == "2999-01-31T23:59:59.999999Z"
    assert (await client.get(KEYS, headers=bearer(made["key"]))).status_code == 200
    exact = NEW | {"expires_at": "2999-01-31T12:00:00+02:00"}
    made = (await client.post(KEYS, json=exact)).json()
    assert made["expires_at"] == "2999-01-31T10:00:00.000000Z"
    never = {name: NEW[name] for name in ("name", "scopes")}
    assert (await client.post(KEYS, json=never)).json()["expires_at"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", " \t"),
        ("name", "x" * 501),
        ("name", 5),
        ("scopes", []),
        ("scopes", None),
        ("scopes", "edit"),
        ("scopes", ["edit", "root"]),
        ("scopes", [["edit"]]),
        ("expires_at", "2020-01-01"),
        ("expires_at", "soon"),
        ("expires_at", ""),
        ("expires_at", 0),
        ("expires_at", 4102444800),
        ("expires_at", "9999-12-31T23:59:59-01:00"),
        ("expires_at", "2999-02-30"),
        ("is_root", True),
    ],
)
async def test_what_is_wrong_with_a_new_key_is_named(
    client: httpx.AsyncClient, field: str, value: Any
) -> None:
    problem = problem_of(await client.post(KEYS, json=NEW | {field: value}), 422)
    assert {fault["location"] for fault in problem["errors"]} == {"body"}
    assert {fault["field"].partition(".")[0] for fault in problem["errors"]} == {field}
    assert len((await client.get(KEYS)).json()["items"]) == 1


async def test_what_is_missing_is_named(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.post(KEYS, json={}), 422)
    assert {fault["field"] for fault in problem["errors"]} == {"name", "scopes"}


async def test_the_list_is_in_pages(client: httpx.AsyncClient) -> None:
    for number in range(4):
        await client.post(KEYS, json=NEW | {"name": f"Number {number}"})
    names: list[str] = []
    address: str | None = f"{KEYS}?limit=2"
    while address:
        page = await client.get(address)
        names += [item["name"] for item in page.json()["items"]]
        address = page.json()["next"]
        assert ("link" in page.headers) == (address is not None)
        # The public address leads past this application.
        address = address and address.removeprefix("https://register.example/at")
    assert names == ["Number 3", "Number 2", "Number 1", "Number 0", "The admin"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "cursor=x", "cursor=" + "A" * 40, "q=x"])
async def test_a_bad_question_is_refused(client: httpx.AsyncClient, query: str) -> None:
    problem_of(await client.get(f"{KEYS}?{query}"), 422)


async def test_a_cursor_of_another_list_is_refused(client: httpx.AsyncClient) -> None:
    other = (await client.get("/v1/territories?limit=1")).json()["next"].partition("cursor=")[2]
    problem_of(await client.get(f"{KEYS}?cursor={other}"), 422)


async def test_revoking_is_for_good_and_can_be_repeated(client: httpx.AsyncClient) -> None:
    made = (await client.post(KEYS, json=NEW)).json()
    states = []
    for _ in range(2):
        response = await client.delete(f"{KEYS}/{made['id']}")
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["cache-control"] == "no-store"
        states.append((await client.get(f"{KEYS}/{made['id']}")).json())
    assert states[0] == states[1]
    assert states[0]["revoked_at"] is not None
    listed = (await client.get(KEYS)).json()["items"]
    assert states[0] in listed


@pytest.mark.parametrize("key_id", ["nothing0", "NOTHING0", "x", "%20", "a" * 500])
async def test_an_unknown_key_is_a_404(client: httpx.AsyncClient, key_id: str) -> None:
    for method in ("GET", "DELETE"):
        problem_of(await client.request(method, f"{KEYS}/{key_id}"), 404)


async def test_the_last_use_is_shown(client: httpx.AsyncClient) -> None:
    made = (await client.post(KEYS, json=NEW)).json()
    assert made["last_used_at"] is None
    problem_of(await client.get(KEYS, headers=bearer(made["key"])), 403)
    used = (await client.get(f"{KEYS}/{made['id']}")).json()["last_used_at"]
    assert used >= made["created_at"]


async def test_the_answers_are_as_described(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for name in ("KeyDocument", "CreatedKeyDocument"):
        schemas[name]["additionalProperties"] = False

    def check(path: str, method: str, response: httpx.Response) -> None:
        described = document["paths"][path][method]["responses"][str(response.status_code)]
        schema = described["content"][response.headers["content-type"]]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(
            response.json()
        )

    made = await client.post(KEYS, json=NEW)
    check(KEYS, "post", made)
    check(KEYS, "get", await client.get(KEYS))
    check(f"{KEYS}/{{id}}", "get", await client.get(f"{KEYS}/{made.json()['id']}"))
    body = document["paths"][KEYS]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(body)
    assert validator.is_valid(NEW)
    assert not validator.is_valid({"name": "x", "scopes": ["root"]})
    assert all(map(validator.is_valid, [body["example"]]))
