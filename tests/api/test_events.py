"""Filtering the sample timeline as journalists and clients do."""

from typing import Any

import httpx
import pytest

from app.api.examples import EVENT
from tests.support.client import client_of

NEW_YEAR = {"updated_since": "2026-01-01T00:00:00.000000Z"}


async def ids(client: httpx.AsyncClient, query: str) -> list[str]:
    """Return the ids of all events that match, following every page."""
    found: list[str] = []
    address: str | None = f"/v1/events?{query}"
    while address:
        response = await client.get(address)
        assert response.status_code == 200, response.text
        page = response.json()
        found += [item["id"] for item in page["items"]]
        address = page["next"]
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("country=Kazakhstan&kind=designation.delist", "kz-taliban-delisting-2023"),
        ("country=KAZ&date_from=2023-12&date_to=2023-12", "kz-taliban-delisting-2023"),
        ("actor=Russia&status=proposed&party=taliban&regime=RU-UFL", "ru-taliban-petition-2025"),
        ("country=SA&kind=mission&date_from=2024-12-22&date_to=2024-12-22", "sa-kabul-resume-2024"),
        ("subject=taliban&kind=designation.suspend", "ru-taliban-suspension-2025"),
        ("actor=RU&kind=statement.endorse&date_from=2024-07-04&date_to=2024-07-04&date_match=within",
         "ru-putin-taliban-allies-2024"),
        ("kind=mission.withdraw_staff&country=SA", "sa-kabul-withdraw-2021"),
        ("kind=statement.welcome&actor=islamic-emirate-of-afghanistan&subject=SA",
         "af-welcomes-saudi-resumption-2024"),
        ("kind=statement.intend&regime=RU-UFL&date_from=2024-11", "ru-shoigu-intends-delist-2024"),
        ("kind=legislation.introduce&measure=ru-suspension-law-2024",
         "ru-suspension-bill-introduced-2024"),
    ],
)  # fmt: skip
async def test_a_question_finds_its_event(
    client: httpx.AsyncClient, query: str, expected: str
) -> None:
    assert expected in await ids(client, query)


async def test_exactly_one_event_is_kazakhstans_removal(client: httpx.AsyncClient) -> None:
    assert await ids(client, "country=Kazakhstan&kind=designation.delist") == [EVENT["id"]]


async def test_no_filter_gives_everything_newest_first(client: httpx.AsyncClient) -> None:
    found = await ids(client, "limit=37")
    assert len(found) == len(set(found)) == 164
    assert found == (await ids(client, "sort=oldest"))[::-1]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {}),
        ("country=Kazakhstan&country=KZ", {"country": ["KZ"]}),
        ("country=Казахстан", {"country": ["KZ"]}),
        ("country=Islamic Emirate of Afghanistan", {"country": ["AF"]}),
        ("country=European Union", {"country": ["EU"]}),
        ("party=Талибан&actor=Russia", {"party": ["taliban"], "actor": ["RU"]}),
        ("subject=Hay'at Tahrir al-Sham", {"subject": ["hayat-tahrir-al-sham"]}),
        ("date_from=2023&date_to=2024-02", {"date_from": "2023-01-01", "date_to": "2024-02-29"}),
        ("kind=designation&status=adopted", {"kind": ["designation"], "status": ["adopted"]}),
        ("status=&date_from=&country=", {}),
        ("limit=5&sort=oldest&include=total", {}),
        ("date_field=signed&date_match=within", {"date_field": "signed", "date_match": "within"}),
        ("updated_since=2026-01-01", NEW_YEAR),
        ("updated_since=2026-01-01T02:00:00%2B02:00", NEW_YEAR),
        ("updated_since=2026-01-01T02:00:00+02:00", NEW_YEAR),
    ],
)  # fmt: skip
async def test_the_filter_is_shown_as_it_was_understood(
    client: httpx.AsyncClient, query: str, shown: dict[str, Any]
) -> None:
    response = await client.get(f"/v1/events?{query}")
    assert response.status_code == 200, response.text
    assert response.json()["filter"] == shown


async def test_the_state_is_not_the_taliban(client: httpx.AsyncClient) -> None:
    about_the_state = set(await ids(client, "subject=AF"))
    about_the_taliban = set(await ids(client, "subject=taliban"))
    assert about_the_state
    assert about_the_taliban
    # One event may name both; most name one.
    assert len(about_the_state & about_the_taliban) < len(about_the_state)
    country = set(await ids(client, "country=AF"))
    assert about_the_state | about_the_taliban <= country


