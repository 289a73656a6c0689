"""Who may do what, to events in which state: every operation of the OpenAPI document, every role.

What an operation needs is read from the document; what it answers to whom it lets in stands in the
table below. An operation without a line in it fails, and so does a line without an operation.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.api.throttle import Throttle
from app.commands.keys import revoke_key
from app.commands.merge import merge
from app.commands.record import record
from app.commands.retract import retract
from app.commands.revise import Author
from app.db.engine import Database
from app.domain.keys import Scope, new_key, public_id_of
from tests.support.attacked import STATE
from tests.support.client import client_of
from tests.support.database import cloned
from tests.support.factories import event, facts
from tests.support.keys import bearer, key_for
from tests.support.openapi import DOCUMENT
from tests.support.problems import problem_of

CHALLENGE = "www-authenticate"
LIVE, RETRACTED, MERGED, MISSING = STATES = ("live", "retracted", "merged", "missing")
BY_SCOPES = {
    "edit": {Scope.EDIT},
    "admin": {Scope.ADMIN},
    "edit and admin": {Scope.EDIT, Scope.ADMIN},
}
KEYLESS = ("nobody", "malformed", "unknown", "revoked", "expired")
ROLES = (*KEYLESS, *BY_SCOPES)

SEEN = {"If-Match": "*"}
EDITED: dict[str, Any] = {"json": facts(title="Edited"), "headers": SEEN}
LINES: dict[str, Any] = {
    "content": json.dumps({"id": "imported", **facts()}),
    "headers": {"Content-Type": "application/jsonl"},
}
PARTY = {"name": "A party", "kind": "group"}
NEW_KEY = {"name": "Somebody", "scopes": ["edit"]}


@dataclass(frozen=True, slots=True)
class Rule:
    """What an operation answers to whom it lets in, and how it is asked."""

    by_state: Mapping[str, int]
    asked: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    method: str = ""


def open_to(status: int = 200, keys: Mapping[str, str] | None = None, **asked: Any) -> Rule:
    """Return the rule of an operation that isn't about an event."""
    return Rule({"": status}, asked, keys or {})


def about(live: int, retracted: int, merged: int, missing: int, **asked: Any) -> Rule:
    """Return the rule of an operation that is about one event."""
    statuses = zip(STATES, (live, retracted, merged, missing), strict=True)
    return Rule(dict(statuses), asked, {"revision": "1"})


RULES: Mapping[tuple[str, str], Rule] = {
    ("get", "/v1/events"): open_to(),
    ("post", "/v1/events"): open_to(201, json=facts()),
    ("get", "/v1/events/{id}"): about(200, 410, 308, 404),
    ("put", "/v1/events/{id}"): about(200, 410, 409, 412, **EDITED),
    ("patch", "/v1/events/{id}"): about(200, 410, 409, 404, json={"place": "x"}, headers=SEEN),
    ("post", "/v1/events/{id}/retract"): about(
        200, 410, 409, 404, json={"reason": "x"}, headers=SEEN
    ),
    ("post", "/v1/events/{id}/restore"): about(409, 200, 409, 404, json={}, headers=SEEN),
    ("post", "/v1/events/{id}/merge"): about(
        200, 410, 409, 404, json={"into": "survivor"}, headers=SEEN
    ),
    ("get", "/v1/events/{id}/revisions"): about(200, 200, 200, 404),
    ("get", "/v1/events/{id}/revisions/{revision}"): about(200, 200, 200, 404),
    **{
        ("get", f"/v1/events.{form}"): open_to()
        for form in ("csv", "xlsx", "jsonl", "atom", "ics", "timelinejs.json")
    },
    ("get", "/v1/columns"): open_to(),
    ("get", "/v1/facets"): open_to(),
    ("get", "/v1/changes"): open_to(),
    # It has no end to wait for.
    ("get", "/v1/changes/stream"): Rule({"": 200}, method="HEAD"),
    ("post", "/v1/imports"): open_to(**LINES),
    ("get", "/v1/imports/template.csv"): open_to(),
    ("get", "/v1/positions"): open_to(params={"subject": "AF"}),
    ("get", "/v1/positions.csv"): open_to(params={"subject": "AF"}),
    ("get", "/v1/positions.xlsx"): open_to(params={"subject": "AF"}),
    ("get", "/v1/positions.jsonl"): open_to(params={"subject": "AF"}),
    ("get", "/v1/positions/history"): open_to(params={"subject": "AF"}),
    ("get", "/v1/measures"): open_to(),
    ("get", "/v1/measures/{id}"): open_to(keys={"id": "a-measure"}),
    ("get", "/v1/territories"): open_to(),
    ("get", "/v1/territories/{code}"): open_to(keys={"code": "KZ"}),
    ("get", "/v1/parties"): open_to(),
    ("get", "/v1/parties/{id}"): open_to(keys={"id": "KZ"}),
    ("put", "/v1/parties/{id}"): open_to(201, keys={"id": "a-{role}"}, json=PARTY),
    ("get", "/v1/regimes"): open_to(),
    ("get", "/v1/regimes/{code}"): open_to(404, keys={"code": "NONE"}),
    ("put", "/v1/regimes/{code}"): open_to(
        201, keys={"code": "A-{ROLE}"}, json={"name": "A list", "issuer": "KZ"}
    ),
    ("get", "/v1/vocabulary"): open_to(),
    ("get", "/v1/vocabulary/{code}"): open_to(keys={"code": "kind"}),
    ("get", "/v1/keys"): open_to(),
    ("post", "/v1/keys"): open_to(201, json=NEW_KEY),
    ("get", "/v1/keys/{id}"): open_to(keys={"id": "{key}"}),
    ("delete", "/v1/keys/{id}"): open_to(204, keys={"id": "{key}"}),
    ("get", "/livez"): open_to(),
    ("get", "/readyz"): open_to(),
}

