"""Answers that are given again: the same bytes, and never older than what was written."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.api.metrics.tally import Tally
from app.db.engine import Database
from app.db.freshness import LONGEST_S, Freshness
from app.db.prepared import Prepared
from app.domain.errors import UnavailableError
from app.middleware.response_cache import CacheKey, ResponseCache, StoredResponse
from tests.support.client import client_of
from tests.support.editing import editor_of, seen
from tests.support.factories import facts

PATH = "/v1/events?country=KZ&status="
EVENT = "kz-taliban-delisting-2023"
# Else each request would have an id of its own.
SAME = {"X-Request-Id": "same"}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is kept of the answers from now on."""
    seen: list[object] = []
    store = ResponseCache.store

    def noting(self: ResponseCache, key: CacheKey, response: StoredResponse) -> None:
        seen.append(key)
        store(self, key, response)

    monkeypatch.setattr(ResponseCache, "store", noting)
    return seen


@pytest.fixture
async def two(loaded_url: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """An editor at one worker, and a reader at another one."""
    async with editor_of(loaded_url) as editor, client_of(loaded_url) as reader:
        yield editor, reader


async def rename(editor: httpx.AsyncClient, title: str) -> httpx.Response:
    address = f"/v1/events/{EVENT}"
    response = await editor.patch(address, json={"title": title}, headers=await seen(editor, EVENT))
    assert response.status_code == 200, response.text
    return response


async def title_at(client: httpx.AsyncClient, **headers: str) -> str:
    document = (await client.get(f"/v1/events/{EVENT}", headers=headers)).json()
    return str(document["title"])


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_question_that_is_repeated_asks_the_database_nothing(
    timeline_url: str, statements: list[str], encoding: str
) -> None:
    async with client_of(timeline_url) as client:
        client.headers.update({"Accept-Encoding": encoding, **SAME})
        first = await client.get(PATH)
        statements.clear()
        again = await client.get(PATH)
    assert statements == []
    assert again.content == first.content
    assert again.headers == first.headers
    assert first.headers.get("content-encoding", "identity") == encoding


async def test_who_has_the_answer_is_told_the_same_from_either(client: httpx.AsyncClient) -> None:
    client.headers.update(SAME)
    first = await client.get(PATH)
    for tags in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        known = {"If-None-Match": tags}
        kept = await client.get(PATH, headers=known)
        # The same question at another address, which has been asked only this once.
        asked = await client.get(f"{PATH}&party={'%20' * len(tags)}", headers=known)
        assert kept.status_code == asked.status_code == 304
        assert kept.headers == asked.headers
        assert kept.content == b""
    other = await client.get(PATH, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200
    assert other.content == first.content


async def test_head_is_answered_from_what_is_kept(client: httpx.AsyncClient) -> None:
    client.headers.update(SAME)
    asked = await client.head(PATH)
    first = await client.get(PATH)
    kept = await client.head(PATH)
    assert kept.headers == asked.headers == first.headers
    assert kept.content == b""
    assert (await client.get(PATH)).content == first.content


async def test_another_host_gets_links_of_its_own(client: httpx.AsyncClient) -> None:
    path = "/v1/events?limit=1"
    for host in ("one.example", "two.example", "one.example"):
        response = await client.get(path, headers={"Host": host})
        assert response.json()["next"].startswith(f"http://{host}/")


async def test_another_day_is_another_question(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, kept: list[object]
) -> None:
    await client.get(PATH)
    kept.clear()
    await client.get(PATH)
    assert kept == []
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400)
    await client.get(PATH)
    assert len(kept) == 1


@pytest.mark.parametrize(
    "path", ["/v1/events?contry=KZ", "/v1/events/unknown", "/livez", "/readyz", "/v1/keys"]
)
async def test_nothing_else_is_kept(
    client: httpx.AsyncClient, kept: list[object], path: str
) -> None:
    await client.get(path)
    assert kept == []


async def test_what_an_editor_reads_is_not_kept(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient], kept: list[object]
) -> None:
    assert (await two[0].get(PATH)).status_code == 200
    assert kept == []


