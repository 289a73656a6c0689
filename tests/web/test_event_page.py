"""Events and dossiers as pages: everything that is known, its history, and what became of it."""

import json
from typing import Any

import httpx
import pytest

from app.domain.labels import word_lists
from app.domain.vocabulary import RelationType
from app.web import event_page
from app.web.words import RELATION_TURNED_ROUND, turned_round
from tests.support.client import client_of
from tests.support.editing import seen
from tests.support.factories import SOURCE, facts
from tests.support.hostile import TEXTS
from tests.support.html import Document, document

DELISTING = "kz-taliban-delisting-2023"
BILL = "ru-suspension-bill-adopted-2024"
LAW = "ru-suspension-law-2024"


def facts_told(page: Document) -> dict[str, str]:
    """Return the list of what is known, heading by heading."""
    terms = [element for element in page.elements if element.tag in ("dt", "dd")]
    told: dict[str, str] = {}
    heading = ""
    for element in terms:
        if element.tag == "dt":
            heading = element.text
        else:
            told[heading] = f"{told[heading]} {element.text}" if heading in told else element.text
    return told


async def test_an_event_is_told_whole(client: httpx.AsyncClient) -> None:
    page = document(await client.get(f"/events/{DELISTING}"))
    event = (await client.get(f"/v1/events/{DELISTING}")).json()
    told = facts_told(page)
    assert page.one("h1").text == event["title"]
    assert told["When it was made public"] == "29 December 2023"
    assert told["When it took effect (the event's own date)"] == "December 2023, approximately"
    assert told["List or legal instrument"].startswith("National list of banned terrorist")
    assert told["The one whose standing changes"] == "Taliban"
    assert "Ministry of Foreign Affairs" in told["Decides, acts or speaks"]
    cited = [link["href"] for link in page.all("a", rel="nofollow")]
    assert cited == [each["url"] for each in event["sources"] if each["url"]]
    assert [a.text for a in page.all("a", href="/v1/")] == ["JSON", "history as JSON"]


async def test_what_it_bears_on_is_linked_by_title(client: httpx.AsyncClient) -> None:
    page = document(await client.get(f"/events/{BILL}"))
    event = (await client.get(f"/v1/events/{BILL}")).json()
    for relation in event["relations"]:
        other = (await client.get(f"/v1/events/{relation['event']}")).json()
        assert other["title"] in [link.text for link in page.all("a", href=f"/{other['id']}")]
    assert "Is the next step after it" in facts_told(page)
    dossier = (await client.get(f"/v1/measures/{LAW}")).json()
    steps = page.one("ol", class_="steps").text
    assert all(each["title"] in steps for each in dossier["events"])
    assert page.one("li", **{"aria-current": "true"}).text.endswith(event["title"])


async def test_what_bears_on_it_is_linked_too(client: httpx.AsyncClient) -> None:
    events = [json.loads(line) for line in (await client.get("/v1/events.jsonl")).text.splitlines()]
    titles = {event["id"]: event["title"] for event in events}
    turned = [
        (each["event"], RELATION_TURNED_ROUND[each["type"]], event["title"])
        for event in events
        for each in event["relations"]
    ]
    assert len(turned) > 20
    for id_, heading, title in turned[:20]:
        page = document(await client.get(f"/events/{id_}"))
        assert page.one("h1").text == titles[id_]
        assert title in facts_told(page)[heading]


