"""What an unknown name may have been meant for, at a cost that the register's size doesn't set."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.api import writing
from app.commands.load import SAMPLE_AUTHOR
from app.commands.record import record_unseen
from app.db import suggestions
from app.db.connections import ReadConnection
from app.db.engine import Database
from app.db.locks import JOURNAL
from app.db.prepared import Prepared
from app.db.suggestions import add_suggestions
from app.domain.errors import MAX_FAULTS, Fault, NameKind, UnknownName
from tests.support.client import client_of
from tests.support.database import cloned, execute
from tests.support.factories import event, facts
from tests.support.names import many_names
from tests.support.problems import problem_of

# The plans are the same as for 100,000; see tests/benchmarks/one_request.py.
NAMES = 20_000
UNKNOWN = {
    "party": [f"party=zz{n}" for n in range(10)],
    "measure": [f"measure=zz{n}" for n in range(10)],
    "regime": [f"regime=ZZ{n}" for n in range(10)],
    "country": [f"country=zz{n}" for n in range(10)],
}


@pytest.fixture(scope="module")
def large_url(server_url: str, timeline_url: str) -> Iterator[str]:
    """Address of a register with very many names."""
    with cloned(server_url, timeline_url) as url:
        yield url


@pytest.fixture
async def large(large_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with Database(large_url) as database, database.reading() as connection:
        filled = await connection.scalar(text("SELECT count(*) > 10000 FROM party_name"))
    if not filled:
        await execute(large_url, *many_names(NAMES))
    async with client_of(large_url) as client:
        yield client


async def suggested(database: Database, kind: NameKind, *texts: str) -> list[tuple[str, ...]]:
    faults = [Fault("query", kind, "code", "", unknown=UnknownName(kind, each)) for each in texts]
    async with database.reading() as connection:
        return [fault.suggestions for fault in await add_suggestions(connection, faults)]


async def cpu_s(work: Callable[[], Awaitable[Any]], repeats: int = 5) -> float:
    """Return how long the event loop's thread computes for it, whatever else the machine does."""
    spent = []
    for _ in range(repeats):
        began = time.thread_time()
        await work()
        spent.append(time.thread_time() - began)
    return min(spent)


@pytest.mark.parametrize("parameter", UNKNOWN)
async def test_ten_unknown_names_cost_the_same_in_a_large_register(
    client: httpx.AsyncClient, large: httpx.AsyncClient, parameter: str
) -> None:
    address = "/v1/events?" + "&".join(UNKNOWN[parameter])

    async def ask(one: httpx.AsyncClient) -> None:
        assert len(problem_of(await one.get(address), 422)["errors"]) == 10

    small = await cpu_s(lambda: ask(client))
    assert await cpu_s(lambda: ask(large)) < max(3 * small, 0.05)


async def test_neighbours_are_found_by_indexes_alone(
    large: httpx.AsyncClient, large_url: str
) -> None:
    assert large
    async with Database(large_url) as database, database.reading() as connection:
        for kind in (NameKind.PARTY, NameKind.MEASURE):
            sql = Prepared(suggestions._statement(kind)).sql
            asked = sql.replace("$1::VARCHAR[]", "ARRAY['zz0']").replace("$2::BIGINT", "0")
            plan = "\n".join(row[0] for row in await connection.execute(text(f"EXPLAIN {asked}")))
            assert plan.count(" using ") == 4, plan
            assert "Seq Scan" not in plan, plan
            assert "Sort" not in plan, plan


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (NameKind.PARTY, "SELECT folded FROM party_name WHERE party LIKE 'many-%'"),
        (NameKind.MEASURE, "SELECT value FROM event_count WHERE counted_by = 'measure'"),
    ],
)
async def test_a_name_with_a_letter_wrong_is_found_among_very_many(
    large: httpx.AsyncClient, large_url: str, kind: NameKind, names: str
) -> None:
    assert large
    async with Database(large_url) as database:
        async with database.reading() as connection:
            statement = text(f"{names} ORDER BY 1 LIMIT 10 OFFSET 3141")
            right = list(await connection.scalars(statement))
            parties = {
                row.folded: row.party
                for row in await connection.execute(
                    text("SELECT folded, party FROM party_name WHERE folded = ANY(:names)"),
                    {"names": right},
                )
            }
        for place in (0, 2, 9, -4, -1):
            wrong = [name[:place] + "x" + name[place:][1:] for name in right]
            found = await suggested(database, kind, *wrong)
            for name, near in zip(right, found, strict=True):
                assert parties.get(name, name) in near


