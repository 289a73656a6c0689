"""Tags of files: the same state of the register gives the same bytes, and needn't be sent again."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import httpx
import pytest

from app.api.formats import asked
from tests.support.client import client_of
from tests.support.factories import facts
from tests.support.problems import problem_of

FILES = [
    *(f"/v1/events.{each}?country=KZ" for each in ("csv", "xlsx", "jsonl", "ics")),
    "/v1/events.timelinejs.json?country=KZ",
    "/v1/events.atom?country=KZ",
    *(f"/v1/positions.{each}?subject=taliban" for each in ("csv", "xlsx", "jsonl")),
]
STREAMED = [each for each in FILES if "atom" not in each and "positions" not in each]


@pytest.mark.parametrize("path", FILES)
async def test_the_same_state_gives_the_same_file(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    one = await client.get(path)
    later = Mock(now=Mock(return_value=datetime(2030, 1, 1, tzinfo=UTC)))
    monkeypatch.setattr(asked, "datetime", later)
    # What was answered before is kept under the encoding as well.
    other = await client.get(path, headers={"Accept-Encoding": "gzip"})
    assert (one.status_code, one.content) == (200, other.content)
    assert one.headers["etag"] == other.headers["etag"]
    assert one.headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize(
    "past", ["", "&known_at=YESTERDAY", "&known_at=YESTERDAY&knowledge=announced"]
)
@pytest.mark.parametrize("path", FILES)
async def test_who_has_the_file_is_not_sent_it_again(
    client: httpx.AsyncClient, path: str, past: str
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    path += past.replace("YESTERDAY", f"{yesterday:%Y-%m-%d}")
    tag = (await client.get(path)).headers["etag"]
    assert tag.startswith('"')
    for sent in (tag, f'"other", W/{tag}', "*"):
        answer = await client.get(path, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert "accept-encoding" in answer.headers["vary"].lower()
    assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("path", FILES)
async def test_a_write_gives_another_tag(editor: httpx.AsyncClient, path: str) -> None:
    before = (await editor.get(path)).headers["etag"]
    assert (await editor.put("/v1/events/new", json=facts())).status_code == 201
    after = await editor.get(path, headers={"If-None-Match": before})
    if "positions" not in path:
        assert after.status_code == 200
        assert after.headers["etag"] != before


async def test_what_was_recorded_by_then_keeps_its_tag(editor: httpx.AsyncClient) -> None:
    newest = (await editor.get("/v1/events?limit=1&sort=recently_updated")).json()["items"][0]
    path = f"/v1/events.csv?known_at={newest['updated_at']}"
    before = (await editor.get(path)).headers["etag"]
    assert (await editor.put("/v1/events/new", json=facts())).status_code == 201
    assert (await editor.get(path, headers={"If-None-Match": before})).status_code == 304


@pytest.mark.parametrize("path", STREAMED)
async def test_other_questions_and_formats_have_other_tags(
    client: httpx.AsyncClient, path: str
) -> None:
    tags = [(await client.get(f"{path}{more}")).headers["etag"] for more in ("", "&sort=oldest")]
    assert len(set(tags)) == 2
    others = [(await client.get(each)).headers["etag"] for each in FILES if each != path]
    assert tags[0] not in others


@pytest.mark.parametrize("path", STREAMED)
async def test_neither_304_nor_head_reads_an_event(
    timeline_url: str, statements: list[str], path: str
) -> None:
    async with client_of(timeline_url) as client:
        whole = await client.get(path)
        statements.clear()
        tag = {"If-None-Match": whole.headers["etag"]}
        assert (await client.get(path, headers=tag)).status_code == 304
        head = await client.head(path)
        assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-disposition", "cache-control"):
        assert head.headers[name] == whole.headers[name]
    assert not [each for each in statements if "document" in each]


async def test_an_empty_register_has_tags_too(empty_url: str) -> None:
    async with client_of(empty_url) as client:
        one, other = [await client.get("/v1/events.xlsx") for _ in range(2)]
    assert one.content == other.content
    assert one.headers["etag"] == other.headers["etag"]


async def test_head_says_that_a_workbook_has_no_room(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.routes.exports.MAX_ROWS", 1)
    assert (await client.head("/v1/events.xlsx")).status_code == 422
    problem_of(await client.get("/v1/events.xlsx"), 422)
