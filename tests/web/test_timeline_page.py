"""The timeline as a page, without a browser: what it says, links to and refuses."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.api.filters import EventParameters
from tests.support.client import client_of
from tests.support.editing import seen
from tests.support.factories import facts
from tests.support.html import Document, document
from tests.support.keys import bearer
from tests.support.pages import items_of

QUESTIONS: list[dict[str, Any]] = [
    {},
    {"country": "Kazakhstan", "kind": "designation.delist"},
    {"country": ["SA", "AE"], "date_from": "2021", "date_to": "2024-06", "sort": "oldest"},
    {"subject": "taliban", "status": ["proposed", "adopted"], "verification": "confirmed"},
    {"regime": "RU-UFL", "date_match": "within", "date_from": "2024-12-01", "date_field": "date"},
    {"known_at": "2024-12-31", "knowledge": "announced", "country": "RU"},
    {"sort": "recently_updated", "direction": "easing", "limit": "7"},
    {"q": "embassy or consulate -Kabul"},
    {"q": "Талибан", "sort": "relevance", "date_from": "2024"},
]


def titles(page: Document) -> list[str]:
    return [element.text for element in page.all("h3")]


def ids(page: Document) -> list[str]:
    return [element["id"] for element in page.all("article", class_="event")]


async def test_the_front_page_leads_there(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/timeline")


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
async def test_it_shows_what_the_api_answers(
    client: httpx.AsyncClient, question: dict[str, Any]
) -> None:
    page = document(await client.get("/timeline", params=question))
    answer = (await client.get("/v1/events", params=question | {"include": "total"})).json()
    assert ids(page) == [event["id"] for event in answer["items"]]
    total = answer["total"]
    told = page.one("h2", id="found-heading").text
    assert told == (f"{total} events match" if total != 1 else "1 event matches")


async def test_everything_can_be_walked_through(client: httpx.AsyncClient) -> None:
    found, address = [], "/timeline?country=AF&limit=20"
    while address:
        page = document(await client.get(address))
        found += ids(page)
        address = next((link["href"] for link in page.all("a", rel="next")), "")
    assert found == [event["id"] for event in await items_of(client, country="AF")]
    assert page.one("a", rel="first")["href"] == "/timeline?country=AF&limit=20"


async def test_an_event_is_told_in_words_with_its_sources(client: httpx.AsyncClient) -> None:
    question = {"country": "KZ", "kind": "designation.delist"}
    page = document(await client.get("/timeline", params=question))
    [article] = page.all("article")
    [event] = (await client.get("/v1/events", params=question)).json()["items"]
    for words in (
        "December 2023, approximately",
        "Taken off the list",
        "In effect",
        "Confirmed by the deciding authority or its gazette",
        "Eases relations",
        event["title"],
    ):
        assert words in article.text
    links = [link for link in page.all("a", rel="nofollow") if article in link.parents]
    assert [link["href"] for link in links] == [
        each["url"] for each in event["sources"] if each["url"]
    ]
    assert all("noopener" in link["rel"] for link in links)
    quotes = [quote.text for quote in page.all("blockquote")]
    assert quotes == [each["quote"] for each in event["sources"] if each["quote"]]
    assert page.one("a", href=f"/events/{event['id']}").text == event["title"]


async def test_the_question_is_told_in_words_and_each_part_can_be_dropped(
    client: httpx.AsyncClient,
) -> None:
    page = document(
        await client.get("/timeline?country=KZ&subject=taliban&kind=designation&date_from=2021")
    )
    told = page.one("dl", class_="question").text
    for words in ("Kazakhstan", "Taliban", "Lists and bans", "1 January 2021"):
        assert words in told
    [dropped] = [link for link in page.all("a", class_="drop") if "Country" in link.text]
    assert dropped["href"] == "/timeline?subject=taliban&kind=designation&date_from=2021"


async def test_the_form_has_every_parameter_and_is_filled_in(client: httpx.AsyncClient) -> None:
    question = {
        "country": "Kazakhstan",
        "date_from": "2021",
        "date_to": "2024-12-31",
        "kind": ["recognition", "designation.delist"],
        "sort": "oldest",
    }
    page = document(await client.get("/timeline", params=question))
    fields = [*page.all("input"), *page.all("select")]
    assert {each["name"] for each in fields} == set(EventParameters.model_fields)
    assert page.one("input", id="country", value="Kazakhstan")["type"] == "text"
    # A field for days can't hold a year, which must not be lost.
    assert page.one("input", id="date_from", value="2021")["type"] == "text"
    assert page.one("input", id="date_to", value="2024-12-31")["type"] == "date"
    ticked = [
        box["value"] for box in page.all("input", type="checkbox") if "checked" in box.attributes
    ]
    assert ticked == ["designation.delist", "recognition"]
    chosen = [each["value"] for each in page.all("option") if "selected" in each.attributes]
    assert "oldest" in chosen
    labels = {label["for"] for label in page.all("label") if "for" in label.attributes}
    for each in fields:
        within = [parent for parent in each.parents if parent.tag == "label"]
        assert within or each["id"] in labels or "aria-label" in each.attributes


async def test_what_a_form_sends_blank_is_not_in_the_address_to_share(
    client: httpx.AsyncClient,
) -> None:
    blank = "country=KZ&country=&date_from=&date_to=&sort=&kind=designation.delist&known_at=+"
    response = await client.get(f"/timeline?{blank}")
    assert response.status_code == 307
    assert response.headers["location"] == "/timeline?country=KZ&kind=designation.delist"
    page = document(await client.get(response.headers["location"]))
    assert ids(page) == ["kz-taliban-delisting-2023"]
    # An unknown one is likely misspelt.
    assert "contry" in document(await client.get("/timeline?contry="), 422).one("main").text


async def test_every_way_to_take_it_away_answers_the_same_question(
    client: httpx.AsyncClient,
) -> None:
    asked = "/timeline?country=KZ&sort=oldest&limit=3&date_from=2021"
    page = document(await client.get(asked))
    offered = [link for link in page.all("a", href="/v1/events") if link.text]
    assert [link.text for link in offered] == [
        "Excel", "CSV", "JSON", "Feed", "Calendar", "TimelineJS",
    ]  # fmt: skip
    for link in [*offered, page.one("link", rel="alternate")]:
        assert parse_qs(urlsplit(link["href"]).query) == {
            "country": ["KZ"],
            "sort": ["oldest"],
            "date_from": ["2021"],
        }
        assert (await client.get(link["href"])).status_code == 200


REFUSED = {
    "country=Kazahkstan": ("country", "Kazakhstan", "/timeline?country=Kazakhstan"),
    "country=Congo": ("country", "DR Congo", "/timeline?country=CD"),
    "country=Taliban": ("country", "taliban", "/timeline?party=taliban"),
    "contry=KZ": (None, "country", "/timeline?country=KZ"),
    "country=KZ&status=propsed": ("status", "proposed", "/timeline?country=KZ&status=proposed"),
    "date_from=2024-13": ("date_from", None, None),
    "date_from=2024&date_to=2023": ("date_to", None, None),
    "known_at=2999-01-01": ("known_at", None, None),
    "sort=newest&sort=oldest": ("sort", None, None),
    "knowledge=announced": ("knowledge", None, None),
    "embed=yes": (None, "1", "/timeline?embed=1"),
    "cursor=nonsense": (None, None, None),
    "limit=500": (None, None, None),
    "q=%21%21": ("q", None, None),
    "sort=relevance": ("sort", None, None),
}


@pytest.mark.parametrize("query", REFUSED)
async def test_what_is_not_understood_is_told_beside_its_field(
    client: httpx.AsyncClient, query: str
) -> None:
    name, meant, address = REFUSED[query]
    response = await client.get(f"/timeline?{query}")
    page = document(response, 422)
    problem = (await client.get(f"/v1/events?{query}")).json() if "embed" not in query else None
    summary = without_clock(page.one("section", class_="faults").text)
    for fault in problem["errors"] if problem else ():
        assert without_clock(fault["message"]) in summary
    if name:
        beside = page.all("p", id=f"fault-{name}-1")
        assert len(beside) == 1
        described = [
            e
            for e in page.elements
            if f"fault-{name}-1" in e.attributes.get("aria-describedby", "")
        ]
        assert described or name == "status"
    if address:
        assert next(link.text for link in page.all("a", href=address)) == meant
        assert (await client.get(address)).status_code == 200
    for sent, values in parse_qs(query).items():
        if name == sent and sent not in ("sort", "knowledge", "status"):
            assert page.all("input", name=sent, value=values[0])


def without_clock(text: str) -> str:
    """Return a message without the time of asking, which the two requests need not share."""
    return re.sub("[0-9]{2}:[0-9]{2}:[0-9.]+Z", "now", text)


async def test_nothing_found_says_what_to_try(client: httpx.AsyncClient) -> None:
    page = document(await client.get("/timeline?country=KZ&regime=US-SST"))
    assert page.one("h2", id="found-heading").text == "No event matches"
    assert "Take something out" in page.one("section", class_="found").text
    assert not page.all("a", href="/v1/events.xlsx")


FACETS = {
    "family": "kind",
    "kind": "kind",
    "status": "status",
    "verification": "verification",
    "direction": "direction",
    "regime": "regime",
}


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"country": "RU", "status": "in_effect"},
        {"kind": "designation", "status": ["in_effect", "proposed"], "direction": "easing"},
        {"q": "embassy", "regime": "RU-UFL"},
    ],
    ids=str,
)
async def test_a_choice_says_how_many_events_it_would_find(
    client: httpx.AsyncClient, question: dict[str, Any]
) -> None:
    page = document(await client.get("/timeline", params=question))
    told = {
        (box["name"], box["value"]): int(box.parents[-1].text.removesuffix(" events").split()[-1])
        for box in page.all("input", type="checkbox")
    }
    known = {}
    for facet, name in FACETS.items():
        others = {other: value for other, value in question.items() if other != name}
        counted = await client.get("/v1/facets", params=others | {"by": facet})
        for each in counted.json()["facets"][facet]:
            if each["value"] is not None:
                known[name, each["value"]] = each["count"]
    assert {choice: count for choice, count in told.items() if count} == known


@pytest.mark.parametrize("query", ["", "country=Kazakhstan&date_from=2021&sort=oldest", "limit=2"])
async def test_a_permalink_gives_the_same_list_after_everything_has_changed(
    editor: httpx.AsyncClient, query: str
) -> None:
    first = document(await editor.get(f"/timeline?{query}"))
    second = (
        document(await editor.get(first.all("a", rel="next")[0]["href"]))
        if first.all("a", rel="next")
        else first
    )
    before = {page.one("section", class_="cite").text: page for page in (first, second)}
    links = [page.all("a", href="known_at=") for page in (first, second)]
    path = "/v1/events/kz-taliban-delisting-2023"
    etag = await seen(editor, "kz-taliban-delisting-2023")
    reason = {"reason": "A test."}
    assert (await editor.post(f"{path}/retract", json=reason, headers=etag)).status_code == 200
    new = facts(dates={"effective": "2026-11-01"}, title="Something new")
    assert (await editor.post("/v1/events", json=new)).status_code == 201
    assert ids(document(await editor.get(f"/timeline?{query}"))) != ids(first)
    for page, [link] in zip((first, second), links, strict=True):
        again = document(await editor.get(link["href"]))
        assert ids(again) == ids(page)
        assert titles(again) == titles(page)
        assert again.one("section", class_="cite").text in before
        event = again.all("a", href="/events/")[0]
        assert "known_at=" in event["href"]


async def test_what_goes_by_announcements_promises_no_lasting_address(
    client: httpx.AsyncClient,
) -> None:
    page = document(await client.get("/timeline?known_at=2024-12-31&knowledge=announced"))
    assert "may still change" in page.one("section", class_="cite").text


async def test_it_is_kept_and_asked_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/timeline?country=KZ")
    assert first.headers["cache-control"] == "public, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = await client.get("/timeline?country=KZ", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    head = await client.head("/timeline?country=KZ")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]


async def test_a_frame_shows_the_answer_alone_and_leads_out(client: httpx.AsyncClient) -> None:
    response = await client.get("/timeline?country=KZ&embed=1")
    page = document(response)
    assert "frame-ancestors *" in response.headers["content-security-policy"]
    assert not page.all("form")
    assert not page.all("header")
    for link in page.all("a", href="/events/"):
        assert (link["target"], link["rel"]) == ("_blank", "noopener")
    assert ids(page) == ids(document(await client.get("/timeline?country=KZ")))
    whole = await client.get("/timeline?country=KZ")
    assert "frame-ancestors 'none'" in whole.headers["content-security-policy"]


async def test_every_page_says_what_it_covers_and_under_which_terms(
    client: httpx.AsyncClient,
) -> None:
    for path in ("/timeline", "/timeline?embed=1"):
        imprint = document(await client.get(path)).one("footer").text
        for words in ("not everything that has happened", "Found an error?", "CC BY 4.0", "MIT",
                      "no position"):  # fmt: skip
            assert words in imprint


EVERY_CHOICE = (
    "kind=designation&status=proposed&status=in_effect&verification=confirmed&direction=easing"
    "&regime=RU-UFL&measure=ru-ufl-taliban"
)


@pytest.mark.parametrize(
    ("query", "budget"),
    [
        ("", 4),
        ("?country=KZ", 4),
        (f"?{EVERY_CHOICE}", 5),
        ("?country=RU&subject=taliban", 7),
        (f"?subject=taliban&{EVERY_CHOICE}", 7),
        ("?q=taliban", 5),
    ],
)
async def test_a_page_takes_few_statements(
    statements: list[str], timeline_url: str, query: str, budget: int
) -> None:
    async with client_of(timeline_url) as client:
        document(await client.get(f"/timeline{query}"))
        statements.clear()
        await client.get(f"/timeline{query}", headers=bearer("none"))
    # The instant, what the form offers, names in the question, the page, the counts, names in the
    # answer, and what the picture shows of positions.
    asked = [each for each in statements if "set_config" not in each]
    assert 0 < len(asked) <= budget, asked