async def test_who_writes_sees_it_at_once(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    editor, _ = two
    key = editor.headers.pop("Authorization")
    for number in range(20):
        await title_at(editor)
        editor.headers["Authorization"] = key
        await rename(editor, f"Title {number}")
        del editor.headers["Authorization"]
        assert await title_at(editor) == f"Title {number}"


async def test_who_brings_the_number_of_a_write_sees_it_everywhere(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    editor, reader = two
    for number in range(20):
        await title_at(reader)
        change = (await rename(editor, f"Title {number}")).headers["chancery-change"]
        assert await title_at(reader, **{"Chancery-Change": change}) == f"Title {number}"


async def test_anybody_sees_a_write_within_a_tenth_of_a_second(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    editor, reader = two
    for number in range(5):
        await title_at(reader)
        await rename(editor, f"Title {number}")
        await asyncio.sleep(LONGEST_S)
        assert await title_at(reader) == f"Title {number}"


async def test_each_write_that_changes_something_names_its_change(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor, _ = two
    # What a write names doesn't have to be asked for afterwards.
    monkeypatch.setattr(Database, "glance", pytest.fail)
    party = {"name": "A party", "kind": "organisation", "country": "KZ"}
    row = json.dumps({"id": "imported", **facts()})
    once = {"Idempotency-Key": "once"}
    writes = [
        await editor.post("/v1/events", json=facts(), headers=once),
        await editor.put("/v1/events/an-event", json=facts()),
        await editor.patch(
            "/v1/events/an-event", json={"place": "Kabul"}, headers={"If-Match": "*"}
        ),
        await editor.put("/v1/parties/a-party", json=party),
        await editor.put("/v1/parties/a-party", json=party | {"country": "AF"}),
        await editor.post(
            "/v1/imports", content=row, headers={"Content-Type": "application/jsonl"}
        ),
        await editor.post(
            "/v1/events/an-event/retract", json={"reason": "Doubt."}, headers={"If-Match": "*"}
        ),
    ]
    assert [each.is_success for each in writes] == [True] * len(writes)
    numbers = [int(each.headers["chancery-change"]) for each in writes]
    assert numbers == sorted(set(numbers))
    # Who got no answer gets one by which the write can be seen.
    again = await editor.post("/v1/events", json=facts(), headers=once)
    assert again.content == writes[0].content
    assert int(again.headers["chancery-change"]) >= numbers[0]


async def test_what_changes_nothing_names_no_change(
    two: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    editor, reader = two
    await editor.put("/v1/events/an-event", json=facts())
    nothing = [
        await editor.put("/v1/events/an-event", json=facts()),
        await editor.put("/v1/events/an-event", json=facts(title="Another")),
        await editor.put("/v1/events/other", json={}),
        await editor.post("/v1/imports?dry_run=true", headers={"Content-Type": "text/csv"}),
        await reader.put("/v1/events/an-event", json=facts()),
        await reader.delete("/v1/events/an-event"),
        await reader.options("/v1/events/an-event"),
        await editor.get("/v1/events/an-event"),
    ]
    assert [each.status_code for each in nothing[:6]] == [200, 428, 422, 422, 401, 405]
    assert not [each for each in nothing if "chancery-change" in each.headers]


async def test_a_number_that_is_none_is_no_number(client: httpx.AsyncClient) -> None:
    for number in ("", "-1", "x", "9" * 40, "²"):
        headers = {"Chancery-Change": number.encode()}
        assert (await client.get(PATH, headers=headers)).status_code == 200  # type: ignore[arg-type]
    # A number that no write has given is not waited for.
    assert (await client.get(PATH, headers={"Chancery-Change": "9" * 18})).status_code == 200


async def test_several_lines_of_a_header_are_one_list(client: httpx.AsyncClient) -> None:
    client.headers.update(SAME)
    del client.headers["Accept-Encoding"]
    tag = (await client.get(PATH, headers={"Accept-Encoding": "identity"})).headers["etag"]
    for lines in (
        [("If-None-Match", '"other"'), ("If-None-Match", tag)],
        [("If-None-Match", tag), ("If-None-Match", '"other"')],
        [("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")],
        [("Accept-Encoding", "gzip"), ("Accept-Encoding", "br")],
    ):
        kept = await client.get(PATH, headers=lines)
        kept = await client.get(PATH, headers=lines)
        made = await client.get(PATH, headers=[*lines, ("Authorization", "Bearer nobody")])
        assert (kept.status_code, kept.headers) == (made.status_code, made.headers)
        assert kept.status_code == (304 if lines[0][0] == "If-None-Match" else 200)
        assert kept.headers.get("content-encoding") == (
            "gzip" if lines[0][0] == "Accept-Encoding" else None
        )


async def test_without_the_database_nothing_is_given(
    timeline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of(timeline_url) as client:
        await client.get(PATH)

        def away(*_: object) -> None:
            raise UnavailableError

        monkeypatch.setattr(Database, "glance", away)
        monkeypatch.setattr(Database, "reading", away)
        await asyncio.sleep(LONGEST_S)
        assert (await client.get(PATH)).status_code == 503


@pytest.fixture
def _slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a number be gone by for as long as a busy machine may take to ask for it."""
    monkeypatch.setattr("app.db.freshness.LONGEST_S", 10)


@pytest.mark.usefixtures("_slow_machine")
async def test_whoever_asks_while_it_is_asked_waits_for_one_answer(timeline_url: str) -> None:
    looks = 0
    async with Database(timeline_url) as database:
        freshness = Freshness(database)
        glance = database.glance

        async def counted(prepared: Prepared) -> Any:
            nonlocal looks
            looks += 1
            return await glance(prepared)

        database.glance = counted  # type: ignore[method-assign]
        numbers = await asyncio.gather(*(freshness.current() for _ in range(50)))
        assert len(set(numbers)) == 1
        assert looks <= 2
        async with database.reading() as connection:
            there = await connection.scalar(text("SELECT number FROM change_number"))
        assert numbers[0] == there


async def test_a_number_that_took_long_to_ask_for_is_good_for_who_asked(
    timeline_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.freshness.LONGEST_S", 0)
    async with Database(timeline_url) as database, Freshness(database) as freshness:
        assert await freshness.renewed() is not None
        assert freshness.known() is None


def held(freshness: Freshness) -> asyncio.Event:
    """Make it take until an event is set to look."""
    look, may_look = freshness._look, asyncio.Event()

    async def held_look() -> int | None:
        await may_look.wait()
        return await look()

    freshness._look = held_look  # type: ignore[method-assign]
    return may_look


@pytest.mark.usefixtures("_slow_machine")
async def test_nobody_waits_for_a_number_that_is_renewed_in_time(timeline_url: str) -> None:
    async with Database(timeline_url) as database, Freshness(database) as freshness:
        assert freshness.at_hand() is None
        number = await freshness.current()
        may_look = held(freshness)
        freshness._looked = time.monotonic() - 0.6 * LONGEST_S
        assert freshness.at_hand() in {number, None}
        assert freshness._looking is not None
        assert not freshness._looking.done()
        may_look.set()
        assert await freshness.renewed() == number


def test_what_was_not_asked_for_the_longest_time_goes_first() -> None:
    def entry(size: int) -> StoredResponse:
        return StoredResponse(1, None, [(b"etag", b'"tag"')], b"x" * size)

    async def nothing(*_: object) -> None:
        pass

    tally = Tally()
    cache = ResponseCache(nothing, None, tally, max_bytes=100_000)  # type: ignore[arg-type]
    for number in range(50):
        cache.store((number,), entry(10_000))
        cache.store((number,), entry(20_000))
    assert list(cache._responses) == [(46,), (47,), (48,), (49,)]
    cache.store((50,), entry(200_000))
    assert list(cache._responses) == []
    assert tally.kept_bytes == 0
