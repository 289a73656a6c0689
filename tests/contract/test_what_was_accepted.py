"""Whatever was accepted is kept as it was sent, and can be read in every form that there is.

One stored value that can't be shown would take down every list that it stands in.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import httpx
import pytest
from icalendar import Calendar
from openpyxl import load_workbook

from app.domain.dates import known_day
from app.domain.formulas import as_meant
from tests.support.attacked import Attacked
from tests.support.corpus.accepted import EVENTS, WRITES
from tests.support.corpus.cases import Case

Document = dict[str, Any]
DERIVED = {"direction", "date", "date_basis", "revision", "earliest", "latest", "recorded_at",
           "updated_at", "note", "id"}  # fmt: skip
ONE_VALUE = ("status", "verification", "direction", "kind", "family", "year")


@pytest.fixture(scope="module")
def client(attacked: Attacked) -> Iterator[httpx.Client]:
    """A client of a register that everything was written to which is in order."""
    for case in (*EVENTS, *WRITES):
        answer = attacked.answer(case)
        assert answer is not None
        assert answer.status in case.expected, (case.name, answer.body[:200])
    with httpx.Client(base_url=attacked.address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def items(client: httpx.Client) -> list[Document]:
    """Everything on the list."""
    return pages(client, "/v1/events?limit=100")


def pages(client: httpx.Client, address: str) -> list[Document]:
    """Return everything on a list, page by page."""
    found: list[Document] = []
    following: str | None = address
    while following:
        page = read(client, following).json()
        found += page["items"]
        following = page["next"]
    return found


def read(client: httpx.Client, address: str) -> httpx.Response:
    response = client.get(address)
    assert response.status_code == 200, f"{address}: {response.text[:300]}"
    return response


def stated(case: Case) -> Document:
    body: Document = json.loads(case.sent.partition(b"\r\n\r\n")[2])
    return {name: value for name, value in body.items() if name not in DERIVED}


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: case.name)
def test_an_event_comes_back_as_it_was_sent(client: httpx.Client, case: Case) -> None:
    document = read(client, case.target).json()
    for name, sent in stated(case).items():
        kept = document[name]
        if isinstance(sent, list):
            assert [shared(each, of) for each, of in zip(kept, sent, strict=True)] == sent
        elif isinstance(sent, dict):
            assert shared(kept, sent) == sent
        else:
            assert kept == sent
    newest, *_ = read(client, f"{case.target}/revisions").json()["items"]
    whole = read(client, f"{case.target}/revisions/{newest['revision']}").json()
    assert whole["document"] == document
    assert "<script>alert" not in read(client, case.target.removeprefix("/v1")).text


def shared(kept: Document, sent: Document) -> Document:
    """Return what was sent of a member, as it was kept."""
    return {name: kept[name] for name in sent}


def test_every_list_holds_every_event(client: httpx.Client, items: list[Document]) -> None:
    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids)) > len(EVENTS)
    for sort in ("oldest", "recently_updated"):
        again = pages(client, f"/v1/events?limit=200&sort={sort}")
        assert sorted(item["id"] for item in again) == sorted(ids)
    counted = read(client, "/v1/events?limit=1&include=total&include=facets").json()
    assert counted["total"] == len(ids)
    for facet in ONE_VALUE:
        assert sum(each["count"] for each in counted["facets"][facet]) == len(ids)


def test_the_journal_holds_every_change(client: httpx.Client, items: list[Document]) -> None:
    address, latest = "/v1/changes?since=0&limit=200", None
    found: dict[str, Document] = {}
    while True:
        page = read(client, address).json()
        events = [each for each in page["items"] if each["type"] == "event"]
        found |= {each["event"]: each["document"] for each in events}
        address, latest = page["next"], page["latest"]
        if not page["items"]:
            break
    assert address.endswith(f"since={latest}&limit=200")
    assert found == {item["id"]: item for item in items}


def test_tables_hold_every_event(client: httpx.Client, items: list[Document]) -> None:
    text = read(client, "/v1/events.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert [(row["id"], as_meant(row["title"])) for row in rows] == [
        (item["id"], item["title"]) for item in items
    ]
    book = load_workbook(io.BytesIO(read(client, "/v1/events.xlsx").content), read_only=True)
    header, *cells = book["Events"].iter_rows(values_only=True)
    place = header.index("id")
    assert [row[place] for row in cells] == [item["id"] for item in items]
    lines = read(client, "/v1/events.jsonl").content.splitlines()
    assert [json.loads(line) for line in lines] == items


def test_feeds_hold_the_newest_events(client: httpx.Client, items: list[Document]) -> None:
    content = read(client, "/v1/events.atom").content
    feed = feedparser.parse(content)
    assert not feed.bozo
    newest = pages(client, "/v1/events?limit=200&sort=recently_updated")[:200]
    entries = ET.fromstring(content).iter("{http://www.w3.org/2005/Atom}entry")  # noqa: S314
    titles = [entry.findtext("{http://www.w3.org/2005/Atom}title") for entry in entries]
    assert [(t or "").split() for t in titles] == [item["title"].split() for item in newest]
    calendar = Calendar.from_ical(read(client, "/v1/events.ics").content)
    certain = [item["id"] for item in items if known_day(item["date"])]
    assert len(calendar.walk("VEVENT")) == len(certain)
    slides = read(client, "/v1/events.timelinejs.json").json()["events"]
    assert len(slides) == len(items)


def test_every_page_of_the_timeline_is_shown(client: httpx.Client, items: list[Document]) -> None:
    shown, query = 0, "limit=100"
    while query:
        page = read(client, f"/timeline?{query}").text
        assert "<script>alert" not in page
        shown += page.count("<article")
        query = (read(client, f"/v1/events?{query}").json()["next"] or "").partition("?")[2]
    assert shown == len(items)


@pytest.mark.parametrize("of", ["/v1/positions", "/v1/positions/history"])
def test_positions_are_answered(client: httpx.Client, of: str) -> None:
    found = pages(client, f"{of}?actor=KZ&limit=50")
    assert any(each["subject"] == "taliban" for each in found)
    if of == "/v1/positions":
        lines = read(client, "/v1/positions.jsonl?actor=KZ").content.splitlines()
        assert [json.loads(line) for line in lines] == found
        assert len(read(client, "/v1/positions.csv?actor=KZ").text.splitlines()) > len(found)
        assert load_workbook(io.BytesIO(read(client, "/v1/positions.xlsx?actor=KZ").content))
        assert read(client, "/positions?actor=KZ").status_code == 200


@pytest.mark.parametrize("of", ["parties?q=corpus", "regimes?q=corpus", "measures?q=a"])
def test_what_belongs_to_events_is_listed(client: httpx.Client, of: str) -> None:
    listed = pages(client, f"/v1/{of}")
    assert listed
    for each in listed:
        key = each.get("code") or each["id"]
        assert key in read(client, f"/v1/{of.partition('?')[0]}/{key}").text


@pytest.mark.parametrize("by", ["country", "actor", "party", "regime", "measure", "month"])
def test_facets_are_counted(client: httpx.Client, by: str) -> None:
    found = read(client, f"/v1/facets?by={by}").json()
    assert found["facets"][by]
    assert all(each["count"] > 0 for each in found["facets"][by])
