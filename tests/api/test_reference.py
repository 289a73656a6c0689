"""What the filters accept: territories, parties, regimes, measures, vocabulary."""

import json
from importlib.resources import files
from typing import Any

import httpx
import pytest

from app.domain.territories import territories
from app.domain.vocabulary import Kind
from tests.support.problems import problem_of

LISTS = ["territories", "parties", "regimes", "measures", "vocabulary"]


async def items(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return everything that a list gives, following every page."""
    found: list[dict[str, Any]] = []
    response = await client.get(path, params=query)
    while True:
        assert response.status_code == 200, response.text
        page = response.json()
        found += page["items"]
        if page["next"] is None:
            return found
        assert response.headers["link"] == f'<{page["next"]}>; rel="next"'
        response = await client.get(page["next"])


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/territories", "code"),
        ("/v1/parties", "id"),
        ("/v1/regimes", "code"),
        ("/v1/measures", "id"),
        ("/v1/vocabulary", "code"),
    ],
)
@pytest.mark.parametrize("limit", [3, 200])
async def test_a_list_is_walked_once_in_the_order_of_its_keys(
    client: httpx.AsyncClient, path: str, key: str, limit: int
) -> None:
    keys = [item[key] for item in await items(client, path, limit=limit)]
    assert keys == sorted(set(keys))
    assert len(keys) >= 9


async def test_each_item_is_found_under_its_key(client: httpx.AsyncClient) -> None:
    for path, key in (("parties", "id"), ("regimes", "code"), ("territories", "code")):
        for item in await items(client, f"/v1/{path}", limit=200):
            assert (await client.get(f"/v1/{path}/{item[key]}")).json() == item


@pytest.mark.parametrize(
    ("path", "q", "key"),
    [
        ("/v1/territories", "Казахстан", "KZ"),
        ("/v1/territories", "ivory", "CI"),
        ("/v1/territories", "kaz", "KZ"),
        ("/v1/territories", "Arab League", "LAS"),
        ("/v1/parties", "талибан", "taliban"),
        ("/v1/parties", "طالبان", "taliban"),
        ("/v1/parties", "Казахстан", "KZ"),
        ("/v1/parties", "al-sharaa", "ahmed-al-sharaa"),
        ("/v1/regimes", "terrorist organisations", "RU-UFL"),
        ("/v1/regimes", "fto", "US-FTO219"),
        ("/v1/measures", "suspension-law", "ru-suspension-law-2024"),
        ("/v1/vocabulary", "credentials", "kind"),
    ],
)
async def test_a_search_finds_it(client: httpx.AsyncClient, path: str, q: str, key: str) -> None:
    found = await items(client, path, q=q)
    assert key in [item.get("code") or item.get("id") for item in found]
    assert len(found) < 60


@pytest.mark.parametrize("q", ["nobody at all", "%nobody", "n_body"])
@pytest.mark.parametrize("path", LISTS)
async def test_signs_that_mean_something_to_a_database_mean_nothing_here(
    client: httpx.AsyncClient, path: str, q: str
) -> None:
    response = await client.get(f"/v1/{path}", params={"q": q, "limit": 200})
    assert response.status_code == 200
    assert response.json()["items"] == []


@pytest.mark.parametrize("q", ["%", "_", "\\", "'", "%%%"])
@pytest.mark.parametrize("path", LISTS)
async def test_signs_alone_are_nothing_to_search_for(
    client: httpx.AsyncClient, path: str, q: str
) -> None:
    problem = problem_of(await client.get(f"/v1/{path}", params={"q": q}), 422)
    assert [fault["code"] for fault in problem["errors"]] == ["nothing_to_search"]


async def test_every_territory_but_the_blocs_is_a_party(client: httpx.AsyncClient) -> None:
    parties = {item["id"]: item for item in await items(client, "/v1/parties", limit=200)}
    for territory in territories().values():
        if territory.kind == "bloc":
            assert territory.code not in parties
        else:
            party = parties[territory.code]
            assert (party["name"], party["country"]) == (territory.name, territory.code)
            assert party["kind"] == "state"


async def test_what_the_sample_names_is_there(client: httpx.AsyncClient) -> None:
    folder = files("app") / "data" / "timeline"
    for name, key in (("parties", "id"), ("regimes", "code")):
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            stated = json.loads(line)
            found = (await client.get(f"/v1/{name}/{stated[key]}")).json()
            assert found.items() >= stated.items()


async def test_a_bloc_shows_its_members(client: httpx.AsyncClient) -> None:
    bloc = (await client.get("/v1/territories/EU")).json()
    assert bloc["kind"] == "bloc"
    assert len(bloc["members"]) == 27
    assert "ES" in bloc["members"]


async def test_every_kind_is_explained_with_its_direction(client: httpx.AsyncClient) -> None:
    kinds = (await client.get("/v1/vocabulary/kind")).json()
    assert [word["code"] for word in kinds["words"]] == list(Kind)
    assert all(word["name"] and word["direction"] for word in kinds["words"])


async def test_a_measure_is_its_events_in_order_and_the_stage_reached(
    client: httpx.AsyncClient,
) -> None:
    for summary in await items(client, "/v1/measures", limit=200):
        measure = (await client.get(f"/v1/measures/{summary['id']}")).json()
        events = measure.pop("events")
        assert measure == summary
        query = f"/v1/events?measure={summary['id']}&sort=oldest&limit=200"
        assert events == (await client.get(query)).json()["items"]
        steps = [event["status"] for event in events if event["status"] != "commentary"]
        assert summary["stage"] == (steps[-1] if steps else None)
        assert summary["count"] == len(events)


async def test_the_dossier_of_the_duma_bill_reached_its_law(client: httpx.AsyncClient) -> None:
    measure = (await client.get("/v1/measures/ru-suspension-law-2024")).json()
    kinds = [event["kind"] for event in measure["events"]]
    assert kinds.index("legislation.introduce") < kinds.index("legislation.sign")
    assert measure["stage"] in ("adopted", "in_effect")