async def test_a_party_is_suggested_by_the_names_that_it_has_now(
    editor: httpx.AsyncClient,
) -> None:
    party = {"kind": "organisation", "name": "Quixotic Society", "aliases": []}
    for name, other in (
        ("Quixotic Society", "Zephyr League"),
        ("Zephyr League", "Quixotic Society"),
    ):
        response = await editor.put("/v1/parties/a-club", json=party | {"name": name})
        assert response.is_success
        for text_, is_found in ((name, True), (other, False)):
            problem = problem_of(await editor.get("/v1/events", params={"party": f"{text_}y"}), 422)
            assert ("a-club" in problem["errors"][0]["suggestions"]) is is_found


async def test_a_measure_that_no_event_names_any_more_is_not_suggested(
    empty_url: str,
) -> None:
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            await record_unseen(connection, [event("one", measure="a-rare-order")], SAMPLE_AUTHOR)
        assert await suggested(database, NameKind.MEASURE, "a-rare-ordr") == [("a-rare-order",)]
        await execute(empty_url, "UPDATE event_count SET events = 0 WHERE counted_by = 'measure'")
        assert await suggested(database, NameKind.MEASURE, "a-rare-ordr") == [()]


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        (NameKind.PARTY, "...", ()),
        (NameKind.PARTY, "Kazakhstn", ("KZ",)),
        (NameKind.REGIME, "ufl", ("RU-UFL",)),
        (NameKind.REGIME, "ru-uf", ("RU-UFL",)),
        (NameKind.MEASURE, "", ()),
        (NameKind.EVENT, "kz-taliban-delisting-20234", ("kz-taliban-delisting-2023",)),
        (NameKind.EVENT, "zzzzzzzz", ()),
    ],
)
async def test_suggestions_are_the_likeliest_first(
    timeline_url: str, kind: NameKind, text: str, found: tuple[str, ...]
) -> None:
    async with Database(timeline_url) as database:
        (near,) = await suggested(database, kind, text)
    assert near[: len(found)] == found
    assert len(near) <= suggestions.SUGGESTIONS + 2
    assert bool(near) is bool(found)


async def test_a_name_is_looked_for_once_however_often_it_is_asked_for(
    statements: list[str], timeline_url: str
) -> None:
    async with client_of(timeline_url) as client:
        address = "/v1/events?party=Talban&actor=Talban&subject=Talban"
        problem = problem_of(await client.get(address), 422)
    assert all("taliban" in fault["suggestions"] for fault in problem["errors"])
    assert len([each for each in statements if "LATERAL" in each]) == 1


async def test_nobody_is_kept_from_writing_while_suggestions_are_looked_for(
    editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bool]] = []

    async def looking(connection: ReadConnection, faults: Sequence[Fault]) -> list[Fault]:
        is_free = "SELECT pg_try_advisory_xact_lock(:key)"
        seen.append((len(faults), await connection.scalar(text(is_free), {"key": JOURNAL})))
        return await add_suggestions(connection, faults)

    monkeypatch.setattr(writing, "add_suggestions", looking)
    nobody = [{"party": f"talibann-{n}", "role": "subject"} for n in range(40)]
    relations = [{"type": "implements", "event": f"nothing-{n}"} for n in range(40)]
    actor = {"party": "KZ", "role": "actor"}
    body = facts(participants=[actor, *nobody], relations=relations)
    problem = problem_of(await editor.post("/v1/events", json=body), 422)
    assert seen == [(MAX_FAULTS, True)]
    assert len(problem["errors"]) == MAX_FAULTS
    assert "taliban" in problem["errors"][0]["suggestions"]
