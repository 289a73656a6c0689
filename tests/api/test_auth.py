"""Who may do what: keys in the Authorization header, on every operation that needs one."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.api.auth import FAILURES_A_MINUTE, address_of
from app.commands.keys import revoke_key
from app.db.engine import Database
from app.domain.errors import UnavailableError
from app.domain.keys import Scope, new_key, public_id_of
from tests.support.client import client_of
from tests.support.keys import bearer, key_for
from tests.support.openapi import DOCUMENT
from tests.support.problems import problem_of

# Each operation that needs a key, with the scopes that it says it needs.
GUARDED = [
    pytest.param(method, path, set(operation["security"][0]["key"]), id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if "security" in operation
]
KEYS = "/v1/keys"
CHALLENGE = 'Bearer realm="chancery"'
INVALID = f'{CHALLENGE}, error="invalid_token"'


@pytest.fixture
async def alone(empty_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with a database of the test's own."""
    async with client_of(empty_url) as client:
        yield client


@pytest.fixture
async def admin(empty_url: str) -> str:
    return await key_for(empty_url, Scope.ADMIN)


def refused(response: httpx.Response, challenge: str = INVALID) -> dict[str, Any]:
    problem = problem_of(response, 401)
    assert response.headers["www-authenticate"] == challenge
    assert response.headers["cache-control"] == "no-store"
    return problem


def id_of(key: str) -> str:
    public_id = public_id_of(key)
    assert public_id is not None
    return public_id


def from_address(client: httpx.AsyncClient, address: str) -> httpx.AsyncClient:
    """Return another client of the same application, at another address."""
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    at_address = httpx.ASGITransport(transport.app, client=(address, 1))
    return httpx.AsyncClient(transport=at_address, base_url=client.base_url)


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED)
async def test_nothing_is_looked_at_before_the_key(
    statements: list[str], alone: httpx.AsyncClient, method: str, path: str, scopes: set[str]
) -> None:
    assert scopes <= set(Scope)
    # An unknown id, parameters that don't exist, a body that is none: none of it is told.
    wrong: dict[str, Any] = {
        "params": {"limit": "x", "nothing": "1"},
        "content": b"{",
        "headers": {},
    }
    address = path.replace("{", "no-such-").replace("}", "")
    bare = refused(await alone.request(method, address, **wrong), CHALLENGE)
    assert "Authorization: Bearer" in bare["detail"]
    wrong["headers"] = bearer("chancery_mistyped")
    refused(await alone.request(method, address, **wrong))
    assert statements == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])
async def test_the_scheme_is_the_same_in_any_case(
    alone: httpx.AsyncClient, admin: str, scheme: str
) -> None:
    response = await alone.get(KEYS, headers={"Authorization": f"{scheme} {admin}"})
    assert response.status_code == 200


@pytest.mark.parametrize("template", ["", "{}", "Basic {}", "Token {}", "Bearer{}", "Digest"])
async def test_another_scheme_is_no_key(
    alone: httpx.AsyncClient, admin: str, template: str
) -> None:
    sent = {"Authorization": template.format(admin)}
    refused(await alone.get(KEYS, headers=sent), CHALLENGE)


@pytest.mark.parametrize("template", ["", "{} {}", "{},{}", "\t{}", '"{}"', "é{}", "{}x"])
async def test_a_key_with_something_about_it_is_none(
    alone: httpx.AsyncClient, admin: str, template: str
) -> None:
    sent = ("Bearer " + template.format(admin, admin)).encode("latin-1")
    refused(await alone.get(KEYS, headers={b"Authorization": sent}))


async def test_several_headers_are_refused_even_if_one_is_right(
    alone: httpx.AsyncClient, admin: str
) -> None:
    right = ("Authorization", f"Bearer {admin}")
    for other in (right, ("Authorization", "Basic x"), ("authorization", "Bearer x")):
        refused(await alone.get(KEYS, headers=[right, other]))


@pytest.mark.parametrize("name", ["access_token", "key", "api_key", "token", "authorization"])
async def test_a_key_in_the_address_or_a_cookie_counts_for_nothing(
    alone: httpx.AsyncClient, admin: str, name: str
) -> None:
    refused(await alone.get(KEYS, params={name: admin}), CHALLENGE)
    refused(await alone.get(KEYS, headers={"Cookie": f"{name}={admin}"}), CHALLENGE)
    refused(await alone.get(KEYS, headers={"X-Api-Key": admin}), CHALLENGE)


async def test_a_mistyped_key_asks_no_database(
    admin: str, statements: list[str], empty_url: str
) -> None:
    async with client_of(empty_url) as client:
        last = "a" if admin[-1] != "a" else "b"
        refused(await client.get(KEYS, headers=bearer(admin[:-1] + last)))
        assert statements == []
        assert (await client.get(KEYS, headers=bearer(admin))).status_code == 200
        # The key, the note of its use, the list; the second time no note.
        assert [each.split()[0] for each in statements] == ["SELECT", "UPDATE", "SELECT"]
        await client.get(KEYS, headers=bearer(admin))
        assert len(statements) == 5


async def test_the_right_id_with_another_secret_is_refused(
    alone: httpx.AsyncClient, admin: str
) -> None:
    alone.headers["X-Request-Id"] = "same"
    unknown = problem_of(await alone.get(KEYS, headers=bearer(new_key_with("nothing0"))), 401)
    forged = refused(await alone.get(KEYS, headers=bearer(new_key_with(id_of(admin)))))
    # Whether the id exists isn't told.
    assert forged == unknown