async def test_a_bloc_stands_for_its_members_and_its_own_organs(client: httpx.AsyncClient) -> None:
    bloc = set(await ids(client, "country=EU"))
    assert set(await ids(client, "country=ES")) < bloc
    assert set(await ids(client, "party=european-union")) < bloc
    assert not set(await ids(client, "actor=RU&country=KZ&kind=consult.meet")) & bloc


async def test_repeating_a_parameter_widens_and_another_narrows(client: httpx.AsyncClient) -> None:
    both = set(await ids(client, "kind=designation.list&kind=designation.delist"))
    listed = set(await ids(client, "kind=designation.list"))
    delisted = set(await ids(client, "kind=designation.delist"))
    assert both == listed | delisted
    narrowed = set(await ids(client, "kind=designation.list&actor=US"))
    assert narrowed < listed


async def test_overlap_finds_what_may_have_happened_and_within_what_certainly_did(
    client: httpx.AsyncClient,
) -> None:
    day = "date_from=2023-12-10&date_to=2023-12-10&country=KZ"
    assert EVENT["id"] in await ids(client, day)
    assert EVENT["id"] not in await ids(client, f"{day}&date_match=within")
    month = "date_from=2023-12&date_to=2023-12&country=KZ&date_match=within"
    assert EVENT["id"] in await ids(client, month)


async def test_a_named_date_can_be_asked_for(client: httpx.AsyncClient) -> None:
    signed = await ids(client, "date_field=signed&date_from=1000")
    assert len(signed) == 10
    assert await ids(client, "date_field=effective_until&date_from=1000&date_to=2999")


async def test_a_page_says_where_to_go_on(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/events?country=RU&limit=3&status=")
    page = response.json()
    assert len(page["items"]) == 3
    assert page["next"].startswith("http://register.example/v1/events?country=RU&limit=3&cursor=")
    assert response.headers["link"] == f'<{page["next"]}>; rel="next"'
    last = (await client.get("/v1/events?country=RU&limit=200")).json()
    assert last["next"] is None


async def test_the_limit_may_change_on_the_way(client: httpx.AsyncClient) -> None:
    page = (await client.get("/v1/events?country=RU&limit=3")).json()
    rest = (await client.get(page["next"].replace("limit=3", "limit=200"))).json()
    whole = (await client.get("/v1/events?country=RU&limit=200")).json()
    assert page["items"] + rest["items"] == whole["items"]


async def test_the_total_is_counted_on_request_only(client: httpx.AsyncClient) -> None:
    plain = (await client.get("/v1/events?country=RU&limit=1")).json()
    counted = (await client.get("/v1/events?country=RU&limit=1&include=total")).json()
    assert "total" not in plain
    assert counted["total"] == len(await ids(client, "country=RU"))
    assert (await client.get("/v1/events?party=FR&actor=KZ&include=total")).json()["total"] == 0


async def test_links_begin_with_the_public_address_where_one_is_set(timeline_url: str) -> None:
    async with client_of(timeline_url, public_url="https://chancery.example/") as client:
        page = (await client.get("/v1/events?limit=1")).json()
    assert page["next"].startswith("https://chancery.example/v1/events?limit=1&cursor=")


async def test_one_event_is_the_documented_example(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"/v1/events/{EVENT['id']}")).json()
    stamps = {"recorded_at", "updated_at"}
    assert {k: v for k, v in found.items() if k not in stamps} == {
        k: v for k, v in EVENT.items() if k not in stamps
    }


@pytest.mark.parametrize(
    ("query", "budget"),
    [
        ("/v1/events", 1),
        ("/v1/events?country=KZ&status=proposed&date_from=2024", 1),
        ("/v1/events?country=KZ&include=total", 1),
        ("/v1/events?party=taliban&regime=RU-UFL&measure=ru-ufl-taliban", 2),
        ("/v1/events?known_at=2026-01-01", 1),
        ("/v1/events?q=taliban", 2),
        (f"/v1/events/{EVENT['id']}", 1),
        ("/v1/parties", 1),
        ("/v1/parties?q=tal", 1),
        ("/v1/parties/taliban", 1),
        ("/v1/regimes", 1),
        ("/v1/regimes/RU-UFL", 1),
        ("/v1/measures", 1),
        ("/v1/measures/ru-ufl-taliban", 1),
        ("/v1/territories", 0),
        ("/v1/vocabulary", 0),
        ("/livez", 0),
        ("/readyz", 4),
    ],
)
async def test_a_read_takes_no_more_statements_than_it_needs(
    statements: list[str], timeline_url: str, query: str, budget: int
) -> None:
    async with client_of(timeline_url) as client:
        # What documents show of parties is known from then on.
        await client.get("/v1/events?limit=200")
        statements.clear()
        response = await client.get(query)
    assert response.status_code == 200
    assert len(statements) == budget, statements
