"""Feeds, calendars and timelines, read back with the programs that people read them with."""

import json
import re
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import feedparser
import httpx
import pytest
from icalendar import Calendar

from app.api.routes import exports
from app.domain.dates import known_day
from app.domain.dates_in_words import date_in_words
from tests.support.client import client_of
from tests.support.editing import seen
from tests.support.hostile import TEXTS
from tests.support.pages import items_of

HOST = "http://register.example"


async def feed_of(client: httpx.AsyncClient, query: str = "") -> Any:
    response = await client.get(f"/v1/events.atom{query}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/atom+xml"
    assert "content-disposition" not in response.headers
    feed = feedparser.parse(response.content)
    assert not feed.bozo, feed.bozo_exception
    assert feed.version == "atom10"
    return feed


def calendar_of(content: bytes) -> Any:
    return Calendar.from_ical(content)


async def test_a_feed_carries_the_facts_of_the_documents(client: httpx.AsyncClient) -> None:
    feed = await feed_of(client, "?country=Russia")
    items = await items_of(client, country="RU", sort="recently_updated")
    assert [entry.id for entry in feed.entries] == [f"urn:chancery:event:{i['id']}" for i in items]
    for entry, item in zip(feed.entries, items, strict=True):
        assert (entry.title, entry.updated) == (item["title"], item["updated_at"])
        assert entry.published == item["recorded_at"]
        assert entry.link == f"{HOST}/events/{item['id']}"
        said = entry.content[0].value
        assert item["summary"] in said
        assert date_in_words(item["date"]) in said
        via = [link.href for link in entry.links if link.rel == "via"]
        assert via == [source["url"] for source in item["sources"] if source["url"]]


async def test_a_feed_says_what_it_is(client: httpx.AsyncClient) -> None:
    query = "?country=Kazakhstan&kind=designation"
    feed = (await feed_of(client, query)).feed
    assert feed.title == "Events: country KZ; kind designation"
    assert feed.author == "chancery"
    assert "CC BY 4.0" in feed.rights
    links = {link.rel: link.href for link in feed.links}
    assert links["self"] == f"{HOST}/v1/events.atom{query}"
    assert (await client.get(links["alternate"])).status_code == 200


async def test_a_feed_has_the_newest(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = (await feed_of(client, "?sort=newest")).entries
    assert len(every) == min(200, len(await items_of(client)))
    monkeypatch.setattr(exports, "MAX_ENTRIES", 7)
    for sort in ("", "?sort=oldest"):
        feed = await feed_of(client, sort)
        updated = [entry.updated for entry in feed.entries]
        assert len(updated) == 7
        assert updated == sorted(updated, reverse=True)
        assert feed.feed.updated == updated[0]


async def test_a_reader_that_has_the_feed_is_told_so(client: httpx.AsyncClient) -> None:
    for query in ("?country=KZ", "?country=FJ"):
        first = await client.get(f"/v1/events.atom{query}")
        known = {"If-None-Match": first.headers["etag"]}
        assert (await client.get(f"/v1/events.atom{query}", headers=known)).status_code == 304


async def test_a_corrected_event_comes_up_and_a_retracted_one_goes(
    editor: httpx.AsyncClient,
) -> None:
    event, address = "kz-taliban-delisting-2023", "/v1/events/kz-taliban-delisting-2023"
    before = (await editor.get("/v1/events.atom")).headers["etag"]
    changed = await editor.patch(address, json={"title": "New"}, headers=await seen(editor, event))
    assert changed.status_code == 200, changed.text
    feed = await feed_of(editor)
    assert (feed.entries[0].id, feed.entries[0].title) == (f"urn:chancery:event:{event}", "New")
    await editor.post(
        f"{address}/retract", json={"reason": "Wrong."}, headers=await seen(editor, event)
    )
    assert event not in (await editor.get("/v1/events.atom")).text
    assert (await editor.get("/v1/events.atom")).headers["etag"] != before


async def test_hostile_texts_are_texts_in_a_feed(hostile: str) -> None:
    async with client_of(hostile) as client:
        feed = feedparser.parse((await client.get("/v1/events.atom")).content, sanitize_html=False)
    assert not feed.bozo
    titles = {entry.id.rpartition("hostile-")[2]: entry for entry in feed.entries}
    for name, text in TEXTS.items():
        assert titles[name].title.split() == text.split()
        assert titles[name].title_detail.type == "text/plain"


async def test_nothing_found_is_an_empty_feed(client: httpx.AsyncClient) -> None:
    feed = await feed_of(client, "?country=FJ")
    assert feed.entries == []
    assert feed.feed.updated


async def test_a_calendar_has_the_events_whose_day_is_known(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/events.ics")
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    entries = calendar_of(response.content).walk("VEVENT")
    items = [item for item in await items_of(client) if known_day(item["date"])]
    assert len(entries) == len(items) > 50
    for entry, item in zip(entries, items, strict=True):
        day = date.fromisoformat(item["date"])
        assert (entry.start, entry.end) == (day, day + timedelta(days=1))
        assert str(entry["SUMMARY"]) == item["title"]
        assert item["summary"] in str(entry["DESCRIPTION"])
        assert all((source["url"] or "") in entry["DESCRIPTION"] for source in item["sources"])
        assert str(entry["UID"]) == f"{item['id']}@chancery"
        assert str(entry["URL"]) == f"{HOST}/events/{item['id']}"
        updated = datetime.fromisoformat(item["updated_at"]).replace(microsecond=0)
        assert entry["DTSTAMP"].dt == updated


async def test_a_calendar_says_what_is_not_in_it(client: httpx.AsyncClient) -> None:
    calendar = calendar_of((await client.get("/v1/events.ics?country=KZ")).content)
    assert calendar["X-WR-CALNAME"] == "Events: country KZ"
    assert "Only events whose day is known for certain" in calendar["X-WR-CALDESC"]
    assert f"{HOST}/v1/events?country=KZ" in calendar["X-WR-CALDESC"]
    assert calendar.errors == []
    empty = calendar_of((await client.get("/v1/events.ics?country=FJ")).content)
    assert empty.walk("VEVENT") == []


async def test_a_calendars_lines_are_short_and_hold_hostile_texts(hostile: str) -> None:
    async with client_of(hostile) as client:
        content = (await client.get("/v1/events.ics")).content
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 75
    assert not [line for line in lines if b"\n" in line or b"\r" in line or not line.decode()]
    entries = calendar_of(content).walk("VEVENT")
    titles = {str(entry["UID"]): str(entry["SUMMARY"]) for entry in entries}
    for name, text in TEXTS.items():
        assert titles[f"hostile-{name}@chancery"] == text.replace("\r\n", "\n")


class Reader(HTMLParser):
    """What a browser makes of a text that TimelineJS puts into the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"href"}
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_a_timeline_carries_the_facts_of_the_documents(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/events.timelinejs.json")
    assert response.headers["content-type"] == "application/json"
    slides, items = response.json()["events"], await items_of(client)
    assert [slide["unique_id"] for slide in slides] == [item["id"] for item in items]
    for slide, item in zip(slides, items, strict=True):
        assert Reader(slide["text"]["headline"]).text == item["title"]
        assert Reader(slide["text"]["text"]).tags == {"p", "a"}
        assert slide["display_date"] == date_in_words(item["date"])
        written = re.sub("[~?%]", "", item["date"])
        dates = [slide["start_date"], *([slide["end_date"]] if "end_date" in slide else [])]
        said = ["-".join(f"{part:02}" for part in each.values()) for each in dates]
        assert said == [end for end in written.split("/") if end not in ("", "..")]
        urls = [source["url"] for source in item["sources"] if source["url"]]
        assert slide.get("media", {}).get("url") == (urls[0] if urls else None)


async def test_a_timeline_is_given_no_html_but_its_own(hostile: str) -> None:
    async with client_of(hostile) as client:
        slides = (await client.get("/v1/events.timelinejs.json")).json()["events"]
    for slide in slides:
        text = TEXTS[slide["unique_id"].removeprefix("hostile-")]
        headline, told = Reader(slide["text"]["headline"]), Reader(slide["text"]["text"])
        assert (headline.text, headline.tags) == (text, set())
        assert told.tags == {"p", "a"}
        assert Reader(slide["media"]["caption"]).text == text
        assert slide["group"] == "Namibia"


async def test_nothing_found_is_an_empty_timeline(client: httpx.AsyncClient) -> None:
    timeline = json.loads((await client.get("/v1/events.timelinejs.json?country=FJ")).content)
    assert timeline["events"] == []
    assert timeline["title"]["text"]["headline"] == "Events: country FJ"


async def test_a_link_leads_to_what_was_known_then(client: httpx.AsyncClient) -> None:
    now = (await client.get("/v1/events?limit=1")).json()["items"][0]["updated_at"]
    slides = (await client.get("/v1/events.timelinejs.json", params={"known_at": now})).json()
    (link,) = re.findall('href="([^"]+)"', slides["events"][0]["text"]["text"])
    assert "?known_at=" in link
    answer = await client.get(link.replace("&amp;", "&"))
    assert f"<code>{slides['events'][0]['unique_id']}</code>" in answer.text