async def test_an_expired_key_is_refused(empty_url: str, alone: httpx.AsyncClient) -> None:
    key = await key_for(empty_url, Scope.ADMIN, expires=timedelta(hours=1))
    assert (await alone.get(KEYS, headers=bearer(key))).status_code == 200
    await run_sql(empty_url, "UPDATE api_key SET expires_at = clock_timestamp()")
    assert "expired" in refused(await alone.get(KEYS, headers=bearer(key)))["detail"]


async def test_a_revocation_holds_at_once_everywhere(
    empty_url: str, alone: httpx.AsyncClient, admin: str
) -> None:
    key = await key_for(empty_url, Scope.ADMIN)
    async with client_of(empty_url) as elsewhere:
        for client in (alone, elsewhere):
            assert (await client.get(KEYS, headers=bearer(key))).status_code == 200
        gone = await alone.delete(f"{KEYS}/{id_of(key)}", headers=bearer(admin))
        assert gone.status_code == 204
        for client in (elsewhere, alone):
            answer = refused(await client.get(KEYS, headers=bearer(key)))
            assert "revoked" in answer["detail"]
        # And one that was revoked on the command line.
        async with Database(empty_url) as database, database.writing() as connection:
            await revoke_key(connection, id_of(admin))
        refused(await elsewhere.get(KEYS, headers=bearer(admin)))


async def test_guessing_is_throttled_and_a_good_key_never(
    alone: httpx.AsyncClient, admin: str
) -> None:
    for guess in range(FAILURES_A_MINUTE):
        # Guesses that are no keys count as those that might be one.
        key = new_key()[0] if guess % 2 else "guess"
        refused(await alone.get(KEYS, headers=bearer(key)))
    for key in (new_key()[0], "guess"):
        response = await alone.get(KEYS, headers=bearer(key))
        assert problem_of(response, 429)["code"] == "throttled"
        assert 0 < int(response.headers["retry-after"]) <= 60
    assert (await alone.get(KEYS, headers=bearer(admin))).status_code == 200
    # Who sends no key guesses none, and reading goes on.
    refused(await alone.get(KEYS), CHALLENGE)
    assert (await alone.get("/v1/events")).status_code == 200
    async with from_address(alone, "203.0.113.9") as other:
        refused(await other.get(KEYS, headers=bearer("guess")))


async def test_a_network_counts_as_one(alone: httpx.AsyncClient) -> None:
    statuses = []
    for last in range(FAILURES_A_MINUTE + 1):
        async with from_address(alone, f"2001:db8:1:2::{last:x}") as guesser:
            statuses.append((await guesser.get(KEYS, headers=bearer("guess"))).status_code)
    assert statuses == [401] * FAILURES_A_MINUTE + [429]
    async with from_address(alone, "2001:db8:1:3::1") as neighbour:
        refused(await neighbour.get(KEYS, headers=bearer("guess")))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("x\nforged line of the log", "unknown"),
    ],
)
def test_failures_are_counted_by_address(host: str, address: str) -> None:
    assert address_of(host) == address


async def test_failures_are_logged_without_the_key(
    empty_url: str, alone: httpx.AsyncClient, admin: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    expired = await key_for(empty_url, Scope.ADMIN, expires=timedelta(microseconds=1))
    forged, mistyped = new_key_with(id_of(admin)), admin[:-1]
    keys = (admin, expired, forged, mistyped, new_key_with("nothing0"))
    answers = [await alone.get(KEYS, headers=bearer(key)) for key in keys]
    answers.append(await alone.get(KEYS, headers=[*bearer(admin).items()] * 2))
    told = [r.getMessage() for r in caplog.records if r.name == "chancery.auth"]
    assert told == [
        f"A key was refused to 127.0.0.1: {reason}"
        for reason in (
            f"expired, id {id_of(expired)}",
            f"wrong secret, id {id_of(admin)}",
            "malformed",
            "unknown, id nothing0",
            "several headers",
        )
    ]
    everything = caplog.text + "".join(answer.text + str(answer.headers) for answer in answers)
    for key in keys:
        secret, checksum = key.split("_")[2:]
        assert secret not in everything
        assert checksum not in everything


async def test_what_is_throttled_fills_no_log(
    alone: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(FAILURES_A_MINUTE + 5):
        await alone.get(KEYS, headers=bearer("guess"))
    assert len([r for r in caplog.records if r.name == "chancery.auth"]) == FAILURES_A_MINUTE


async def test_a_use_that_cannot_be_noted_keeps_nobody_out(
    alone: httpx.AsyncClient,
    admin: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(*_: object) -> None:
        raise UnavailableError

    monkeypatch.setattr("app.api.auth.touch_key", fails)
    assert (await alone.get(KEYS, headers=bearer(admin))).status_code == 200
    assert id_of(admin) in caplog.text


async def test_a_database_that_is_away_is_no_wrong_key() -> None:
    async with client_of("postgresql://nobody@127.0.0.1:1/none") as client:
        response = await client.get(KEYS, headers=bearer(new_key()[0]))
    problem_of(response, 503)
    assert response.headers["retry-after"] == "2"


def new_key_with(public_id: str) -> str:
    """Return a key of this id that is none of the register's."""
    with pytest.MonkeyPatch.context() as patch:
        characters = iter(public_id)
        patch.setattr("app.domain.keys.secrets.choice", lambda _: next(characters))
        return new_key()[0]


async def run_sql(url: str, statement: str) -> None:
    async with Database(url) as database, database.writing() as connection:
        await connection.execute(text(statement))
