"""Files of events, read back with the programs people read them with."""

import csv
import io
import json
import re
from typing import Any

import httpx
import pandas as pd
import pytest

from app.api.formats.event_columns import EVENT_COLUMNS
from app.commands.import_events import import_events
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.revise import Author
from app.db.engine import Database
from app.domain.cells import ADDED, NAMES, split
from app.domain.rows import Form
from tests.support.client import client_of
from tests.support.editing import seen
from tests.support.hostile import TEXTS
from tests.support.pages import items_of
from tests.support.problems import problem_of

AUTHOR = Author("a test")
ALL = ["csv", "jsonl", "xlsx", "atom", "ics", "timelinejs.json"]


def rows_of(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    text = response.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"country": "RU"},
        {"status": "proposed", "sort": "oldest"},
        {"q": "embassy", "sort": "relevance"},
    ],
)
async def test_json_lines_are_the_documents_as_served(
    client: httpx.AsyncClient, query: dict[str, Any]
) -> None:
    response = await client.get("/v1/events.jsonl", params=query)
    assert response.headers["content-type"] == "application/jsonl"
    lines = response.text.split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == await items_of(client, **query)
    first = json.loads(lines[0])
    assert lines[0] == (await client.get(f"/v1/events/{first['id']}")).text


@pytest.mark.parametrize("knowledge", ["recorded", "announced"])
async def test_the_past_is_as_it_was_known(editor: httpx.AsyncClient, knowledge: str) -> None:
    event = "kz-taliban-delisting-2023"
    before = (await editor.get(f"/v1/events/{event}")).json()
    changed = await editor.patch(
        f"/v1/events/{event}", json={"title": "New"}, headers=await seen(editor, event)
    )
    assert changed.status_code == 200
    past = {"known_at": before["updated_at"], "knowledge": knowledge}
    for query in ({}, {"country": "KZ"}, {"sort": "oldest"}, {"sort": "recently_updated"}):
        items = await items_of(editor, **past, **query)
        lines = (await editor.get("/v1/events.jsonl", params=past | query)).text.splitlines()
        assert [json.loads(line) for line in lines] == items
        rows = rows_of(await editor.get("/v1/events.csv", params=past | query))
        assert [row["title"] for row in rows] == [item["title"] for item in items]
        titles = {item["id"]: item["title"] for item in items}
        assert titles[event] == (before["title"] if knowledge == "recorded" else "New")
        assert "known_at=" in rows[0]["permalink"]


