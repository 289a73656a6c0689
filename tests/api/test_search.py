"""Searching the sample timeline as journalists do."""

from typing import Any

import httpx
import pytest

from tests.support.problems import problem_of

TALIBAN = {
    "id": "taliban",
    "kind": "organisation",
    "name": "Taliban",
    "country": "AF",
    "aliases": ["Talibani"],
}


async def found(client: httpx.AsyncClient, **query: Any) -> list[str]:
    response = await client.get("/v1/events", params={"limit": 200, **query})
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


@pytest.mark.parametrize("name", ["Талибан", "طالبان", "Taleban", "TALIBAN", "talibán"])
async def test_a_party_is_found_by_any_of_its_names(client: httpx.AsyncClient, name: str) -> None:
    assert set(await found(client, party="taliban")) <= set(await found(client, q=name))


@pytest.mark.parametrize(
    ("q", "event"),
    [
        ("Kazakhstan removes Taliban", "kz-taliban-delisting-2023"),
        ("Казахстан Талибан", "kz-taliban-delisting-2023"),
        ("哈萨克斯坦 طالبان removes", "kz-taliban-delisting-2023"),
        ('"list of banned"', "kz-taliban-delisting-2023"),
        ("nowhere or Taleban", "kz-taliban-delisting-2023"),
        ("Taliban removes -Saudi", "kz-taliban-delisting-2023"),
    ],
)
async def test_a_search_finds_its_event(client: httpx.AsyncClient, q: str, event: str) -> None:
    assert event in await found(client, q=q)


async def test_what_must_not_occur_does_not(client: httpx.AsyncClient) -> None:
    everything = set(await found(client))
    with_it, without = await found(client, q="Taliban"), await found(client, q="-Taliban")
    assert set(with_it) | set(without) == everything
    assert not set(with_it) & set(without)


async def test_a_search_goes_with_every_other_filter(client: httpx.AsyncClient) -> None:
    both = await found(client, q="embassy", country="SA", kind="mission")
    filtered = await found(client, country="SA", kind="mission")
    searched = await found(client, q="embassy")
    assert both == [event for event in filtered if event in searched]
    assert both


async def test_relevance_walks_through_all_that_match(client: httpx.AsyncClient) -> None:
    address: str | None = "/v1/events?q=embassy&sort=relevance&limit=7&include=total"
    walked: list[str] = []
    while address:
        page = (await client.get(address)).json()
        assert page["filter"] == {"q": "embassy"}
        assert "ranked_newest" not in page
        walked += [item["id"] for item in page["items"]]
        address = page["next"]
    assert len(walked) == len(set(walked)) == page["total"]
    assert sorted(walked) == sorted(await found(client, q="embassy"))
    assert walked != await found(client, q="embassy")


async def test_a_cursor_holds_for_its_own_words_only(client: httpx.AsyncClient) -> None:
    page = (await client.get("/v1/events?q=embassy&sort=relevance&limit=2")).json()
    for changed in (
        page["next"].replace("q=embassy", "q=list"),
        page["next"].replace("sort=relevance", "sort=newest"),
    ):
        problem = problem_of(await client.get(changed), 422)
        assert problem["errors"][0]["code"] == "invalid_cursor"


ODD = [
    "or", "or or or", "the", "a:*", "!!a", "a & | b", "\\", "'", "''", "(a", "a)", "=KZ", "<->",
    "'a'::tsquery", "%", "_a", "a\tb\nc", "🏛 embassy", "é" * 500, "\ufdfa" * 27 + "a" * 20,
]  # fmt: skip


@pytest.mark.parametrize("q", ODD)
async def test_nothing_that_is_typed_is_a_fault_of_ours(client: httpx.AsyncClient, q: str) -> None:
    for sort in ("newest", "relevance"):
        response = await client.get("/v1/events", params={"q": q, "sort": sort})
        assert response.status_code in (200, 422), response.text


async def test_names_are_searched_as_they_were(editor: httpx.AsyncClient) -> None:
    events = await found(editor, q="Taleban")
    newest = (await editor.get("/v1/events?limit=1&sort=recently_updated")).json()["items"][0]
    instant, document = newest["updated_at"], await editor.get(f"/v1/events/{events[0]}")
    renamed = await editor.put("/v1/parties/taliban", json=TALIBAN)
    assert renamed.status_code == 200
    assert await found(editor, q="Taleban") == []
    assert set(events) <= set(await found(editor, q="Talibani"))
    assert await found(editor, q="Taleban", known_at=instant) == events
    assert await found(editor, q="Talibani", known_at=instant) == []
    assert (await editor.get(f"/v1/events/{events[0]}")).content == document.content
