"""Counts of the sample timeline, as a form shows them."""

from typing import Any

import httpx
import pytest

from tests.support.problems import problem_of

DEFAULT = {"country", "kind", "family", "status", "verification", "direction", "regime", "year"}


async def counted(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
    response = await client.get(f"/v1/facets?{query}")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def total(client: httpx.AsyncClient, query: str) -> int:
    page = (await client.get(f"/v1/events?{query}&include=total&limit=1")).json()
    number: int = page["total"]
    return number


async def test_values_are_called_by_their_names_where_they_have_any(
    client: httpx.AsyncClient,
) -> None:
    query = "q=Kazakhstan removes&by=country&by=party&by=kind&by=regime&by=month&by=measure"
    found = (await counted(client, query))["facets"]
    assert list(found) == ["country", "party", "kind", "regime", "month", "measure"]
    labels = {(f, each["value"]): each["label"] for f, counts in found.items() for each in counts}
    assert labels["country", "KZ"] == "Kazakhstan"
    assert labels["party", "taliban"] == "Taliban"
    assert labels["kind", "designation.delist"] == "designation.delist"
    assert labels["month", "2023-12"] == "2023-12"
    assert labels["measure", "kz-nlto-taliban"] == "kz-nlto-taliban"
    assert labels["regime", "KZ-NLTO"] != "KZ-NLTO"


@pytest.mark.parametrize("query", ["", "country=AF", "q=embassy", "status=proposed&date_from=2024"])
async def test_every_count_is_what_its_filter_finds(client: httpx.AsyncClient, query: str) -> None:
    found = await counted(client, query)
    assert set(found["facets"]) == DEFAULT
    assert found["total"] == await total(client, query)
    for facet in ("country", "status", "kind", "regime"):
        for each in found["facets"][facet]:
            assert each["count"] <= found["total"]
            if facet not in query:
                narrowed = f"{query}&{facet}={each['value']}"
                assert each["count"] == await total(client, narrowed), narrowed


async def test_the_commonest_comes_first_and_time_in_its_order(client: httpx.AsyncClient) -> None:
    found = (await counted(client, "by=country&by=year"))["facets"]
    keys = [(-each["count"], each["value"]) for each in found["country"]]
    assert keys == sorted(keys)
    *years, last = [each["value"] for each in found["year"]]
    assert years == sorted(years)
    assert last is None
    assert found["year"][-1]["label"] == "Not within one year"


async def test_a_year_counts_what_certainly_lies_within_it(client: httpx.AsyncClient) -> None:
    for each in (await counted(client, "by=year"))["facets"]["year"][:-1]:
        within = f"date_from={each['value']}&date_to={each['value']}&date_match=within"
        assert each["count"] == await total(client, within)


async def test_a_page_can_carry_the_counts_of_all_that_match(client: httpx.AsyncClient) -> None:
    page = (await client.get("/v1/events?country=KZ&limit=1&include=facets")).json()
    assert page["facets"] == (await counted(client, "country=KZ"))["facets"]
    assert "total" not in page
    assert "facets" not in (await client.get("/v1/events?country=KZ&limit=1")).json()


async def test_names_are_those_of_the_time(editor: httpx.AsyncClient) -> None:
    newest = (await editor.get("/v1/events?limit=1&sort=recently_updated")).json()["items"][0]
    party = {"id": "taliban", "kind": "organisation", "name": "Another name", "country": "AF"}
    assert (await editor.put("/v1/parties/taliban", json=party)).status_code == 200
    for known_at, name in (("", "Another name"), (newest["updated_at"], "Taliban")):
        counts = (await counted(editor, f"by=party&known_at={known_at}"))["facets"]["party"]
        assert {each["value"]: each["label"] for each in counts}["taliban"] == name


@pytest.mark.parametrize("parameter", ["limit", "cursor", "sort", "include"])
async def test_what_belongs_to_pages_is_refused(client: httpx.AsyncClient, parameter: str) -> None:
    problem = problem_of(await client.get(f"/v1/facets?{parameter}=1"), 422)
    assert [each["code"] for each in problem["errors"]] == ["unknown_parameter"]


async def test_what_nothing_can_be_counted_by_is_refused(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/v1/facets?by=countries"), 422)
    assert problem["errors"][0]["suggestions"][0] == "country"