async def test_only_the_newest_that_bear_on_it_are_listed_and_as_they_were_known(
    editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_page, "MOST_CITING", 2)
    relation = {"type": "announces", "event": DELISTING}
    for n in (1, 2, 3):
        new = facts(title=f"Number {n}", dates={"occurred": f"2025-01-0{n}"}, relations=[relation])
        assert (await editor.put(f"/v1/events/number-{n}", json=new)).status_code == 201
    page = document(await editor.get(f"/events/{DELISTING}"))
    told = facts_told(page)["Is announced by"]
    assert "Number 3" in told
    assert "Number 2" in told
    assert "Number 1" not in told
    count = len(
        [
            event
            for event in map(json.loads, (await editor.get("/v1/events.jsonl")).text.splitlines())
            if DELISTING in [each["event"] for each in event["relations"]]
        ]
    )
    assert f"The newest 2 of {count} events" in page.one("article").text
    then = (await editor.get("/v1/events/number-3")).json()["updated_at"]
    changed = await editor.patch(
        "/v1/events/number-3", json={"relations": []}, headers=await seen(editor, "number-3")
    )
    assert changed.status_code == 200
    assert "Number 3" not in document(await editor.get(f"/events/{DELISTING}")).one("article").text
    past = document(await editor.get(f"/events/{DELISTING}?known_at={then}"))
    assert "Number 3" in facts_told(past)["Is announced by"]


def test_every_relation_has_words_for_the_other_side() -> None:
    assert set(RELATION_TURNED_ROUND) == set(RelationType)
    assert turned_round("something_newer") == "something_newer"


async def test_a_dossier_has_its_events_in_order_and_the_stage(client: httpx.AsyncClient) -> None:
    page = document(await client.get(f"/measures/{LAW}"))
    dossier = (await client.get(f"/v1/measures/{LAW}")).json()
    assert [each.text for each in page.all("h3")] == [e["title"] for e in dossier["events"]]
    told = facts_told(page)
    assert told["Stage reached"] == "In effect"
    assert told["Days"].startswith("from ")
    assert told["In the timeline"] == f"{dossier['count']} events"


@pytest.mark.parametrize("path", ["/events/nonsense", "/events/%3Cscript%3E", "/measures/nonsense"])
async def test_what_is_not_there_leads_on(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    page = document(response, 404)
    assert page.one("h1").text == "There is nothing here"
    assert page.all("a", href="/timeline")
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [f"/events/{DELISTING}", f"/measures/{LAW}"])
async def test_what_is_misspelt_is_refused_on_a_page(client: httpx.AsyncClient, path: str) -> None:
    page = document(await client.get(f"{path}?knwn_at=2024"), 422)
    assert "known_at" in page.one("article").text


@pytest.mark.parametrize("path", [f"/events/{DELISTING}", f"/measures/{LAW}"])
async def test_a_page_is_kept_and_asked_again(client: httpx.AsyncClient, path: str) -> None:
    first = await client.get(path)
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(path, headers=known)).status_code == 304
    head = await client.head(path)
    assert (head.status_code, head.headers["etag"]) == (200, first.headers["etag"])


