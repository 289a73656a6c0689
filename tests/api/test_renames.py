"""Renaming a party: one revision of it, in constant time, and everything that shows it follows."""

import asyncio
import json
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.commands import appointment, counts, parties
from app.db.connections import WriteConnection
from app.db.engine import Database
from tests.support.chain import followed
from tests.support.editing import KNOWN, editor_of, seen
from tests.support.factories import facts
from tests.support.multiplied import multiply
from tests.support.problems import problem_of
from tests.support.projections import check_rebuild

TALIBAN = {"kind": "organisation", "country": "AF", "aliases": []}


def now() -> str:
    return datetime.now(UTC).isoformat()


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def put_taliban(editor: httpx.AsyncClient, **facts: Any) -> None:
    response = await editor.put("/v1/parties/taliban", json=TALIBAN | facts)
    assert response.status_code == 200, response.text


def members_of(document: Any, party: str) -> dict[str, Any]:
    """Return what a document shows of a party."""
    (found,) = [each for each in document["participants"] if each["party"] == party]
    return {name: found[name] for name in ("name", "kind", "country")}


async def test_a_renamed_party_has_its_name_wherever_it_is_shown(editor: httpx.AsyncClient) -> None:
    name = {"name": "Another name"}
    await put_taliban(editor, **name)
    listed = await get(editor, "/v1/events", party="taliban", limit=200)
    lines = (await editor.get("/v1/events.jsonl", params={"party": "taliban"})).text.splitlines()
    measure = await get(editor, "/v1/measures/kz-nlto-taliban")
    found = await get(editor, "/v1/events", q='"another name"', limit=200)
    single = await get(editor, f"/v1/events/{KNOWN}")
    assert len(listed["items"]) > 10
    for document in (*listed["items"], *map(json.loads, lines), *measure["events"], single):
        assert members_of(document, "taliban")["name"] == "Another name"
    assert [each["id"] for each in found["items"]] == [each["id"] for each in listed["items"]]
    for path in (f"/events/{KNOWN}", "/timeline?party=taliban", "/measures/kz-nlto-taliban"):
        assert "Another name" in (await editor.get(path)).text
    rows = (await editor.get("/v1/events.csv", params={"party": "taliban"})).text
    assert rows.count("Another name") >= len(lines)


