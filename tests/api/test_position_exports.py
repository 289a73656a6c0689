"""Files of positions, read back with the programs people read them with."""

import csv
import io
import json
from datetime import UTC, datetime

import httpx
import openpyxl
import pytest

from app.api.formats.position_columns import POSITION_COLUMNS
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import put_party
from app.commands.revise import Author
from app.db.engine import Database
from app.domain.reference import PartyFacts
from tests.support.client import client_of
from tests.support.pages import items_of
from tests.support.problems import problem_of

QUESTION = {"subject": "taliban", "as_of": "2023-12-10"}


def rows_of(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("query", [QUESTION, {"actor": ["US", "RU"]}, QUESTION | {"state": "none"}])
async def test_every_file_carries_what_the_list_has(
    client: httpx.AsyncClient, query: dict[str, str]
) -> None:
    items = await items_of(client, "positions", **query)
    lines = (await client.get("/v1/positions.jsonl", params=query)).text.splitlines()
    assert [json.loads(line) for line in lines] == items
    rows = rows_of(await client.get("/v1/positions.csv", params=query))
    assert len(rows) == len(items)
    for row, item in zip(rows, items, strict=True):
        for name in ("actor", "subject", "dimension", "regime", "state", "certainty", "since"):
            assert row[name] == (item[name] or "")
        for name in ("candidates", "basis", "pending", "upcoming", "unconfirmed"):
            assert row[name] == "|".join(item[name])
    book = openpyxl.load_workbook(
        io.BytesIO((await client.get("/v1/positions.xlsx", params=query)).content)
    )
    head, *body = book["Positions"].iter_rows(values_only=True)
    assert list(head) == [column.name for column in POSITION_COLUMNS]
    states = [dict(zip(head, cells, strict=True))["state"] for cells in body]
    assert states == [item["state"] for item in items]


async def test_a_row_says_in_words_who_stood_where(client: httpx.AsyncClient) -> None:
    rows = rows_of(await client.get("/v1/positions.csv", params=QUESTION))
    (row,) = [row for row in rows if row["regime"] == "KZ-NLTO"]
    assert (row["actor.name"], row["actor.alpha3"]) == ("Kazakhstan", "KAZ")
    assert (row["subject.name"], row["subject.alpha3"]) == ("Taliban", "")
    assert row["state_in_words"] == "On the list or Taken off the list"
    assert row["as_of"] == "2023-12-10"


async def test_names_are_as_they_were(empty_url: str) -> None:
    async with Database(empty_url) as database, client_of(empty_url) as client:
        before_all = datetime.now(UTC).isoformat()
        async with database.writing() as connection:
            await load_timeline(connection, sample(), SAMPLE_AUTHOR)
        then = datetime.now(UTC).isoformat()
        renamed = {"id": "taliban", "kind": "organisation", "name": "Other", "country": "AF"}
        async with database.writing() as connection:
            await put_party(connection, PartyFacts.model_validate(renamed), Author("a test"))
        for known_at, name in (({}, "Other"), ({"known_at": then}, "Taliban")):
            rows = rows_of(await client.get("/v1/positions.csv", params=QUESTION | known_at))
            assert {row["subject.name"] for row in rows} == {name}
        query = QUESTION | {"actor": "KZ", "dimension": "recognition", "known_at": before_all}
        (row,) = rows_of(await client.get("/v1/positions.csv", params=query))
        assert (row["certainty"], row["subject.name"]) == ("unknown", "Taliban")


async def test_a_file_is_not_sent_again_and_is_no_page(client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/positions.csv", params=QUESTION)
    assert "chancery-positions-taliban" in first.headers["content-disposition"]
    tag = {"If-None-Match": first.headers["etag"]}
    assert (await client.get("/v1/positions.csv", params=QUESTION, headers=tag)).status_code == 304
    problem = problem_of(await client.get("/v1/positions.csv?actor=RU&limit=3"), 422)
    assert [fault["field"] for fault in problem["errors"]] == ["limit"]
    problem_of(await client.get("/v1/positions.xlsx"), 422)
