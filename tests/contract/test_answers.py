"""What is sent is what is described: real answers against the published schema, to the letter."""

from copy import deepcopy
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.openapi import DOCUMENT

ANSWERS = {
    "/v1/events?limit=200&include=total": "/v1/events",
    "/v1/events?country=RU&limit=1": "/v1/events",
    "/v1/events?party=FR&actor=KZ": "/v1/events",
    "/v1/events.timelinejs.json": "/v1/events.timelinejs.json",
    "/v1/events?q=embassy&sort=relevance&limit=2": "/v1/events",
    "/v1/events?include=facets&include=total&limit=1": "/v1/events",
    "/v1/facets": "/v1/facets",
    "/v1/facets?q=Taliban&by=party&by=month&by=measure&by=country": "/v1/facets",
    "/v1/events/kz-taliban-delisting-2023": "/v1/events/{id}",
    "/v1/events/kz-taliban-delisting-2023/revisions": "/v1/events/{id}/revisions",
    "/v1/events/kz-taliban-delisting-2023/revisions/1": "/v1/events/{id}/revisions/{revision}",
    "/v1/changes?limit=200": "/v1/changes",
    "/v1/positions?subject=taliban&limit=200": "/v1/positions",
    "/v1/positions?actor=SA&subject=AF&as_of=2021-11-15": "/v1/positions",
    "/v1/positions/history?actor=SA": "/v1/positions/history",
    "/v1/columns": "/v1/columns",
    "/v1/measures?limit=200": "/v1/measures",
    "/v1/measures/ru-suspension-law-2024": "/v1/measures/{id}",
    "/v1/territories?limit=200": "/v1/territories",
    "/v1/territories/KZ": "/v1/territories/{code}",
    "/v1/parties?limit=200": "/v1/parties",
    "/v1/parties/taliban": "/v1/parties/{id}",
    "/v1/regimes": "/v1/regimes",
    "/v1/regimes/RU-UFL": "/v1/regimes/{code}",
    "/v1/vocabulary": "/v1/vocabulary",
    "/v1/vocabulary/kind": "/v1/vocabulary/{code}",
    "/livez": "/livez",
    "/readyz": "/readyz",
}


def described(path: str, status: str, media_type: str) -> Draft202012Validator:
    """Return the validator of one described answer, in which unknown members are refused."""
    document = deepcopy(DOCUMENT)
    schema = document["paths"][path]["get"]["responses"][status]["content"][media_type]["schema"]
    for component in document["components"]["schemas"].values():
        if "properties" in component:
            component.setdefault("additionalProperties", False)
    return Draft202012Validator({**schema, "components": document["components"]})


def test_every_operation_that_reads_is_tried() -> None:
    """Those that need a key are tried where they are tested, each with what it writes."""
    reading = {
        path: methods["get"]["responses"]["200"]["content"]
        for path, methods in DOCUMENT["paths"].items()
        if "get" in methods and "security" not in methods["get"]
    }
    # A stream of events has no end and a file is text: neither has a schema to be held against.
    other = {path for path, content in reading.items() if "application/json" not in content}
    files = {path for path in other if path.startswith(("/v1/events.", "/v1/positions."))}
    assert other - files == {"/v1/changes/stream", "/v1/imports/template.csv"}
    assert set(ANSWERS.values()) == set(reading) - other


@pytest.mark.parametrize(("address", "path"), ANSWERS.items())
async def test_an_answer_is_as_described(
    client: httpx.AsyncClient, address: str, path: str
) -> None:
    response = await client.get(address)
    assert response.headers["content-type"] == "application/json"
    described(path, "200", "application/json").validate(response.json())


@pytest.mark.parametrize("query", ["x=1", "limit=0", "country=Congo&party=nobody", "cursor=x"])
async def test_a_problem_is_as_described(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/v1/events?{query}")
    described("/v1/events", "422", "application/problem+json").validate(response.json())


def test_the_validator_refuses_what_is_not_described() -> None:
    validator = described("/v1/regimes", "200", "application/json")
    broken: list[Any] = [{"items": [{"code": "A"}], "next": None}, {"items": [], "next": 1}, {}]
    assert not any(validator.is_valid(each) for each in broken)