async def test_a_rename_costs_no_editor_a_412_and_tells_readers(editor: httpx.AsyncClient) -> None:
    address = f"/v1/events/{KNOWN}"
    before = await editor.get(address)
    await put_taliban(editor, name="Another name")
    after = await editor.get(address, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["revision"] == before.json()["revision"]
    assert after.json()["updated_at"] == before.json()["updated_at"]
    tags = [each.headers["etag"].strip('"').split("-") for each in (before, after)]
    assert tags[0][0] == tags[1][0] == str(before.json()["revision"])
    assert tags[0][1] != tags[1][1]
    match = {"If-Match": before.headers["etag"]}
    corrected = await editor.patch(address, json={"title": "Corrected"}, headers=match)
    assert corrected.status_code == 200, corrected.text
    assert members_of(corrected.json(), "taliban")["name"] == "Another name"
    problem_of(await editor.patch(address, json={"title": "Once more"}, headers=match), 412)


@pytest.mark.parametrize("tag", ['"old"', "3", '"3"', '"x-0a1b2c3d4e5f6071"', '""'])
async def test_a_tag_that_cant_be_ours_is_no_lost_race(editor: httpx.AsyncClient, tag: str) -> None:
    party = TALIBAN | {"name": "Taliban"}
    for path, body in ((f"/v1/events/{KNOWN}", facts()), ("/v1/parties/taliban", party)):
        sent = await editor.put(path, json=body, headers={"If-Match": tag})
        assert problem_of(sent, 400)["code"] == "malformed-header"


async def test_the_journal_tells_of_it_and_names_what_it_affects(editor: httpx.AsyncClient) -> None:
    before = await get(editor, "/v1/changes", limit=1)
    await put_taliban(editor, name="Another name", note="They say so.")
    page = await get(editor, "/v1/changes", since=before["latest"])
    events = (await get(editor, "/v1/events", party="taliban", include="total"))["total"]
    (item,) = page["items"]
    assert item.pop("recorded_at") <= now()
    assert item == {
        "seq": before["latest"] + 1,
        "type": "party",
        "id": "taliban",
        "revision": 2,
        "action": "correct",
        "document": await get(editor, "/v1/parties/taliban"),
        "affects": {"events": events, "filter": "party=taliban"},
    }
    assert page["head"]["seq"] == page["latest"] == before["latest"] + 1
    regime = await get(editor, "/v1/regimes/KZ-NLTO")
    sent = await editor.put("/v1/regimes/KZ-NLTO", json=regime | {"name": "A list"})
    assert sent.status_code == 200, sent.text
    (item,) = (await get(editor, "/v1/changes", since=page["latest"]))["items"]
    assert (item["type"], item["id"], item["revision"]) == ("regime", "KZ-NLTO", 2)
    assert item["document"]["name"] == "A list"
    assert "affects" not in item
    assert "event" not in item


async def test_what_was_read_can_be_sent_back(editor: httpx.AsyncClient) -> None:
    for path in ("/v1/parties/taliban", "/v1/regimes/KZ-NLTO"):
        read = await editor.get(path)
        sent = await editor.put(path, json=read.json(), headers={"If-Match": read.headers["etag"]})
        assert (sent.status_code, sent.json()) == (200, read.json())
        stale = {"If-Match": '"9-0a1b2c3d4e5f6071"'}
        assert problem_of(await editor.put(path, json=read.json(), headers=stale), 412)


async def test_the_past_keeps_the_names_of_its_time(editor: httpx.AsyncClient) -> None:
    moments = []
    for name, country in (("First", "AF"), ("Second", "PK"), ("Third", "AF")):
        await put_taliban(editor, name=name, country=country)
        moments.append((now(), name, country))
    for moment, name, country in moments:
        query = {"party": "taliban", "known_at": moment, "limit": 200}
        listed = (await get(editor, "/v1/events", **query))["items"]
        listed.append(await get(editor, f"/v1/events/{KNOWN}", known_at=moment))
        shown = [members_of(each, "taliban") for each in listed]
        assert all((each["name"], each["country"]) == (name, country) for each in shown)
        inside = await get(editor, "/v1/events", country="PK", **query)
        assert len(inside["items"]) == (len(listed) - 1 if country == "PK" else 1), name


@pytest.mark.parametrize("at_once", [5, 500])
async def test_a_party_moves_to_another_country_as_if_recorded_there(
    editor: httpx.AsyncClient, loaded_url: str, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Under the lock where it takes part in few events, else without it."""
    monkeypatch.setattr(parties, "MOST_AT_ONCE", at_once)
    monkeypatch.setattr(appointment, "SOONEST_S", 1.0)
    then: dict[str, Any] = {"known_at": now()}
    of_country: dict[str, Any] = {"country": "AF", "include": "total", "limit": 200}
    before = await get(editor, "/v1/events", **of_country)
    counted = await get(editor, "/v1/facets", by="country")
    await put_taliban(editor, name="Taliban", country="PK")
    async with Database(loaded_url) as database:
        await check_rebuild(database)
        await followed(database)
    assert (await get(editor, "/v1/events", **of_country))["total"] < before["total"]
    again = await get(editor, "/v1/events", **of_country, **then)
    assert (again["items"], again["total"]) == (before["items"], before["total"])
    counted_again = await get(editor, "/v1/facets", by="country", **then)
    assert counted_again["facets"] == counted["facets"]
    journal = await get(editor, "/v1/changes", since=await latest(editor) - 1)
    assert [each["document"]["country"] for each in journal["items"]] == ["PK"]


async def test_a_party_that_moves_takes_along_what_is_recorded_meanwhile(
    editor: httpx.AsyncClient, loaded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few that those which are there are many, and more than are recorded in a second.
    monkeypatch.setattr(parties, "MOST_AT_ONCE", 15)
    monkeypatch.setattr(appointment, "SOONEST_S", 2.0)
    participants = [{"party": "KZ", "role": "actor"}, {"party": "taliban", "role": "subject"}]
    moving = asyncio.create_task(put_taliban(editor, name="Taliban", country="PK"))
    written = 0
    async with editor_of(loaded_url, "another editor") as other:
        while not moving.done():
            body = facts(participants=participants)
            sent = await other.put(f"/v1/events/meanwhile-{written}", json=body)
            assert sent.status_code in (201, 503)
            written += sent.status_code == 201
            # Nothing of it is seen, or all.
            page = await get(other, "/v1/events", party="taliban", country="PK", include="total")
            assert page["total"] <= 1 or page["total"] > 10
            await asyncio.sleep(0.2)
    await moving
    assert written > 2
    async with Database(loaded_url) as database:
        await check_rebuild(database)


async def test_an_edit_amid_a_party_s_move_is_counted_once(
    editor: httpx.AsyncClient, loaded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parties, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(appointment, "SOONEST_S", 4.0)
    stage_take = counts.stage_take
    edits: list[asyncio.Task[httpx.Response]] = []
    async with editor_of(loaded_url, "another editor") as other:

        async def edited_afterwards(connection: WriteConnection, events: list[str]) -> None:
            await stage_take(connection, events)
            if not edits:
                send = other.patch(
                    f"/v1/events/{events[0]}",
                    json={"verification": "disputed"},
                    headers=await seen(other, events[0]),
                )
                edits.append(asyncio.create_task(send))
                await asyncio.wait(edits, timeout=1)

        monkeypatch.setattr(counts, "stage_take", edited_afterwards)
        await put_taliban(editor, name="Taliban", country="PK")
        assert (await edits[0]).status_code in (200, 503)
    async with Database(loaded_url) as database:
        await check_rebuild(database)


async def test_a_move_waits_for_who_is_changing_an_event(
    editor: httpx.AsyncClient, loaded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parties, "MOST_AT_ONCE", 5)
    async with Database(loaded_url) as database:
        async with database.writing() as other:
            held = "SELECT event FROM event_party WHERE party = 'taliban' LIMIT 1"
            await other.execute(text(f"SELECT FROM event WHERE id = ({held}) FOR UPDATE"))
            moving = asyncio.create_task(put_taliban(editor, name="Taliban", country="PK"))
            await asyncio.wait([moving], timeout=0.5)
            assert not moving.done()
        await moving
    page = await get(editor, "/v1/events", party="taliban", country="AF", include="total")
    assert page["total"] < 10


async def test_a_move_is_put_off_while_too_much_is_left_for_the_lock(
    editor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parties, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(appointment, "SOONEST_S", 0.5)

    async def find_many(connection: WriteConnection, *_: Any) -> list[str]:
        return list(await connection.scalars(text("SELECT id FROM event LIMIT 5")))

    monkeypatch.setattr(parties, "find_unmoved_since", find_many)
    body = TALIBAN | {"name": "Taliban", "country": "PK"}
    answer = await editor.put("/v1/parties/taliban", json=body)
    assert answer.status_code == 503
    assert (await get(editor, "/v1/parties/taliban"))["country"] == "AF"


async def test_a_rename_asks_no_more_of_many_events_than_of_few(
    loaded_url: str, statements: list[str]
) -> None:
    async with editor_of(loaded_url) as editor:
        counts = []
        for name in ("One name", "Another name"):
            statements.clear()
            await put_taliban(editor, name=name)
            counts.append(len(statements))
            assert not any("UPDATE event" in each for each in statements)
            if len(counts) == 1:
                await multiply(loaded_url, 10)
    assert counts[1] <= counts[0] < 30


@pytest.mark.slow
async def test_the_largest_state_is_renamed_while_others_read_and_write(loaded_url: str) -> None:
    await multiply(loaded_url, 300, days=3_000)
    async with editor_of(loaded_url) as editor, editor_of(loaded_url, "another") as other:
        delays: list[float] = []
        is_over = asyncio.Event()

        async def edit() -> None:
            number = 0
            while not is_over.is_set():
                begin = perf_counter()
                sent = await other.put(f"/v1/events/beside-{number}", json=facts())
                assert sent.status_code == 201, sent.text
                delays.append(perf_counter() - begin)
                number += 1

        async def look() -> None:
            while not is_over.is_set():
                begin = perf_counter()
                assert (await other.get("/livez")).status_code == 200
                delays.append(perf_counter() - begin)
                await asyncio.sleep(0.01)

        beside = [asyncio.create_task(edit()), asyncio.create_task(look())]
        # Side by side: the one is in most events, the other in none.
        took: dict[str, list[float]] = {"AF": [], "TV": []}
        for number in range(3):
            for state, seconds in took.items():
                body = {"kind": "state", "country": state, "name": f"Renamed {number}"}
                begin = perf_counter()
                renamed = await editor.put(f"/v1/parties/{state}", json=body)
                seconds.append(perf_counter() - begin)
                assert renamed.status_code == 200
        await asyncio.sleep(1)
        is_over.set()
        await asyncio.gather(*beside)
    assert min(took["AF"]) < 5 * min(took["TV"]) + 0.1
    assert max(delays) < 2


async def latest(client: httpx.AsyncClient) -> int:
    return int((await get(client, "/v1/changes", limit=1))["latest"])
