"""Positions over HTTP: the contract's questions, and what is asked in every other way."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.api.position_documents import EXAMPLE
from app.commands.record import record_unseen
from app.commands.retract import retract
from app.commands.revise import Author
from app.db.engine import Database
from tests.support.client import client_of
from tests.support.factories import event
from tests.support.pages import items_of
from tests.support.problems import problem_of

IEA = "islamic-emirate-of-afghanistan"
DELISTING = {"actor": "KZ", "subject": "taliban", "regime": "KZ-NLTO"}
RU = {"actor": "RU", "subject": "taliban", "regime": "RU-UFL"}
HTS = {"actor": "US", "subject": "hayat-tahrir-al-sham", "regime": "US-FTO219"}
SAUDI = {"actor": "SA", "subject": "AF", "dimension": "mission"}

# The table at the end of section 5, row by row.
TABLE: list[tuple[dict[str, str], str, dict[str, Any]]] = [
    (DELISTING, "2023-11-30", {"state": "listed"}),
    (DELISTING, "2023-12-10", {"state": None, "candidates": ["listed", "delisted"]}),
    (DELISTING, "2024-01-15", {"state": "delisted"}),
    (
        DELISTING | {"known_at": "2023-12-28", "knowledge": "announced"},
        "2024-01-15",
        {"state": "listed"},
    ),
    (
        RU,
        "2024-12-20",
        {
            "state": "listed",
            "pending": ["ru-shoigu-intends-delist-2024", "ru-suspension-bill-adopted-2024"],
        },
    ),
    (RU, "2025-04-16", {"state": "listed", "pending": ["ru-taliban-petition-2025"]}),
    (RU, "2025-04-17", {"state": "suspended", "pending": []}),
    ({"actor": "RU", "subject": IEA, "dimension": "recognition"}, "2025-07-02", {"state": None}),
    (
        {"actor": "RU", "subject": IEA, "dimension": "recognition"},
        "2025-07-03",
        {"state": "recognised"},
    ),
    (SAUDI, "2021-09-01", {"state": "staff_withdrawn"}),
    (SAUDI, "2021-11-15", {"state": None, "candidates": ["staff_withdrawn", "consular_only"]}),
    (SAUDI, "2024-12-25", {"state": "operating"}),
    (SAUDI, "2023-06-01", {"state": "consular_only", "unconfirmed": ["sa-kabul-suspend-2023"]}),
    (SAUDI | {"min_verification": "claimed"}, "2023-06-01", {"state": "suspended"}),
    (
        {"actor": "ES", "subject": "PS", "dimension": "recognition"},
        "2024-05-25",
        {"certainty": "unknown", "upcoming": ["es-ie-no-recognise-palestine-2024"]},
    ),
    (
        {"actor": "ES", "subject": "PS", "dimension": "recognition"},
        "2024-05-28",
        {"state": "recognised", "upcoming": []},
    ),
    (
        {"actor": "CN", "subject": "HN", "dimension": "relations"},
        "2023-04-01",
        {"state": "established"},
    ),
    (
        {"actor": "HN", "subject": "CN", "dimension": "relations"},
        "2023-04-01",
        {"state": "established"},
    ),
    (
        {"actor": "CN", "subject": IEA, "dimension": "recognition"},
        "2024-02-01",
        {"certainty": "unknown"},
    ),
    (
        {"actor": "CN", "subject": IEA, "dimension": "accreditation"},
        "2024-02-01",
        {"state": "accredited"},
    ),
    (HTS, "2025-07-07", {"state": "listed", "upcoming": ["us-hts-delisting-2025"]}),
    (HTS, "2025-07-08", {"state": "delisted"}),
    ({"actor": "IN", "subject": "AF", "dimension": "mission"}, "2022-05-31", {"state": None}),
    (
        {"actor": "IN", "subject": "AF", "dimension": "mission"},
        "2025-10-15",
        {"state": "operating", "upcoming": ["in-kabul-embassy-upgrade-2025"]},
    ),
    (
        {"actor": "IN", "subject": "AF", "dimension": "mission"},
        "2025-10-21",
        {"state": "operating", "basis": ["in-kabul-embassy-upgrade-2025"]},
    ),
]


@pytest.fixture
async def writable(loaded_url: str) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
    async with Database(loaded_url) as database, client_of(loaded_url) as client:
        yield client, database


async def positions(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """Return all positions that are asked for, following every page."""
    return await items_of(client, "positions", **query)


@pytest.mark.parametrize(("question", "day", "expected"), TABLE)
async def test_the_questions_of_the_contract(
    client: httpx.AsyncClient, question: dict[str, str], day: str, expected: dict[str, Any]
) -> None:
    named = {"dimension": "designation"} if "regime" in question else {}
    (item,) = await positions(client, **question, **named, as_of=day)
    assert {name: item[name] for name in expected} == expected
    known = expected.get("state") or expected.get("candidates")
    if "certainty" not in expected:
        certainty = "definite" if expected["state"] else "possible" if known else "unknown"
        assert item["certainty"] == certainty


async def test_every_event_that_an_answer_names_can_be_fetched(client: httpx.AsyncClient) -> None:
    items = [
        item
        for day in ("2023-12-10", "2024-05-25", "2025-07-07")
        for item in await positions(client, subject=["taliban", "AF", "PS", "HTS"], as_of=day)
    ]
    named = {
        event
        for item in items
        for member in ("basis", "pending", "upcoming", "unconfirmed")
        for event in item[member]
    }
    assert len(named) > 15
    for each in named:
        assert (await client.get(f"/v1/events/{each}")).status_code == 200


async def test_a_question_named_in_full_gets_one_answer_even_where_nothing_is_known(
    client: httpx.AsyncClient,
) -> None:
    (item,) = await positions(client, actor="FR", subject="Germany", dimension="recognition")
    assert item == {
        "actor": "FR", "subject": "DE", "dimension": "recognition", "regime": None,
        "state": None, "candidates": [], "certainty": "unknown", "since": None,
        "basis": [], "pending": [], "upcoming": [], "unconfirmed": [],
    }  # fmt: skip
    assert await positions(client, actor="FR", subject="Germany") == []


async def test_the_map_of_a_subject_and_its_filters(client: httpx.AsyncClient) -> None:
    items = await positions(client, subject="Талибан", as_of="2024-12-31")
    order = [(i["actor"], i["subject"], i["dimension"], i["regime"] or "") for i in items]
    assert order == sorted(order)
    assert {item["subject"] for item in items} == {"taliban"}
    listing = await positions(client, subject="taliban", as_of="2024-12-31", state="listed")
    assert [item["actor"] for item in listing] == ["RU"]
    maybe = await positions(client, subject="taliban", as_of="2023-12-10", state="delisted")
    assert [(item["actor"], item["certainty"]) for item in maybe] == [("KZ", "possible")]
    unsure = await positions(client, subject="taliban", as_of="2023-12-10", certainty="possible")
    assert unsure == maybe
    under_way = await positions(
        client, subject="taliban", regime="US-FTO219", certainty="unknown", as_of="2024-12-31"
    )
    assert [item["pending"] for item in under_way] == [["us-s3182-taliban-bill-2023"]]


async def test_the_example_of_the_documentation_is_a_real_answer(
    client: httpx.AsyncClient,
) -> None:
    asked = {"subject": "taliban", "state": "listed", "as_of": "2024-12-31"}
    assert (await client.get("/v1/positions", params=asked)).json() == EXAMPLE


async def test_everything_that_an_actor_holds(client: httpx.AsyncClient) -> None:
    items = await positions(client, actor="Saudi Arabia", as_of="2024-12-31")
    assert {item["actor"] for item in items} == {"SA"}
    assert {item["dimension"] for item in items} >= {"mission", "relations"}
    missions = await positions(
        client, actor="SA", dimension=["mission", "relations"], as_of="2024-12-31"
    )
    assert missions == [item for item in items if item["dimension"] in ("mission", "relations")]


@pytest.mark.parametrize("path", ["/v1/positions", "/v1/positions/history"])
async def test_pages_give_every_position_once_in_order(
    client: httpx.AsyncClient, path: str
) -> None:
    query = {"actor": ["US", "RU", "IL"], "limit": "200"}
    whole = (await client.get(path, params=query)).json()
    assert whole["next"] is None
    assert len(whole["items"]) > 12
    walked: list[Any] = []
    address = str(httpx.URL(path, params=query | {"limit": "3"}))
    while address:
        page = (await client.get(address)).json()
        assert len(page["items"]) <= 3
        walked += page["items"]
        address = page["next"]
    assert walked == whole["items"]


async def test_the_answer_shows_the_day_and_what_it_took_for_granted(
    client: httpx.AsyncClient,
) -> None:
    before = datetime.now(UTC).date()
    shown = (await client.get("/v1/positions?actor=Казахстан")).json()["filter"]
    assert shown["as_of"] in (str(before), str(datetime.now(UTC).date()))
    assert (shown["actor"], shown["min_verification"]) == (["KZ"], "confirmed")
    shown = (await client.get("/v1/positions/history?actor=KZ&from=2021&to=2024-02")).json()
    assert (shown["filter"]["from"], shown["filter"]["to"]) == ("2021-01-01", "2024-02-29")


async def test_an_answer_that_is_known_is_not_sent_again(client: httpx.AsyncClient) -> None:
    address = "/v1/positions?subject=taliban&as_of=2024-12-31"
    tag = (await client.get(address)).headers["etag"]
    again = await client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get("/v1/positions?subject=PS", headers={"If-None-Match": tag})
    assert other.status_code == 200


async def test_a_history_covers_the_days_that_were_asked_for(client: httpx.AsyncClient) -> None:
    query = SAUDI | {"from": "2021", "to": "2025-01-31"}
    (item,) = (await client.get("/v1/positions/history", params=query)).json()["items"]
    spans = [(span["from"], span["to"], span["state"]) for span in item["spans"]]
    assert spans == [
        ("2021-01-01", "2021-08-14", None),
        ("2021-08-15", "2021-10-31", "staff_withdrawn"),
        ("2021-11-01", "2021-11-29", None),
        ("2021-11-30", "2024-12-21", "consular_only"),
        ("2024-12-22", "2025-01-31", "operating"),
    ]
    whole = (await client.get("/v1/positions/history", params=SAUDI)).json()["items"][0]["spans"]
    assert whole[0]["from"] is None
    suspended = "/v1/positions/history?subject=taliban&state=suspended"
    assert [i["actor"] for i in (await client.get(suspended)).json()["items"]] == ["RU"]


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("", "subject", "missing"),
        ("state=listed", "subject", "missing"),
        ("actor=Kazakhstn", "actor", "unknown_party"),
        ("subject=Congo", "subject", "ambiguous"),
        ("actor=RU&regime=RU-UFF", "regime", "unknown_regime"),
        ("actor=RU&regime=RU-UFL&dimension=mission", "regime", "no_regime"),
        ("actor=RU&state=gone", "state", "unknown_value"),
        ("actor=RU&dimension=statement", "dimension", "unknown_value"),
        ("actor=RU&certainty=sure", "certainty", "unknown_value"),
        ("actor=RU&min_verification=disputed", "min_verification", "unknown_value"),
        ("actor=RU&as_of=2024", "as_of", "invalid_date"),
        ("actor=RU&as_of=2024-02-30", "as_of", "invalid_date"),
        ("actor=RU&as_of=0000-01-01", "as_of", "invalid_date"),
        ("actor=RU&as_of=2024-01-01&as_of=2024-01-02", "as_of", "repeated"),
        ("actor=RU&known_at=2999-01-01", "known_at", "in_the_future"),
        ("actor=RU&knowledge=announced", "knowledge", "needs_known_at"),
        ("actor=RU&date_from=2024", "date_from", "unknown_parameter"),
        ("actor=RU&cursor=nonsense", "cursor", "invalid_cursor"),
        ("actor=RU&limit=0", "limit", "out_of_range"),
    ],
)
async def test_a_question_that_cant_be_answered_is_refused(
    client: httpx.AsyncClient, query: str, field: str, code: str
) -> None:
    problem = problem_of(await client.get(f"/v1/positions?{query}"), 422)
    assert [(fault["field"], fault["code"]) for fault in problem["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("actor=RU&from=2024&to=2023", "to", "empty_range"),
        ("actor=RU&from=2024-13", "from", "invalid_date"),
        ("actor=RU&from=2021&from=2022", "from", "repeated"),
        ("actor=RU&as_of=2024-01-01", "as_of", "unknown_parameter"),
    ],
)
async def test_a_history_that_cant_be_answered_is_refused(
    client: httpx.AsyncClient, query: str, field: str, code: str
) -> None:
    problem = problem_of(await client.get(f"/v1/positions/history?{query}"), 422)
    assert [(fault["field"], fault["code"]) for fault in problem["errors"]] == [(field, code)]


async def test_too_many_names_at_once_are_refused(client: httpx.AsyncClient) -> None:
    parties = (await client.get("/v1/parties?limit=40")).json()["items"]
    ids = [party["id"] for party in parties]
    query = {"actor": ids, "subject": ids, "dimension": "recognition"}
    problem = problem_of(await client.get("/v1/positions", params=query), 422)
    assert [fault["code"] for fault in problem["errors"]] == ["too_many"]


async def test_blanks_are_ignored_as_forms_send_them(client: httpx.AsyncClient) -> None:
    plain = await client.get("/v1/positions/history?actor=RU&to=2025")
    blank = "/v1/positions/history?actor=RU&subject=&from=&to=2025&state=&known_at="
    assert (await client.get(blank)).json() == plain.json()


async def test_what_was_answered_then_is_answered_again(
    writable: tuple[httpx.AsyncClient, Database],
) -> None:
    client, database = writable
    address = "/v1/positions?subject=taliban&as_of=2024-12-31"
    before, then = (await client.get(address)).json()["items"], datetime.now(UTC).isoformat()
    fact = {
        "participants": [{"party": "FR", "role": "actor"}, {"party": "taliban", "role": "subject"}]
    }
    new = event("a-new-listing", **fact, regime="EU-TERR")
    async with database.writing() as connection:
        await record_unseen(connection, [new], Author("a test"))
        await retract(connection, "kz-taliban-delisting-2023", {"*"}, Author("a test"), "Why.")
    after = (await client.get(address)).json()["items"]
    states = {item["actor"]: item["state"] for item in after if item["regime"]}
    assert (states["FR"], states["KZ"]) == ("listed", "listed")
    again = await client.get(
        address, params={"subject": "taliban", "as_of": "2024-12-31", "known_at": then}
    )
    assert again.json()["items"] == before


async def test_an_answer_takes_three_statements_at_most(
    timeline_url: str, statements: list[str]
) -> None:
    async with client_of(timeline_url) as client:
        await client.get("/v1/positions?actor=KZ&subject=taliban")
        statements.clear()
        await client.get("/v1/positions?actor=KZ&subject=taliban&known_at=2020-01-01")
    # The names, and the evidence.
    assert len(statements) == 2