async def test_a_table_carries_the_facts_of_the_documents(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/events.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.content.startswith(b"\xef\xbb\xbfdate,title,")
    items = await items_of(client)
    rows = rows_of(response)
    assert len(rows) == len(items) > 100
    for row, item in zip(rows, items, strict=True):
        for name in ("id", "title", "summary", "date", "kind", "status", "recorded_at"):
            assert row[name] == item[name]
        for name in ("earliest", "latest", "place", "regime", "measure"):
            assert row[name] == (item[name] or "")
        for role in ("actor", "subject"):
            names = [p["name"] for p in item["participants"] if p["role"] == role]
            assert split(row[f"{role}s"]) == (names or [""])
        assert split(row["sources.quote"]) == [each["quote"] or "" for each in item["sources"]]
        assert row["source_count"] == str(len(item["sources"]))
        assert row["first_source.url"] in {source["url"] or "" for source in item["sources"]}
        assert row["permalink"] == f"http://register.example/events/{item['id']}"


async def test_lines_end_as_the_standard_says(client: httpx.AsyncClient) -> None:
    content = (await client.get("/v1/events.csv?country=KZ")).content
    assert content.endswith(b"\r\n")
    outside = b"".join(content.split(b'"')[::2])
    assert outside.count(b"\n") == outside.count(b"\r\n")


async def test_namibia_is_no_missing_value(hostile: str) -> None:
    async with client_of(hostile) as client:
        content = (await client.get("/v1/events.csv?country=NA")).content
    table = pd.read_csv(io.BytesIO(content))
    assert len(table) == len(TEXTS)
    assert set(table["countries.alpha3"]) == {"NAM|KAZ"}
    assert set(table["countries.alpha2"]) == {"NA|KZ"}
    assert set(table["countries"]) == {"Namibia|Kazakhstan"}


async def test_no_cell_of_a_table_is_a_formula(hostile: str) -> None:
    async with client_of(hostile) as client:
        rows = rows_of(await client.get("/v1/events.csv"))
    for row in rows:
        assert not [
            cell
            for cell in row.values()
            if cell.lstrip(" \"'")[:1] in set("=+-@") and not cell.startswith("'")
        ]
        assert row["title"][:1] not in set("=+-@\t\r")
    titles = {row["id"]: row["title"] for row in rows}
    assert titles["hostile-lines"] == TEXTS["lines"]
    assert titles["hostile-formula"] == "'" + TEXTS["formula"]


async def test_a_table_can_be_imported_again(hostile: str) -> None:
    """Every fact is in the table: what is read back is what is there."""
    async with Database(hostile) as database:
        async with database.writing() as connection:
            await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        async with client_of(hostile) as client:
            answer = await client.get("/v1/events.csv")
        file = io.BytesIO(answer.content)
        done = await import_events(database, file, Form.CSV, author=AUTHOR, dry_run=True)
    assert (done.recorded, done.corrected, done.unchanged) == (0, 0, len(rows_of(answer)))
    assert done.unchanged > 100


def test_every_column_is_one_that_an_import_knows() -> None:
    names = [column.name for column in EVENT_COLUMNS]
    assert len(names) == len(set(names))
    assert set(NAMES) - {"note"} <= set(names)
    assert set(ADDED) <= set(names)


@pytest.mark.parametrize("extension", ["csv", "jsonl"])
async def test_nothing_found_is_an_empty_file(client: httpx.AsyncClient, extension: str) -> None:
    response = await client.get(f"/v1/events.{extension}?country=FJ")
    assert response.status_code == 200
    assert len(response.text.splitlines()) == (1 if extension == "csv" else 0)


@pytest.mark.parametrize("extension", ALL)
@pytest.mark.parametrize("parameter", ["limit=50", "cursor=x", "include=total"])
async def test_there_are_no_pages(
    client: httpx.AsyncClient, extension: str, parameter: str
) -> None:
    (fault,) = problem_of(await client.get(f"/v1/events.{extension}?{parameter}"), 422)["errors"]
    assert fault["field"] == parameter.partition("=")[0]
    assert "all events that match" in fault["message"]


@pytest.mark.parametrize("extension", ALL)
async def test_a_filter_that_is_not_understood_begins_no_file(
    client: httpx.AsyncClient, extension: str
) -> None:
    response = await client.get(f"/v1/events.{extension}?country=Congo&status=")
    assert problem_of(response, 422)["errors"][0]["suggestions"] == ["CD", "CG"]
    problem_of(await client.get(f"/v1/events.{extension}?knowledge=recorded"), 422)


@pytest.mark.parametrize("extension", ALL)
async def test_head_is_get_without_the_file(client: httpx.AsyncClient, extension: str) -> None:
    path = f"/v1/events.{extension}?country=KZ"
    # Else each answer would have an id of its own.
    client.headers["X-Request-Id"] = "same"
    got, head = await client.get(path), await client.head(path)
    assert head.content == b""
    # What only the making of the file tells may be left out (RFC 9110, section 9.3.2).
    left_out = got.headers.keys() - head.headers.keys()
    assert left_out <= {"content-length", "content-encoding"}
    assert head.headers.items() <= got.headers.items()


async def test_an_unknown_format_is_not_there(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/v1/events.pdf"), 404)
    problem_of(await client.get("/v1/events/x.csv"), 404)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("country=Kazakhstan", r"chancery-events-KZ-\d{4}-\d\d-\d\d.csv"),
        (
            "kind=designation.delist&date_from=2024",
            r"chancery-events-designation.delist-2024-01-01-\d{4}-\d\d-\d\d.csv",
        ),
        ("known_at=2024-12-31", "chancery-events-known-at-2024-12-31.csv"),
    ],
)
async def test_a_file_is_named_after_the_question(
    client: httpx.AsyncClient, query: str, name: str
) -> None:
    disposition = (await client.get(f"/v1/events.csv?{query}")).headers["content-disposition"]
    assert re.fullmatch(f'attachment; filename="{name}"', disposition)
