"""Positions as a page: what it says of a day, on what that rests, and how it went."""

from typing import Any

import httpx
import pytest

from app.api.positions import PositionPageParameters
from app.domain.labels import word_lists
from tests.support.editing import seen
from tests.support.html import Document, document

STATES = word_lists()["state"].words
QUESTIONS: list[dict[str, Any]] = [
    {"subject": "taliban", "dimension": "designation", "as_of": "2024-12-31"},
    {"subject": "taliban", "as_of": "2023-12-15"},
    {"actor": "SA", "subject": "AF", "dimension": "mission", "as_of": "2021-11-15"},
    {"actor": "Russia", "min_verification": "claimed"},
    {"subject": "PS", "certainty": "definite", "limit": "2"},
    {"subject": "taliban", "known_at": "2023-12-28", "knowledge": "announced"},
]


def articles(page: Document) -> list[str]:
    return [element.text for element in page.all("article", class_="position")]


async def test_who_has_just_come_is_shown_how_to_ask(client: httpx.AsyncClient) -> None:
    page = document(await client.get("/positions"))
    assert not page.all("section", class_="faults")
    examples = page.all("a", href="/positions?")
    assert len(examples) == 3
    for example in examples:
        assert articles(document(await client.get(example["href"])))


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
async def test_it_says_what_the_api_answers(
    client: httpx.AsyncClient, question: dict[str, Any]
) -> None:
    page = document(await client.get("/positions", params=question))
    items = (await client.get("/v1/positions", params=question)).json()["items"]
    shown = {article.text: article for article in page.all("article", class_="position")}
    # On the page they stand by dimension.
    items.sort(key=lambda item: item["dimension"])
    assert len(shown) == len(items)
    for article, item in zip(shown.values(), items, strict=True):
        assert item["certainty"] in article["class"]
        states = [item["state"]] if item["state"] else item["candidates"]
        assert all(STATES[state] in article.text for state in states)
        links = {
            link["href"].partition("?")[0] for link in page.all("a") if article in link.parents
        }
        cited = [*item["basis"], *item["pending"], *item["upcoming"], *item["unconfirmed"]]
        assert links == {f"/events/{event}" for event in cited}


async def test_every_way_to_take_it_away_answers_the_same_question(
    client: httpx.AsyncClient,
) -> None:
    page = document(await client.get("/positions?subject=taliban&as_of=2024-12-31&limit=2"))
    offered = [link for link in page.all("a", href="/v1/positions") if link.text]
    names = [link.text for link in offered]
    assert names == ["Excel", "CSV", "JSON Lines", "JSON", "over time, as JSON"]
    for link in offered:
        assert "subject=taliban" in link["href"]
        assert (await client.get(link["href"])).status_code == 200
    assert all("limit" not in link["href"] for link in offered[:3])


async def test_how_it_went_is_drawn_and_told(client: httpx.AsyncClient) -> None:
    question = {"actor": "KZ", "subject": "taliban", "dimension": "designation"}
    page = document(await client.get("/positions", params=question | {"as_of": "2023-12-10"}))
    [history] = (await client.get("/v1/positions/history", params=question)).json()["items"]
    spans = [span for span in history["spans"] if span["certainty"] != "unknown"]
    bars = page.all("rect")
    assert [bar["class"].split()[1:] for bar in bars] == [
        [span["certainty"], span["state"] or "several"] for span in spans
    ]
    ends = [float(bar["x"]) + float(bar["width"]) for bar in bars]
    assert ends[-1] == 1000
    for end, following in zip(ends, bars[1:], strict=False):
        assert abs(end - float(following["x"])) < 5
    told = [
        item.text
        for item in page.all("li")
        if any("spans" in p.attributes.get("class", "") for p in item.parents)
    ]
    assert len(told) == len(spans)
    assert told[0].startswith("from 15 March 2005 to 30 November 2023: On the list")
    assert told[1].endswith("(possibly)")
    assert page.one("svg")["role"] == "img"


