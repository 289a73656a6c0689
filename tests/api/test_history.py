"""The history of an event, the journal, and answers as of the past, over HTTP."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.commands.chain import link_all
from app.db.engine import Database
from app.db.freshness import LONGEST_S
from app.domain.document import EventDocument, TombstoneDocument
from tests.support.chain import followed, tamper
from tests.support.client import client_of
from tests.support.database import LOADED, execute
from tests.support.editing import KNOWN, OTHER, editor_of, revisions, seen, turbulence
from tests.support.factories import facts
from tests.support.problems import problem_of


def now() -> str:
    return datetime.now(UTC).isoformat()


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> httpx.Response:
    return await client.get(path, params=query, follow_redirects=False)


async def test_each_revision_can_be_read_whole(editor: httpx.AsyncClient) -> None:
    await turbulence(editor)
    path = f"/v1/events/{KNOWN}/revisions"
    listed = await revisions(editor, KNOWN)
    assert [each["revision"] for each in listed] == [1, 2, 3, 4, 5]
    assert [each["action"] for each in listed] == [
        "record",
        "correct",
        "correct",
        "retract",
        "restore",
    ]
    whole = [(await editor.get(f"{path}/{number}")).json() for number in range(1, 6)]
    assert [each.get("document", {}).get("title") for each in whole][1:3] == [
        "First correction",
        "Second correction",
    ]
    for each in whole:
        if each["action"] == "retract":
            assert TombstoneDocument.model_validate(each["tombstone"]).reason == "Doubt."
        else:
            assert EventDocument.model_validate(each["document"]).revision == each["revision"]
    assert listed[2]["changes"] == [
        {"op": "replace", "path": "/title", "value": "Second correction"}
    ]
    assert listed[3]["changes"] == listed[4]["changes"] == []
    assert listed[0]["changes"][0]["path"] == ""
    for number in ("0", "6", "-1", "1.0", "x", "9" * 30):
        problem_of(await editor.get(f"{path}/{number}"), 404)
    problem_of(await editor.get("/v1/events/no-such/revisions"), 404)
    problem_of(await editor.get("/v1/events/no-such/revisions/1"), 404)


async def test_a_history_comes_in_pages(editor: httpx.AsyncClient) -> None:
    await turbulence(editor)
    found, address = [], f"/v1/events/{KNOWN}/revisions?limit=2"
    while address:
        page = (await editor.get(address)).json()
        found += [item["revision"] for item in page["items"]]
        address = page["next"]
    assert found == [5, 4, 3, 2, 1]


async def test_the_past_is_answered_as_it_was(editor: httpx.AsyncClient) -> None:
    paths = [
        f"/v1/events/{KNOWN}",
        f"/v1/events/{OTHER}",
        "/v1/events?country=KZ&limit=200",
        "/v1/events?party=taliban&include=total&sort=oldest&limit=200",
        f"/v1/events/{OTHER}/revisions",
        f"/v1/events/{KNOWN}/revisions/1",
        "/v1/measures?q=kz",
        "/v1/measures/kz-nlto-taliban",
    ]
    before = [(await editor.get(path)).json() for path in paths]
    instant = now()
    await turbulence(editor)
    for path, answer in zip(paths, before, strict=True):
        name, _, query = path.partition("?")
        parameters = dict(httpx.QueryParams(query)) | {"known_at": instant}
        again = (await get(editor, name, **parameters)).json()
        for each in (answer, again):
            each.pop("filter", None)
        assert again == answer, path
        assert (await get(editor, name, **dict(httpx.QueryParams(query)))).json() != answer or (
            "revisions/1" in path
        )


async def test_a_past_walk_is_the_same_walk(editor: httpx.AsyncClient) -> None:
    async def walk(**query: Any) -> list[str]:
        found: list[str] = []
        response = await get(editor, "/v1/events", limit=11, **query)
        while True:
            page = response.json()
            found += [item["id"] for item in page["items"]]
            if page["next"] is None:
                return found
            response = await editor.get(page["next"])

    before, instant = await walk(country="AF"), now()
    await turbulence(editor)
    assert await walk(country="AF", known_at=instant) == before
    assert await walk(country="AF") != before


async def test_before_it_was_recorded_nothing_was_known(editor: httpx.AsyncClient) -> None:
    query = {"known_at": "2020-01-01"}
    page = (await get(editor, "/v1/events", include="total", **query)).json()
    assert (page["items"], page["total"]) == ([], 0)
    assert page["filter"] == {"known_at": "2020-01-01T23:59:59.999999Z"}
    for path in (KNOWN, f"{KNOWN}/revisions", f"{KNOWN}/revisions/1"):
        problem_of(await get(editor, f"/v1/events/{path}", **query), 404)


async def test_a_tombstone_belongs_to_its_time(editor: httpx.AsyncClient) -> None:
    path = f"/v1/events/{KNOWN}"
    live = now()
    await editor.post(f"{path}/retract", json={"reason": "x"}, headers=await seen(editor, KNOWN))
    retracted = now()
    await editor.post(f"{path}/restore", headers=await seen(editor, KNOWN))
    assert (await get(editor, path, known_at=live)).status_code == 200
    assert (await get(editor, path, known_at=retracted)).status_code == 410
    assert (await get(editor, path)).status_code == 200


async def test_what_was_announced_by_then_goes_by_the_worlds_time(
    client: httpx.AsyncClient,
) -> None:
    async def known(day: str) -> list[str]:
        query = {"known_at": day, "knowledge": "announced", "country": "KZ", "limit": 200}
        page = (await get(client, "/v1/events", **query)).json()
        return [item["id"] for item in page["items"]]

    assert KNOWN not in await known("2023-12-28")
    assert KNOWN in await known("2023-12-29")
    assert OTHER in await known("2005-03-15")
    assert OTHER not in await known("2005-03-14")
    single = await get(client, f"/v1/events/{KNOWN}", known_at="2023-12-28", knowledge="announced")
    problem_of(single, 404)


async def test_the_journal_is_complete_and_in_order(editor: httpx.AsyncClient) -> None:
    await turbulence(editor)
    found: list[dict[str, Any]] = []
    address = "/v1/changes?since=0&limit=50"
    while True:
        response = await editor.get(address)
        page = response.json()
        assert response.headers["link"] == f'<{page["next"]}>; rel="next"'
        found += page["items"]
        address = page["next"]
        if not page["items"]:
            break
    assert [each["seq"] for each in found] == list(range(1, page["latest"] + 1))
    assert page["next"].endswith(f"since={page['latest']}&limit=50")
    assert [each["type"] for each in found[:LOADED]].count("event") == 164
    assert [each["action"] for each in found[LOADED:]] == [
        "correct",
        "correct",
        "retract",
        "restore",
        "merge",
        "correct",
    ]
    for each in found:
        gone = each["action"] in ("retract", "merge")
        assert ("tombstone" in each, "document" in each) == (gone, not gone)
    instants = [each["recorded_at"] for each in found]
    assert instants == sorted(set(instants))


async def test_a_reader_that_polls_misses_no_change_and_sees_none_twice(empty_url: str) -> None:
    writers, each = 8, 6
    async with editor_of(empty_url) as editor, client_of(empty_url) as reader:

        async def write(writer: int) -> None:
            for number in range(each):
                sent = await editor.put(f"/v1/events/w-{writer}-{number}", json=facts())
                while sent.status_code == 503:
                    sent = await editor.put(f"/v1/events/w-{writer}-{number}", json=facts())
                assert sent.status_code in (200, 201)

        writing = asyncio.gather(*(write(writer) for writer in range(writers)))
        found: list[str] = []
        address = f"/v1/changes?since={(await reader.get('/v1/changes')).json()['latest']}"
        while not writing.done() or len(found) < writers * each:
            page = (await reader.get(address)).json()
            found += [item["event"] for item in page["items"]]
            address = page["next"]
        await writing
    assert len(found) == len(set(found)) == writers * each


async def test_the_journal_shows_the_head_that_stands_for_all_of_it(
    editor: httpx.AsyncClient, loaded_url: str
) -> None:
    before = await editor.get(f"/v1/changes?since={LOADED - 4}")
    head = before.json()["head"]
    assert head["seq"] == before.json()["latest"] == LOADED
    assert re.fullmatch("[0-9a-f]{64}", head["hash"])
    tag = {"If-None-Match": before.headers["etag"]}
    again = await editor.get(f"/v1/changes?since={LOADED - 4}", headers=tag)
    assert again.status_code == 304
    await turbulence(editor)
    after = await editor.get(f"/v1/changes?since={LOADED - 4}", headers=tag)
    assert after.status_code == 200
    assert after.json()["head"]["seq"] == after.json()["latest"] == LOADED + 6
    async with Database(loaded_url) as database:
        found = await followed(database)
    # Territories, parties, regimes and events, and six changes.
    assert (found.links, found.head.hex()) == (4 + 6, after.json()["head"]["hash"])


async def test_a_head_that_came_without_a_change_is_shown_at_once(
    editor: httpx.AsyncClient, loaded_url: str
) -> None:
    await tamper(loaded_url, "DELETE FROM journal_link")
    before = await editor.get("/v1/changes")
    assert before.json()["head"] is None
    async with Database(loaded_url) as database:
        assert [count async for count in link_all(database)] == [LOADED]
    await asyncio.sleep(LONGEST_S)
    tag = {"If-None-Match": before.headers["etag"]}
    assert (await editor.get("/v1/changes", headers=tag)).json()["head"]["seq"] == LOADED


@pytest.mark.parametrize("query", ["since=-1", "since=x", "since=1&since=2", "limit=0", "sinc=1"])
async def test_the_journal_refuses_what_it_doesnt_know(
    client: httpx.AsyncClient, query: str
) -> None:
    problem_of(await client.get(f"/v1/changes?{query}"), 422)


COMMITS = """
    CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN {what}; RETURN NULL; END $$
"""
TRIGGER = """
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON event_revision
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()
"""


async def recorded(url: str) -> int:
    async with Database(url) as database, database.reading() as connection:
        return await connection.scalar(text("SELECT count(*) FROM event_revision")) or 0


async def test_an_answer_comes_after_the_commit(empty_url: str) -> None:
    await execute(empty_url, COMMITS.format(what="PERFORM pg_sleep(0.4)"), TRIGGER)
    async with editor_of(empty_url) as editor:
        begin = asyncio.get_running_loop().time()
        response = await editor.post("/v1/events", json=facts())
        assert asyncio.get_running_loop().time() - begin >= 0.4
        assert response.status_code == 201
        assert await recorded(empty_url) == 1


async def test_a_commit_that_fails_is_never_answered_with_success(empty_url: str) -> None:
    await execute(empty_url, COMMITS.format(what="RAISE EXCEPTION 'no'"), TRIGGER)
    async with editor_of(empty_url) as editor:
        for write in (
            editor.post("/v1/events", json=facts(), headers={"Idempotency-Key": "k"}),
            editor.put("/v1/events/own", json=facts()),
        ):
            problem_of(await write, 500)
    assert await recorded(empty_url) == 0
