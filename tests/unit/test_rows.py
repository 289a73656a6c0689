"""Rows of imports: JSON Lines and CSV to facts, or to every fault with its line and field."""

import io
import json
from typing import Any

import pytest

from app.api.examples import EVENT
from app.api.statement import event_facts
from app.domain import rows as module
from app.domain.cells import NAMES, join, split, template
from app.domain.errors import MAX_FAULTS
from app.domain.rows import Form, Row, rows
from tests.support.factories import facts

HEADER = (
    "id,kind,status,verification,title,dates.effective,participants.party,participants.role,"
    "sources.url"
)
LINE = "one,designation.list,in_effect,confirmed,A title,2024-05-01,KZ,actor,https://example.org/"


def json_rows(*lines: str | bytes) -> list[Row]:
    joined = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return list(rows(io.BytesIO(joined), Form.JSON_LINES))


def csv_rows(*lines: str, end: str = "\n") -> list[Row]:
    return list(rows(io.BytesIO(end.join(lines).encode()), Form.CSV))


def found(row: Row) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in row.faults]


def test_a_document_that_was_read_can_be_imported_in_both_forms() -> None:
    (from_json,) = json_rows(json.dumps(EVENT))
    (from_csv,) = csv_rows(template(EVENT))
    stated = event_facts({name: value for name, value in EVENT.items() if name != "id"})
    assert from_json.facts == from_csv.facts == stated
    assert from_json.id == from_csv.id == EVENT["id"]
    assert not from_json.faults
    assert not from_csv.faults


def test_derived_columns_are_ignored() -> None:
    (row,) = csv_rows(f"{HEADER},revision,participants.name", f"{LINE},7,Kazakhstan")
    assert not row.faults


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_marks_blank_lines_and_line_ends_are_accepted(mark: str, end: str) -> None:
    (row,) = csv_rows(f"{mark}{HEADER}", "", LINE, "", end=end)
    assert (row.line, row.id, row.faults) == (3, "one", ())
    text = mark + json.dumps({"id": "one", **facts()}) + end + end
    (row,) = rows(io.BytesIO(text.encode()), Form.JSON_LINES)
    assert (row.line, row.id, row.faults) == (1, "one", ())


def test_a_note_is_kept_beside_the_facts() -> None:
    (row,) = json_rows(json.dumps({"id": "one", **facts(), "note": "Why."}))
    assert row.note == "Why."
    (row,) = csv_rows(f"{HEADER},note", f"{LINE},Why.")
    assert row.note == "Why."


def test_entries_of_lists_belong_together() -> None:
    header = HEADER.replace("participants.role", "participants.role,participants.organ")
    line = LINE.replace("KZ,actor", "KZ|AF|taliban,actor|subject|subject,A \\| B||")
    (row,) = csv_rows(header, line)
    assert row.facts is not None
    stated = [(each.party, each.role, each.organ) for each in row.facts.participants]
    assert stated == [
        ("KZ", "actor", "A | B"),
        ("AF", "subject", None),
        ("taliban", "subject", None),
    ]


def test_uneven_lists_are_refused_rather_than_guessed() -> None:
    (row,) = csv_rows(HEADER, LINE.replace("KZ,actor", "KZ|AF,actor"))
    assert found(row) == [("line 2: participants.role", "uneven_entries")]
    assert row.id == "one"


@pytest.mark.parametrize(
    "entries", [["a"], ["a", "b"], ["a|b", "\\"], ["", ""], ["\\|", "|\\", "x\\y"]]
)
def test_what_is_joined_is_split_again(entries: list[str]) -> None:
    assert split(join(entries)) == entries


def test_a_backslash_before_anything_else_stands_for_itself() -> None:
    assert split("a\\b|c\\") == ["a\\b", "c\\"]


def test_a_bar_in_a_single_field_is_a_bar() -> None:
    (row,) = csv_rows(HEADER, LINE.replace("A title", "A | title"))
    assert row.facts is not None
    assert row.facts.title == "A | title"


def test_rows_are_named_by_their_first_line() -> None:
    quoted = LINE.replace("A title", '"A title\nof two lines"')
    wrong = quoted.replace("in_effect", "in-effect")
    first, second = csv_rows(HEADER, quoted, wrong)
    assert (first.line, second.line) == (2, 4)
    assert found(second) == [("line 4: status", "enum")]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", [("line 1", "no_header")]),
        ("kind", [("line 1: id", "missing")]),
        ("id,kind,kind", [("line 1: kind", "column_twice")]),
        ("id,dates.efective", [("line 1: dates.efective", "unknown_column")]),
        ("id,x\ty", [("line 1: x\ufffdy", "unknown_column")]),
        ('id,"kind"x', [("line 1", "no_csv")]),
    ],
)
def test_headers_that_dont_name_the_columns_are_refused(
    header: str, expected: list[tuple[str, str]]
) -> None:
    (row,) = csv_rows(header)
    assert found(row) == expected


