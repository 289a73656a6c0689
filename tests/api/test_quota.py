"""So many writes a minute with one key and no more, wherever they are answered."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.commands import journal
from app.commands.keys import revoke_key
from app.db.engine import Database
from app.domain.keys import Scope, public_id_of
from app.settings import Settings
from tests.support.client import client_of
from tests.support.database import execute, until_waiting
from tests.support.factories import facts
from tests.support.keys import bearer, key_for
from tests.support.openapi import DOCUMENT
from tests.support.problems import problem_of

LIMIT = 20
WRITERS = 8
JSON_LINES = {"content": b"", "headers": {"Content-Type": "application/jsonl"}}
# Each operation that writes, with a request that would be in order.
REQUESTS: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/v1/events"): {"json": facts()},
    ("put", "/v1/events/{id}"): {"json": facts()},
    ("patch", "/v1/events/{id}"): {"json": {"title": "Another"}},
    ("post", "/v1/events/{id}/retract"): {"json": {"reason": "An error."}},
    ("post", "/v1/events/{id}/restore"): {},
    ("post", "/v1/events/{id}/merge"): {"json": {"into": "another"}},
    ("post", "/v1/imports"): JSON_LINES,
    ("put", "/v1/parties/{id}"): {"json": {"name": "Somebody", "kind": "group"}},
    ("put", "/v1/regimes/{code}"): {"json": {"name": "A list", "issuer": "KZ"}},
    ("post", "/v1/keys"): {"json": {"name": "Newsroom", "scopes": ["edit"]}},
    ("delete", "/v1/keys/{id}"): {},
}


@pytest.fixture
async def key(empty_url: str) -> str:
    return await key_for(empty_url, Scope.EDIT, Scope.ADMIN)


@pytest.fixture
async def client(empty_url: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key that may write twenty times a minute."""
    async with client_of(empty_url, writes_a_minute=LIMIT) as client:
        client.headers.update(bearer(key))
        yield client


async def written(url: str) -> int:
    """Return how many revisions there are."""
    return int(await scalar(url, "SELECT count(*) FROM event_revision"))


async def scalar(url: str, statement: str) -> Any:
    async with Database(url) as database, database.reading() as connection:
        return await connection.scalar(text(statement))


async def use_up(url: str, ends_in: str = "30 seconds") -> None:
    """Let every key have written as often as it may, in a minute that ends so soon."""
    await execute(
        url,
        f"UPDATE api_key SET writes = {LIMIT}",
        f"UPDATE api_key SET minute_ends = clock_timestamp() + interval '{ends_in}'",
    )


async def put(client: httpx.AsyncClient, event: str) -> httpx.Response:
    return await client.put(f"/v1/events/{event}", json=facts())


def test_a_thousand_are_allowed_unless_configured_otherwise() -> None:
    assert Settings().writes_a_minute == 1_000


async def test_the_count_is_exact_however_many_write_wherever(
    client: httpx.AsyncClient, empty_url: str, key: str
) -> None:
    async def write(through: httpx.AsyncClient, writer: int) -> list[int]:
        return [(await put(through, f"event-{writer}-{n}")).status_code for n in range(5)]

    async with client_of(empty_url, writes_a_minute=LIMIT) as elsewhere:
        elsewhere.headers.update(bearer(key))
        either = (client, elsewhere)
        answers = await asyncio.gather(*(write(either[n % 2], n) for n in range(WRITERS)))
    statuses = sorted(status for each in answers for status in each)
    assert statuses == [201] * LIMIT + [429] * LIMIT
    assert await written(empty_url) == LIMIT


async def test_what_is_too_much_is_refused_until_the_minute_is_over(
    client: httpx.AsyncClient, empty_url: str
) -> None:
    assert (await put(client, "the-first")).status_code == 201
    await use_up(empty_url, "50 seconds")
    for _ in range(2):
        refused = await put(client, "another")
        problem = problem_of(refused, 429)
        assert problem["code"] == "quota-exceeded"
        assert 10 <= int(refused.headers["retry-after"]) <= 50
        assert problem["detail"] == (
            "A key may write 20 times a minute: "
            f"try again in {refused.headers['retry-after']} seconds."
        )
    # What was refused isn't counted, wrote nothing, and keeps nobody from reading.
    assert await scalar(empty_url, "SELECT writes FROM api_key") == LIMIT
    assert await written(empty_url) == 1
    assert (await client.get("/v1/events/another")).status_code == 404
    await execute(empty_url, "UPDATE api_key SET minute_ends = clock_timestamp()")
    assert (await put(client, "another")).status_code == 201
    assert await scalar(empty_url, "SELECT writes FROM api_key") == 1
    rest = "SELECT extract(epoch FROM minute_ends - clock_timestamp()) FROM api_key"
    assert 10 < await scalar(empty_url, rest) <= 60