async def correct(editor: httpx.AsyncClient, change: dict[str, Any]) -> None:
    headers = await seen(editor, DELISTING)
    answer = await editor.patch(f"/v1/events/{DELISTING}", json=change, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_the_history_says_what_was_changed_by_whom_and_why(
    editor: httpx.AsyncClient,
) -> None:
    before = (await editor.get(f"/v1/events/{DELISTING}")).json()
    change = {
        "title": "Another title",
        "summary": "Another summary.",
        "verification": "reported",
        "place": "Astana",
        "dates": {"announced": None, "occurred": "2023-12-30"},
        "sources": [*before["sources"][1:], SOURCE],
        "participants": before["participants"][::-1],
        "note": "A page was found.",
    }
    await correct(editor, change)
    page = document(await editor.get(f"/events/{DELISTING}"))
    newest, oldest = (page.one("li", value=str(number)) for number in (2, 1))
    assert newest.text.startswith("Corrected by an editor")
    assert "A page was found." in newest.text
    assert oldest.text.startswith("Recorded by sample timeline")
    levels = word_lists()["verification"].words
    confirmed, reported = levels["confirmed"], levels["reported"]
    changes = [item.text for item in page.all("li") if newest in item.parents]
    assert changes == [
        f"Title: {before['title']} Another title",
        "Place: Astana",
        f"How well it is attested: {confirmed} {reported}",
        "When it happened: 30 December 2023",
        "When it was made public: 29 December 2023",
        "Those who take part: put into another order",
        "Sources: 1 taken out, 1 added",
        "The summary was rewritten",
    ]


async def test_a_permalink_shows_the_event_as_it_was(editor: httpx.AsyncClient) -> None:
    before = document(await editor.get(f"/events/{DELISTING}"))
    link = before.one("a", href="known_at=")["href"]
    await correct(editor, {"title": "Another title"})
    now = document(await editor.get(f"/events/{DELISTING}"))
    then = document(await editor.get(link))
    assert now.one("h1").text == "Another title"
    assert then.one("h1").text == before.one("h1").text
    assert [each.text for each in then.all("h2")] == [each.text for each in before.all("h2")]
    assert len(then.all("li", value="")) < len(now.all("li", value=""))
    dossier = before.all("a", href="/measures/")[0]["href"]
    old = document(await editor.get(f"{dossier}?{link.partition('?')[2]}"))
    assert before.one("h1").text in [each.text for each in old.all("h3")]


async def test_a_retracted_event_says_when_and_why(editor: httpx.AsyncClient) -> None:
    link = document(await editor.get(f"/events/{DELISTING}")).one("a", href="known_at=")["href"]
    headers = await seen(editor, DELISTING)
    body = {"reason": "It was <b>another</b> list."}
    await editor.post(f"/v1/events/{DELISTING}/retract", json=body, headers=headers)
    page = document(await editor.get(f"/events/{DELISTING}"), 410)
    assert page.one("h1").text == "This event was retracted"
    assert body["reason"] in page.one("article").text
    assert "Retracted by an editor" in page.one("ol", class_="history").text
    assert (await editor.get(link)).status_code == 200
    # A dossier without events is no dossier, but the others of it are still one.
    assert document(await editor.get("/measures/kz-nlto-taliban"))


async def test_a_merged_event_leads_to_its_survivor(editor: httpx.AsyncClient) -> None:
    headers = await seen(editor, DELISTING)
    body = {"into": BILL}
    await editor.post(f"/v1/events/{DELISTING}/merge", json=body, headers=headers)
    response = await editor.get(f"/events/{DELISTING}")
    assert (response.status_code, response.headers["location"]) == (308, f"/events/{BILL}")


async def test_the_latest_words_of_what_was_announced_have_no_lasting_address(
    client: httpx.AsyncClient,
) -> None:
    page = document(await client.get(f"/events/{BILL}?known_at=2024-12-31&knowledge=announced"))
    assert "may still change" in page.one("section", class_="cite").text
    assert page.all("a", href="knowledge=announced")
    early = await client.get(f"/events/{BILL}?known_at=2020-12-31&knowledge=announced")
    assert early.status_code == 404


async def test_hostile_texts_are_shown_as_texts(hostile: str) -> None:
    async with client_of(hostile) as client:
        pages = [document(await client.get(f"/events/hostile-{name}")) for name in TEXTS]
        listed = document(await client.get("/timeline"))
    for page, text in zip(pages, TEXTS.values(), strict=True):
        assert page.one("h1").text == " ".join(text.split())
        assert not page.all("b")
    assert {each.text for each in listed.all("h3")} == {" ".join(t.split()) for t in TEXTS.values()}


async def test_the_language_of_a_quotation_is_told(editor: httpx.AsyncClient) -> None:
    source = SOURCE | {"quote": "Так было.", "language": "ru", "archived": "https://example.net/a",
                       "accessed": "2026-11-01"}  # fmt: skip
    new = facts(sources=[source, SOURCE])
    created = await editor.post("/v1/events", json=new)
    page = document(await editor.get(f"/events/{created.json()['id']}"))
    assert page.one("blockquote", lang="ru").text == "Так было."
    assert len(page.all("blockquote")) == 2
    assert page.one("a", href="https://example.net/a").text == "Archived copy"


@pytest.mark.parametrize("path", ["/timeline", "/positions?subject=PS", f"/events/{DELISTING}"])
async def test_without_a_database_a_page_says_so(path: str) -> None:
    async with client_of("postgresql://nobody@127.0.0.1:1/none") as client:
        response = await client.get(path)
    page = document(response, 503)
    assert "Try again shortly" in page.one("article").text
    assert response.headers["retry-after"] == "2"