NEEDS: Mapping[tuple[str, str], list[str]] = {
    (method, path): operation["security"][0]["key"] if "security" in operation else []
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
OPERATIONS = sorted(NEEDS)
GUARDED = [operation for operation in OPERATIONS if NEEDS[operation]]

# Everything that can be wrong with a request beside its key, which nobody is told before it.
WRONG: tuple[Mapping[str, Any], ...] = (
    {"headers": {"Content-Type": "text/plain"}, "content": b"x"},
    {"headers": {"Content-Type": "application/json"}, "content": b"{"},
    {"headers": {"Content-Type": "application/json"}, "content": b" " * 1_100_000},
    {"headers": {"Content-Encoding": "gzip", "If-Match": '"other"'}, "content": b"{}"},
    {"params": {"nothing": "1", "limit": "x", "dry_run": "x"}},
    {"json": []},
    {},
)


class Register:
    """The application on a register of its own, and a key for each role."""

    def __init__(self, runner: asyncio.Runner, url: str, client: httpx.AsyncClient) -> None:
        self._runner = runner
        self._client = client
        self._url = url
        self._database = Database(url)
        self.headers: dict[str, dict[str, str]] = {}

    def ask(self, method: str, address: str, role: str, **asked: Any) -> httpx.Response:
        # Else each answer would differ by the id of its request.
        headers = {"X-Request-Id": "same", **asked.get("headers", {}), **self.headers[role]}
        asked["headers"] = headers
        return self._runner.run(self._client.request(method, address, **asked))

    def state(self) -> Any:
        async def read() -> Any:
            async with self._database.reading() as connection:
                return (await connection.execute(text(STATE))).one()

        return self._runner.run(read())

    def new_key(self) -> str:
        """Return the id of a key that nobody uses."""
        return public_id_of(self._runner.run(key_for(self._url, Scope.EDIT))) or ""

    async def prepare(self) -> None:
        async with self._database.writing() as connection:
            author = Author("A test")
            await record(connection, "survivor", event("survivor").facts, author)
            for name, state in targets().items():
                told = event(name, measure="a-measure").facts
                await record(connection, name, told, author)
                if state == RETRACTED:
                    await retract(connection, name, {"*"}, author, "An error.")
                elif state == MERGED:
                    await merge(connection, name, "survivor", {"*"}, author)
        self.headers = {
            "nobody": {},
            "malformed": bearer("chancery_mistyped"),
            "unknown": bearer(new_key()[0]),
            **{role: bearer(await key_for(self._url, *has)) for role, has in BY_SCOPES.items()},
        }
        expired = await key_for(self._url, *Scope, expires=timedelta(microseconds=1))
        revoked = await key_for(self._url, *Scope)
        self.headers |= {"expired": bearer(expired), "revoked": bearer(revoked)}
        async with self._database.writing() as connection:
            await revoke_key(connection, public_id_of(revoked) or "")

    async def close(self) -> None:
        await self._database.close()


@pytest.fixture(scope="module")
def register(server_url: str, migrated_template: str) -> Iterator[Register]:
    with cloned(server_url, migrated_template) as url, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        client = runner.run(stack.enter_async_context(client_of(url)))
        transport: Any = client._transport
        # Whoever tries so many wrong keys would be told to wait.
        transport.app.state.failed_attempts = Throttle(1_000_000, 10)
        register = Register(runner, url, client)
        runner.run(register.prepare())
        yield register
        runner.run(register.close())
        runner.run(stack.aclose())


def target(operation: tuple[str, str], role: str, state: str) -> str:
    """Return the event that is asked about: one of its own, where it will be changed."""
    method, path = operation
    words = (method, path.rpartition("/")[2].strip("{}"), role.replace(" ", "-"), state)
    return "-".join(words) if method != "get" and is_let_in(operation, role) else state


def targets() -> dict[str, str]:
    """Return every event that there must be, with the state that it is in."""
    asked = [(o, r, s) for o in OPERATIONS for r in ROLES for s in RULES[o].by_state if s]
    return {target(*each): each[2] for each in asked if each[2] != MISSING}


def is_let_in(operation: tuple[str, str], role: str) -> bool:
    return set(NEEDS[operation]) <= BY_SCOPES.get(role, set())


def expected(operation: tuple[str, str], role: str, state: str) -> int:
    """Return the rule in three lines: no valid key, not the scope, and else by the state."""
    if not is_let_in(operation, role):
        return 401 if role in KEYLESS else 403
    return RULES[operation].by_state[state]


def address(operation: tuple[str, str], role: str, state: str, key: str) -> str:
    names = {"id": target(operation, role, state)} if state else {}
    for name, value in RULES[operation].keys.items():
        role_word = role.replace(" ", "-")
        names[name] = value.format(role=role_word, ROLE=role_word.upper(), key=key)
    return operation[1].format(**names)


def test_every_operation_has_a_rule() -> None:
    assert set(RULES) == set(OPERATIONS)
    # What needs no key only reads.
    assert {method for method, path in OPERATIONS if not NEEDS[method, path]} == {"get"}
    assert NEEDS["get", "/v1/keys"] == [Scope.ADMIN]
    assert DOCUMENT["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_every_role_is_answered_by_the_rule(operation: tuple[str, str], register: Register) -> None:
    rule, wrong = RULES[operation], {}
    key = register.new_key() if "/keys/" in operation[1] else ""
    for role in ROLES:
        for state in rule.by_state:
            before, where = register.state(), address(operation, role, state, key)
            answer = register.ask(rule.method or operation[0], where, role, **rule.asked)
            right = expected(operation, role, state)
            is_written = register.state() != before
            may_write = operation[0] != "get" and right < 300
            if answer.status_code != right or is_written > may_write:
                wrong[role, state] = (answer.status_code, right, is_written)
    assert not wrong


@pytest.mark.parametrize("operation", GUARDED, ids=" ".join)
def test_who_is_refused_learns_nothing_of_the_rest(
    operation: tuple[str, str], register: Register
) -> None:
    before = register.state()
    for role in ROLES:
        if is_let_in(operation, role):
            continue
        answers = [
            register.ask(operation[0], address(operation, role, state, "nothing0"), role, **wrong)
            for state in RULES[operation].by_state
            for wrong in WRONG
        ]
        assert {answer.status_code for answer in answers} == {401 if role in KEYLESS else 403}
        assert len({(a.content, a.headers[CHALLENGE]) for a in answers}) == 1
        if role not in KEYLESS:
            (scope,) = NEEDS[operation]
            assert f'error="insufficient_scope", scope="{scope}"' in answers[0].headers[CHALLENGE]
            assert scope in problem_of(answers[0], 403)["detail"]
    assert register.state() == before