async def test_another_key_has_a_count_of_its_own(
    client: httpx.AsyncClient, empty_url: str
) -> None:
    await use_up(empty_url)
    problem_of(await put(client, "one"), 429)
    other = await key_for(empty_url, Scope.EDIT)
    answer = await client.put("/v1/events/one", json=facts(), headers=bearer(other))
    assert answer.status_code == 201


async def test_what_fails_is_not_counted(client: httpx.AsyncClient, empty_url: str) -> None:
    assert (await put(client, "one")).status_code == 201
    problem_of(await client.put("/v1/events/two", json={}), 422)
    problem_of(await client.put("/v1/events/two", json=facts(regime="X-NONE")), 422)
    problem_of(await client.patch("/v1/events/two", json={}), 404)
    problem_of(await client.patch("/v1/events/one", json={"title": "Another"}), 428)
    assert await scalar(empty_url, "SELECT writes FROM api_key") == 1


def test_every_operation_that_writes_is_tried() -> None:
    writing = {
        (method, path)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if "security" in operation and method != "get"
    }
    assert set(REQUESTS) == writing


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_every_operation_that_writes_is_counted(
    client: httpx.AsyncClient, empty_url: str, method: str, path: str
) -> None:
    address = path.replace("{id}", "somebody").replace("{code}", "KZ-LIST")
    await use_up(empty_url)
    before = await scalar(empty_url, "SELECT count(*) FROM party")
    refused = await client.request(method, address, **REQUESTS[method, path])
    assert problem_of(refused, 429)["code"] == "quota-exceeded"
    assert await scalar(empty_url, "SELECT count(*) FROM api_key") == 1
    assert await scalar(empty_url, "SELECT count(*) FROM party") == before


async def test_an_import_counts_once_whatever_comes_of_it(
    client: httpx.AsyncClient, empty_url: str
) -> None:
    for dry_run, row, status in (("true", b"", 200), ("false", b"", 200), ("false", b"{}", 422)):
        answer = await client.post(
            "/v1/imports",
            params={"dry_run": dry_run},
            content=row,
            headers={"Content-Type": "application/jsonl"},
        )
        assert answer.status_code == status, answer.text
    assert await scalar(empty_url, "SELECT writes FROM api_key") == 3


async def test_a_write_waits_for_a_revocation_and_is_refused(
    client: httpx.AsyncClient, empty_url: str, key: str
) -> None:
    async with Database(empty_url) as database, database.writing() as connection:
        await revoke_key(connection, id_of(key))
        write = asyncio.create_task(put(client, "one"))
        await until_waiting(database, 1)
    assert "revoked" in problem_of(await write, 401)["detail"]
    assert await written(empty_url) == 0


async def test_a_revocation_waits_for_a_write_that_is_under_way(
    client: httpx.AsyncClient, empty_url: str, key: str
) -> None:
    async def revoke(database: Database) -> int:
        async with database.writing() as connection:
            await revoke_key(connection, id_of(key))
            return await written(empty_url)

    async with Database(empty_url) as database:
        async with database.writing() as connection:
            await journal.lock(connection)
            write = asyncio.create_task(put(client, "one"))
            await until_waiting(database, 1)
            revocation = asyncio.create_task(revoke(database))
            await until_waiting(database, 2)
        assert (await write).status_code == 201
        assert await revocation == 1


async def test_two_who_revoke_each_other_get_an_answer(
    client: httpx.AsyncClient, empty_url: str
) -> None:
    keys = [await key_for(empty_url, Scope.ADMIN) for _ in range(2)]
    for _ in range(5):
        await execute(empty_url, "UPDATE api_key SET revoked_at = NULL")
        answers = await asyncio.gather(
            *(
                client.delete(f"/v1/keys/{id_of(other)}", headers=bearer(own))
                for own, other in (keys, keys[::-1])
            )
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses in ([204, 401], [204, 503]), statuses


def id_of(key: str) -> str:
    public_id = public_id_of(key)
    assert public_id is not None
    return public_id
