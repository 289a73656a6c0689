"""Excel files, read back with openpyxl."""

import io
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from openpyxl.workbook import Workbook

from app.api.formats import xlsx
from app.api.formats.event_columns import EVENT_COLUMNS
from app.api.routes import exports
from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db.engine import Database
from tests.faults import disk_full
from tests.support.client import client_of
from tests.support.factories import SOURCE, event
from tests.support.hostile import TEXTS
from tests.support.pages import items_of
from tests.support.problems import problem_of

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def opened(client: httpx.AsyncClient, query: str = "") -> Workbook:
    response = await client.get(f"/v1/events.xlsx{query}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == TYPE
    assert int(response.headers["content-length"]) == len(response.content)
    return load_workbook(io.BytesIO(response.content))


def rows_of(book: Workbook) -> list[dict[str, Any]]:
    header, *rows = book["Events"].iter_rows()
    names = [cell.value for cell in header]
    return [dict(zip(names, row, strict=True)) for row in rows]


async def record(url: str, **changes: Any) -> None:
    async with Database(url) as database, database.writing() as connection:
        await record_unseen(connection, [event("an-event", **changes)], Author("a test"))


async def test_a_workbook_carries_the_facts_of_the_documents(client: httpx.AsyncClient) -> None:
    items = await items_of(client)
    book = await opened(client)
    rows = rows_of(book)
    assert len(rows) == len(items) > 100
    for row, item in zip(rows, items, strict=True):
        for name in ("id", "title", "summary", "kind", "status", "recorded_at", "place"):
            assert (row[name].value or "") == (item[name] or "")
        assert row["revision"].value == item["revision"]
        assert row["permalink"].hyperlink.target == row["permalink"].value
        quotes = "|".join(each["quote"] or "" for each in item["sources"])
        assert (row["sources.quote"].value or "") == quotes.strip("|") or "\\" in quotes


async def test_a_cell_is_a_date_only_where_the_day_is_known(client: httpx.AsyncClient) -> None:
    items = await items_of(client)
    kinds = set()
    for row, item in zip(rows_of(await opened(client)), items, strict=True):
        for name, text in {"date": item["date"], **item["dates"]}.items():
            cell = row[name if name == "date" else f"dates.{name}"]
            known = len(text) == len("2024-12-22") and text[-1].isdigit() and "/" not in text
            kinds.add(known)
            assert cell.is_date == known
            assert cell.value == (datetime.fromisoformat(text) if known else text)
        if item["earliest"]:
            assert row["earliest"].value == datetime.fromisoformat(item["earliest"])
    assert kinds == {True, False}


@pytest.mark.parametrize("written", ["1899-12-31", "1900-02-28", "1000-01-01", "2024-12-22~"])
async def test_days_that_excel_cannot_have_are_texts(empty_url: str, written: str) -> None:
    await record(empty_url, dates={"effective": written})
    async with client_of(empty_url) as client:
        (row,) = rows_of(await opened(client))
    assert (row["date"].value, row["date"].data_type) == (written, "s")


async def test_the_first_day_that_excel_has_is_a_date(empty_url: str) -> None:
    await record(empty_url, dates={"effective": "1900-03-01"})
    async with client_of(empty_url) as client:
        (row,) = rows_of(await opened(client))
    assert row["date"].value == datetime(1900, 3, 1)  # noqa: DTZ001 - Excel has no zones.


async def test_nothing_that_was_written_is_a_formula_or_a_link(hostile: str) -> None:
    async with client_of(hostile) as client:
        rows = rows_of(await opened(client))
    assert len(rows) == len(TEXTS)
    for row in rows:
        text = TEXTS[row["id"].value.removeprefix("hostile-")]
        for name in ("title", "place", "first_source.publisher"):
            assert row[name].data_type == "s"
            assert unescape(row[name].value) == text.replace("\r\n", "\n")
            assert row[name].hyperlink is None
        assert row["countries.alpha2"].value == "NA|KZ"
        assert not [cell for cell in row.values() if cell.data_type == "f"]


async def test_the_header_stays_in_view_and_filters(client: httpx.AsyncClient) -> None:
    sheet = (await opened(client))["Events"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert sheet.column_dimensions["B"].width > 40


async def test_the_second_sheet_says_what_the_file_is(client: httpx.AsyncClient) -> None:
    query = "?country=Kazakhstan&date_from=2023&known_at=2026-11-24"
    sheet = (await opened(client, query))["About"]
    said = {row[0].value: row[2].value for row in sheet.iter_rows(max_col=3)}
    assert said["Address"] == f"http://register.example/v1/events.xlsx{query}"
    assert said["  country"] == "KZ"
    assert said["  date_from"] == "2023-01-01"
    assert said["  known_at"] == "2026-11-24T23:59:59.999999Z"
    assert said["Rows"] == "0"
    assert "CC BY 4.0" in said["Licence"]
    assert "quotations remain" in said["Licence"]
    for column in EVENT_COLUMNS:
        assert said[column.name] == column.description


async def test_the_second_sheet_says_how_to_get_the_same_again(client: httpx.AsyncClient) -> None:
    newest = (await client.get("/v1/events?limit=1&sort=recently_updated")).json()["items"][0]
    sheet = (await opened(client, "?country=KZ"))["About"]
    said = {row[0].value: row[2].value for row in sheet.iter_rows(max_col=3)}
    assert said["As of"].startswith(newest["updated_at"])
    _, known_at = said["Again"].split("known_at=")
    again = await opened(client, f"?country=KZ&known_at={known_at.split()[0]}")
    assert [row["id"].value for row in rows_of(again)] == [
        row["id"].value for row in rows_of(await opened(client, "?country=KZ"))
    ]


async def test_nothing_found_is_a_header(client: httpx.AsyncClient) -> None:
    book = await opened(client, "?country=FJ")
    assert rows_of(book) == []
    assert book["Events"].max_column == len(EVENT_COLUMNS)


@pytest.mark.parametrize("query", ["", "?country=KZ", "?known_at=YESTERDAY&knowledge=announced"])
async def test_what_has_no_room_points_to_the_table(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    query = query.replace("YESTERDAY", f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}")
    count = len((await client.get(f"/v1/events.jsonl{query}")).text.splitlines())
    assert count > 3
    monkeypatch.setattr(exports, "MAX_ROWS", count)
    assert (await client.get(f"/v1/events.xlsx{query}")).status_code == 200
    monkeypatch.setattr(exports, "MAX_ROWS", count - 1)
    problem = problem_of(await client.get(f"/v1/events.xlsx{query}"), 422)
    assert problem["errors"][0]["code"] == "too_many_rows"
    (address,) = problem["errors"][0]["suggestions"]
    assert len((await client.get(address)).text.splitlines()) > count


async def test_long_cells_are_cut_and_say_so(empty_url: str) -> None:
    sources = [SOURCE | {"url": f"https://x.example/{n}", "quote": "🇰🇿" * 999} for n in range(20)]
    await record(empty_url, sources=sources)
    async with client_of(empty_url) as client:
        (row,) = rows_of(await opened(client))
    value = row["sources.quote"].value
    assert value.endswith("(cut here: the CSV file has it whole)")
    assert 32_700 < len(value.encode("utf-16-le")) // 2 <= 32_767


async def test_links_that_excel_cannot_have_are_texts(
    client: httpx.AsyncClient, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "_MAX_LINK", 30)
    for row in rows_of(await opened(client, "?country=KZ")):
        assert row["permalink"].hyperlink is None
        assert row["permalink"].value
    monkeypatch.undo()
    monkeypatch.setattr(xlsx, "_MAX_LINKS", 3)
    rows = rows_of(await opened(client, "?country=KZ"))
    assert len([c for row in rows for c in row.values() if c.hyperlink]) == 3
    url = "https://x.example/" + "a" * 2_025
    await record(empty_url, sources=[SOURCE | {"url": f"{url}#{'b' * 4}"}])
    async with client_of(empty_url) as other:
        (row,) = rows_of(await opened(other))
    assert row["first_source.url"].value == f"{url}#bbbb"


async def test_it_leaves_nothing_in_the_folder_for_temporary_files(
    client: httpx.AsyncClient, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    await opened(client)
    problem_of(await client.get("/v1/events.xlsx?country=Congo"), 422)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.skipif(disk_full.why_not() is not None, reason=str(disk_full.why_not()))
async def test_a_disk_without_room_for_the_file_is_named_as_the_reason(
    client: httpx.AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with disk_full.mounted(tmp_path / "disk") as disk:
        disk_full.fill(disk / "filling")
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        for path in ("/v1/events.xlsx", "/v1/positions.xlsx?subject=taliban&as_of=2024-12-31"):
            response = await client.get(path)
            assert problem_of(response, 503)["code"] == "disk-full"
            assert "no room for temporary files" in response.json()["detail"]
            assert int(response.headers["retry-after"]) > 0
        assert (await client.get("/v1/events.csv")).status_code == 200
        (disk / "filling").unlink()
        assert (await client.get("/v1/events.xlsx")).status_code == 200
