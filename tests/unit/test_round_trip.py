"""What is exported can be imported: whatever the texts hold, and as long as they may be."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.formats.asked import Asked
from app.api.formats.csv import Csv
from app.api.formats.event_columns import EVENT_COLUMNS, event_row
from app.domain.cells import split
from app.domain.document import Stamp, insert_parties, render, render_party
from app.domain.event import MAX_ENTRIES, EventFacts
from app.domain.rows import Form, Row, rows

NOW = datetime(2026, 11, 23, tzinfo=UTC)
STAMP = Stamp(1, NOW, NOW)
PARTIES = {code: render_party(code, f"{code} | \\", "state", code) for code in ("KZ", "AF")}
ASKED = Asked("events", "https://register.example", "", {})
# What CSV, its lists, spreadsheets or JSON treat differently from other characters.
SPECIAL = [
    "\\",
    "|",
    '"',
    ",",
    ";",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "'",
    "=",
    " ",
    "\u2028",
    "é",
    "😀",
    "a",
]
PIECES = st.lists(st.sampled_from(SPECIAL), min_size=1, max_size=6).map("".join)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Return texts with something to read in them, many of them as long as they may be."""
    lengths = st.sampled_from([1, 2, longest // 2, longest - 1])
    return st.builds(lambda piece, n: "x" + (piece * n)[:n], PIECES, lengths)


LINES = texts(500)
ADDRESSES = texts(2_000).map(
    lambda text: "https://example.org/" + "".join(c for c in text if c not in " \t\r\n\u2028")
)
SOURCES = st.fixed_dictionaries(
    {"url": ADDRESSES},
    optional={
        "title": LINES,
        "publisher": LINES,
        "quote": texts(2_000),
        "language": st.just("en"),
        "published": st.just("2024-05"),
        "archived": ADDRESSES,
    },
)
PARTICIPANTS = st.fixed_dictionaries(
    {"party": st.sampled_from(sorted(PARTIES)), "role": st.just("actor")},
    optional={"organ": LINES, "person": LINES},
)


def repeated(entries: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    few = st.lists(entries, min_size=1, max_size=3)
    return st.builds(lambda some, n: (some * n)[:n], few, st.sampled_from([1, 2, MAX_ENTRIES]))


FACTS = st.fixed_dictionaries(
    {
        "kind": st.just("designation.list"),
        "status": st.just("in_effect"),
        "verification": st.just("confirmed"),
        "title": LINES,
        "summary": st.just("") | texts(20_000),
        "dates": st.just({"effective": "2024-05-01", "announced": "2024~"}),
        "participants": repeated(PARTICIPANTS),
        "sources": repeated(SOURCES),
    },
    optional={"place": LINES, "measure": st.just("a-measure"), "regime": st.just("KZ-NLTO")},
)


def exported(facts: EventFacts) -> tuple[bytes, bytes]:
    """Return the event as a CSV file and as JSON Lines."""
    document = insert_parties(render("an-event", facts, STAMP), PARTIES.__getitem__)
    table = Csv(EVENT_COLUMNS)
    lines = table.begin() + table.write([event_row(ASKED, document)]) + table.end()
    return lines.encode(), f"{document}\n".encode()


def imported(file: bytes, form: Form) -> Row:
    (row,) = rows(io.BytesIO(file), form)
    return row


@settings(max_examples=40)
@given(FACTS)
def test_whatever_is_exported_is_imported_unchanged(stated: dict[str, Any]) -> None:
    facts = EventFacts.model_validate(stated)
    table, lines = exported(facts)
    for row in (imported(table, Form.CSV), imported(lines, Form.JSON_LINES)):
        assert row.faults == ()
        assert (row.id, row.facts) == ("an-event", facts)


@pytest.mark.parametrize("character", SPECIAL)
def test_an_event_at_every_limit_is_imported_unchanged(character: str) -> None:
    def text(length: int) -> str:
        return "x" + (character * length)[: length - 1]

    unseen = character.isspace()
    address = "https://example.org/" + ("é" if unseen else character) * 2_028
    source = {
        "url": address,
        "title": text(500),
        "publisher": text(500),
        "quote": text(2_000),
        "archived": address,
    }
    participant = {"party": "KZ", "role": "actor", "organ": text(500), "person": text(500)}
    facts = EventFacts.model_validate(
        {
            "kind": "designation.list",
            "status": "in_effect",
            "verification": "confirmed",
            "title": text(500),
            "summary": text(20_000),
            "place": text(500),
            "dates": {"effective": "2024-05-01"},
            "participants": [participant] * MAX_ENTRIES,
            "relations": [{"type": "cites", "event": "a" * 100}] * MAX_ENTRIES,
            "sources": [source] * MAX_ENTRIES,
        }
    )
    table, lines = exported(facts)
    for row in (imported(table, Form.CSV), imported(lines, Form.JSON_LINES)):
        assert row.faults == ()
        assert row.facts == facts


def test_more_entries_than_may_be_are_refused_before_they_are_read() -> None:
    header = "id,participants.party,participants.role"
    file = f"{header}\none,{'|' * 1_000_000},{'|' * 1_000_000}\n".encode()
    row = imported(file, Form.CSV)
    assert [fault.code for fault in row.faults] == ["too_many_entries"] * 2
    assert "1,000,001 entries" in row.faults[0].message


@given(st.text(alphabet="\\|ab\n", max_size=40))
def test_a_cell_is_split_as_it_is_described(cell: str) -> None:
    entries, place = [""], 0
    while place < len(cell):
        if cell[place : place + 2] in ("\\|", "\\\\"):
            place += 1
            entries[-1] += cell[place]
        elif cell[place] == "|":
            entries.append("")
        else:
            entries[-1] += cell[place]
        place += 1
    assert split(cell) == entries