async def test_what_is_unknown_is_explained(client: httpx.AsyncClient) -> None:
    question = {"actor": "FR", "subject": "taliban", "dimension": "recognition"}
    page = document(await client.get("/positions", params=question))
    [article] = articles(page)
    assert "which does not mean no" in article
    assert not page.all("svg")
    nothing = document(await client.get("/positions?actor=FR&subject=taliban"))
    assert "doesn't mean that the answer is no" in nothing.one("section", class_="found").text


REFUSED = {
    "as_of=2024-12-31": "subject",
    "subject=talibn": "subject",
    "actor=Congo&subject=taliban": "actor",
    "subject=taliban&as_of=2024": "as_of",
    "subject=taliban&dimension=mission&regime=RU-UFL": None,
    "subject=taliban&dimention=mission": None,
    "subject=taliban&certainty=perhaps": None,
    "subject=taliban&knowledge=announced": "knowledge",
}


@pytest.mark.parametrize("query", REFUSED)
async def test_what_is_not_understood_is_told(client: httpx.AsyncClient, query: str) -> None:
    page = document(await client.get(f"/positions?{query}"), 422)
    problem = (await client.get(f"/v1/positions?{query}")).json()
    told = page.one("section", class_="faults").text
    assert all(fault["message"] in told for fault in problem["errors"])
    if name := REFUSED[query]:
        assert page.one("p", id=f"fault-{name}-1")
    assert page.one("button", type="submit")


async def test_a_remedy_is_a_link(client: httpx.AsyncClient) -> None:
    page = document(await client.get("/positions?subject=talibn&as_of=2024-12-31"), 422)
    link = page.all("a", class_="remedy")[0]
    assert link["href"] == "/positions?as_of=2024-12-31&subject=taliban"
    assert articles(document(await client.get(link["href"])))


async def test_the_form_has_every_parameter_and_is_filled_in(client: httpx.AsyncClient) -> None:
    page = document(await client.get("/positions?subject=taliban&as_of=2024-12-31&limit=5"))
    names = {each["name"] for each in [*page.all("input"), *page.all("select")]}
    assert names == set(PositionPageParameters.model_fields) - {"cursor"}
    assert page.one("input", id="as_of")["value"] == "2024-12-31"


async def test_all_pages_can_be_walked_through(client: httpx.AsyncClient) -> None:
    whole = articles(document(await client.get("/positions?actor=RU&limit=200")))
    found, address = [], "/positions?actor=RU&limit=1"
    while address:
        page = document(await client.get(address))
        found += articles(page)
        address = next((link["href"] for link in page.all("a", rel="next")), "")
    assert len(found) == len(whole) > 1
    assert page.one("a", rel="first")


async def test_a_permalink_answers_as_it_was(editor: httpx.AsyncClient) -> None:
    pages = [document(await editor.get("/positions?subject=taliban&limit=2&as_of=2025-01-01"))]
    pages.append(document(await editor.get(pages[0].one("a", rel="next")["href"])))
    links = [page.one("a", href="known_at=")["href"] for page in pages]
    event = "kz-taliban-delisting-2023"
    headers = await seen(editor, event)
    body = {"reason": "A test."}
    await editor.post(f"/v1/events/{event}/retract", json=body, headers=headers)
    now = document(await editor.get("/positions?subject=taliban&limit=2&as_of=2025-01-01"))
    assert articles(now) != articles(pages[0])
    for page, link in zip(pages, links, strict=True):
        assert articles(document(await editor.get(link))) == articles(page)


async def test_a_page_is_kept_and_asked_again(client: httpx.AsyncClient) -> None:
    path = "/positions?subject=taliban"
    first = await client.get(path)
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(path, headers=known)).status_code == 304
    assert (await client.head(path)).headers["etag"] == first.headers["etag"]
