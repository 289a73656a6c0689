"""Schemathesis makes up writes with a valid key: none is a fault of ours, and no error has written.

Of what it makes up alone almost nothing would get past the first check. So most requests are aimed:
at events that exist, with If-Match, with a body that is in order but for one member at most.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.commands.record import record
from app.commands.retract import retract
from app.commands.revise import Author
from app.db.engine import Database
from app.domain.cells import template
from app.domain.keys import Scope
from tests.support.conformance import CHECKS, EXAMPLES
from tests.support.database import cloned
from tests.support.factories import event, facts
from tests.support.keys import bearer, key_for
from tests.support.openapi import DOCUMENT
from tests.support.service import served

pytestmark = pytest.mark.slow

SURVIVOR = "survivor"
# Each that is taken out or put back can't be so again, so every operation has its own.
LIVE, MISTAKEN, DUPLICATES, RETRACTED = (
    [f"{word}-{number}" for number in range(30)]
    for word in ("live", "mistaken", "duplicate", "retracted")
)
IMPORTED = {"id": "imported", **facts()}
ROWS, TABLE = json.dumps(IMPORTED) + "\n", template(IMPORTED)
# What is in order, by the operation's path.
IN_ORDER: dict[str, Any] = {
    "/v1/events": facts(),
    "/v1/events/{id}": facts(note="Why."),
    "/v1/events/{id}/retract": {"reason": "It was an error."},
    "/v1/events/{id}/restore": {"note": "It was none."},
    "/v1/events/{id}/merge": {"into": SURVIVOR},
    "/v1/imports": ROWS,
    "/v1/parties/{id}": {"name": "Somebody", "kind": "group", "aliases": ["Somebody else"]},
    "/v1/regimes/{code}": {"name": "A list", "issuer": "KZ"},
}
# What requests are aimed at, where it isn't one of the live events.
TARGETS = {
    "/v1/events/{id}/retract": MISTAKEN,
    "/v1/events/{id}/merge": DUPLICATES,
    "/v1/events/{id}/restore": RETRACTED,
    "/v1/parties/{id}": ["somebody", "KZ"],
    "/v1/regimes/{code}": ["KZ-LIST"],
}
# Whatever a write changes.
STATE = """
    SELECT (SELECT count(*) FROM event_revision), (SELECT max(seq) FROM event_revision),
        (SELECT count(*) FROM reference_revision), (SELECT count(*) FROM party),
        (SELECT string_agg(regime::text, '' ORDER BY code) FROM regime),
        (SELECT count(*) FROM idempotent_answer)
"""
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.config.generation.update(with_security_parameters=False)
# Without the examples that schemathesis would add, which are hundreds and pass by the hook below.
SOME = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
Case = schemathesis.Case[Any]


@SCHEMA.hook
def flatmap_case(_: Any, case: Case) -> st.SearchStrategy[Case]:
    return st.builds(
        aimed,
        st.just(case),
        body=st.sampled_from(bodies(case)),
        there=st.sampled_from(TARGETS.get(case.path, LIVE)),
        exactly=st.integers(0, 3),
    )


def bodies(case: Case) -> list[Any]:
    """Return what was made up, what is in order, and this with a part of that."""
    good, made = IN_ORDER[case.path], case.body
    if isinstance(good, str):
        return [made, good, f"{good}{made!s}", TABLE, f"{TABLE}{made!s}"]
    members = made.items() if isinstance(made, dict) else ()
    return [made, good, *({**good, name: value} for name, value in members)]


def aimed(case: Case, body: Any, there: str, exactly: int) -> Case:
    """Aim three of four requests at something that exists, and let one be in order."""
    case.body = body
    if exactly == 1:
        case.body, case.query = IN_ORDER[case.path], {}
    if exactly:
        case.path_parameters = dict.fromkeys(case.path_parameters, there)
    if exactly and "428" in case.operation.definition.raw["responses"]:
        case.headers["If-Match"] = "*"
    return case


class Register:
    """A running service and what lies in its database."""

    def __init__(self, address: str, key: str, state: Callable[[], Any]) -> None:
        self.address = address
        self.headers = bearer(key)
        self.state = state


async def recorded(url: str) -> str:
    """Record events, retract some of them, and return an editor's key."""
    async with Database(url) as database, database.writing() as connection:
        for name in (SURVIVOR, *LIVE, *MISTAKEN, *DUPLICATES, *RETRACTED):
            await record(connection, name, event(name).facts, Author("A test"))
        for name in RETRACTED:
            await retract(connection, name, {"*"}, Author("A test"), "It was an error.")
    return await key_for(url, Scope.EDIT)


@pytest.fixture(scope="module")
def register(server_url: str, migrated_template: str) -> Iterator[Register]:
    with cloned(server_url, migrated_template) as url, asyncio.Runner() as runner:
        key = runner.run(recorded(url))
        database = Database(url)

        async def state() -> Any:
            async with database.reading() as connection:
                return (await connection.execute(text(STATE))).one()

        environment = {"CHANCERY_DATABASE_URL": url, "CHANCERY_WRITES_A_MINUTE": "100000"}
        with served(environment) as address:
            yield Register(address, key, lambda: runner.run(state()))
        runner.run(database.close())


@pytest.fixture
def answers() -> Iterator[Counter[int]]:
    """The answers to one operation by their status, among which there must be both sorts."""
    counted: Counter[int] = Counter()
    yield counted
    assert any(status < 300 for status in counted), counted
    assert any(status >= 400 for status in counted), counted


@SCHEMA.exclude(method="GET").exclude(path_regex="^/v1/keys").parametrize()
@SOME
def test_an_error_has_written_nothing(
    case: Case, register: Register, answers: Counter[int]
) -> None:
    before = register.state()
    answer = case.call_and_validate(
        base_url=register.address, headers=register.headers, checks=CHECKS
    )
    answers[answer.status_code] += 1
    assert str(answer.status_code) in case.operation.definition.raw["responses"]
    if answer.status_code >= 400:
        assert register.state() == before