def test_of_very_many_unknown_columns_the_first_are_listed() -> None:
    (row,) = csv_rows(",".join(f"column{number}" for number in range(1_000)))
    assert len(row.faults) == MAX_FAULTS


def test_unknown_columns_come_with_suggestions() -> None:
    (row,) = csv_rows("id,dates.efective")
    assert row.faults[0].suggestions[0] == "dates.effective"


def test_rows_of_another_width_are_refused() -> None:
    (row,) = csv_rows(HEADER, f"{LINE},more")
    assert found(row) == [("line 2", "wrong_number_of_cells")]
    assert row.id is None


def test_reading_ends_where_rows_cant_be_told_apart() -> None:
    first, second = csv_rows(HEADER, LINE, 'two,"open', LINE)
    assert not first.faults
    assert found(second) == [("line 4", "no_csv")]
    first, second = rows(
        io.BytesIO(f"{HEADER}\n{LINE}\n".encode() + b"\xff\n" + LINE.encode()), Form.CSV
    )
    assert not first.faults
    assert found(second) == [("line 3", "unreadable_text")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "column 2"),
        ("[]", "no JSON object"),
        ('{"id": "a", "id": "b"}', "twice"),
        ('{"id": NaN}', "NaN"),
        ('{"id": 1e999}', "too large"),
        ('{"id": ' + "9" * 5_000 + "}", "too long"),
        ("[" * 100_000, "too deep"),
    ],
)
def test_lines_that_are_no_json_object_are_refused(line: str, reason: str) -> None:
    (row,) = json_rows(line)
    assert found(row) == [("line 1", "no_json")]
    assert reason in row.faults[0].message


def test_lines_that_are_not_utf_8_are_refused_and_the_others_read() -> None:
    first, second = json_rows(b"\xff", json.dumps({"id": "one", **facts()}))
    assert found(first) == [("line 1", "unreadable_text")]
    assert (second.line, second.faults) == (2, ())


def test_numbers_are_read_as_json_has_them() -> None:
    (row,) = json_rows(json.dumps({"id": "one", **facts(title=1.5)}))
    assert found(row) == [("line 1: title", "string_type")]


def test_a_line_without_end_is_refused_and_the_next_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 2_000)
    good = json.dumps({"id": "one", **facts()})
    first, second = json_rows("x" * 9_000, good)
    assert found(first) == [("line 1", "line_too_long")]
    assert (second.line, second.faults) == (2, ())
    (last,) = json_rows("x" * 9_000)
    assert found(last) == [("line 1", "line_too_long")]


def faulty(**changes: Any) -> Row:
    (row,) = json_rows(json.dumps({"id": "one", **facts(**changes)}))
    return row


def test_all_faults_of_a_row_are_listed() -> None:
    row = faulty(kind="no", title="", dates={"signed": "May"}, surplus=1)
    assert found(row) == [
        ("line 1: kind", "enum"),
        ("line 1: title", "value_error"),
        ("line 1: dates.signed", "value_error"),
        ("line 1: surplus", "extra_forbidden"),
    ]
    assert row.id == "one"


def test_what_only_follows_from_another_fault_is_left_out() -> None:
    row = faulty(participants=[{"party": "KZ", "role": "none"}])
    assert found(row) == [("line 1: participants.0.role", "enum")]
    assert found(faulty(participants=[])) == [("line 1: participants", "too_short")]
    assert found(faulty(participants=["KZ"])) == [("line 1: participants.0", "model_type")]


def test_a_row_that_only_has_an_id_lacks_the_rest() -> None:
    (row,) = json_rows('{"id": "one"}')
    assert ("line 1: participants", "missing") in found(row)


def test_names_that_cant_be_shown_are_not_repeated() -> None:
    assert found(faulty(**{"a\x00": 1})) == [("line 1: a\ufffd", "extra_forbidden")]
    assert found(faulty(**{"x" * 90: 1})) == [(f"line 1: {'x' * 60}…", "extra_forbidden")]


def test_an_id_that_is_none_is_a_fault() -> None:
    (row,) = json_rows(json.dumps({"id": "No Slug", **facts()}))
    assert row.id is None
    assert found(row) == [("line 1: id", "string_pattern_mismatch")]


def test_the_template_has_every_column() -> None:
    text = template(EVENT)
    assert text.startswith("\ufeffid,kind,")
    assert text.splitlines()[0].removeprefix("\ufeff").split(",") == list(NAMES)
