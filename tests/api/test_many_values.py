"""Many values of one parameter: counted, asked once each, and never a parameter each."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from app.api.filters import FilterParameters
from app.api.parameters import MAX_VALUES
from app.api.positions import PositionPageParameters
from app.db.driver import DriverPool
from app.db.prepared import Prepared, Values
from app.domain.territories import territories
from app.domain.vocabulary import KindOrFamily
from tests.support.client import client_of
from tests.support.problems import problem_of

SEVERAL_VALUES = [
    *(("/v1/events", name) for name in sorted(FilterParameters.several())),
    ("/v1/facets", "by"),
    ("/v1/events", "include"),
    ("/v1/events.csv", "country"),
    ("/timeline", "party"),
    *(("/v1/positions", name) for name in sorted(PositionPageParameters.several())),
    *(("/positions", name) for name in sorted(PositionPageParameters.several())),
    ("/v1/positions/history", "actor"),
    ("/v1/positions.jsonl", "subject"),
]


@pytest.mark.parametrize(("path", "name"), SEVERAL_VALUES)
async def test_more_values_than_anybody_needs_are_refused(
    client: httpx.AsyncClient, path: str, name: str
) -> None:
    query = "&".join(f"{name}=v{number}" for number in range(MAX_VALUES + 1))
    answer = await client.get(f"{path}?{query}")
    if path in {"/timeline", "/positions"}:
        assert answer.status_code == 422
        assert f"{name}: Give at most 200 different values, not 201." in answer.text
    else:
        (fault,) = problem_of(answer, 422)["errors"]
        assert (fault["field"], fault["code"]) == (name, "too_many_values")
        assert fault["message"] == f"{name}: Give at most 200 different values, not 201."


@pytest.mark.parametrize(
    "query", ["kind=consult", "status=proposed", "verification=confirmed", "regime=RU-UFL"]
)
async def test_a_value_that_is_repeated_is_asked_once(timeline_url: str, query: str) -> None:
    asked: list[int] = []

    async def count(
        self: DriverPool, prepared: Prepared, values: Values, *others: Any
    ) -> Sequence[Any]:
        asked.append(len(prepared.arguments(values)))
        return await fetch(self, prepared, values, *others)

    fetch = DriverPool.fetch
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DriverPool, "fetch", count)
        async with client_of(timeline_url) as client:
            page = (await client.get(f"/v1/events?{'&'.join([query] * 1_000)}&limit=1")).json()
            once = (await client.get(f"/v1/events?{query}&limit=1")).json()
    assert page == once
    assert max(asked) <= 3


async def test_no_statement_grows_with_what_is_asked(
    statements: list[str], timeline_url: str
) -> None:
    codes = [each.code for each in territories().values() if each.kind != "bloc"][:MAX_VALUES]
    of_countries = "&".join(f"country={code}" for code in codes)
    of_kinds = "&".join(f"kind={kind}" for kind in KindOrFamily)
    of_parties = "&".join(f"{name}={code}" for name in ("actor", "party") for code in codes)
    async with client_of(timeline_url) as client:
        for query in (
            f"/v1/events?{of_countries}&{of_kinds}",
            f"/v1/events?{of_countries}&include=total&include=facets",
            f"/v1/events?{of_parties}&known_at=2024-01-01",
            f"/v1/events.jsonl?{of_countries}&{of_kinds}",
            f"/v1/facets?{of_parties}&by=party",
            f"/v1/positions?{of_parties.replace('party=', 'subject=')}",
            f"/v1/positions?subject=taliban&{of_parties.partition('&party')[0]}",
            f"/timeline?{of_countries}&{of_kinds}",
        ):
            answer = await client.get(query)
            assert answer.status_code in {200, 422}, answer.text
    # There are a hundred parameters in none, however many values are asked for.
    assert statements
    assert not [each for each in statements if "$100" in each]
