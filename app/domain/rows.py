"""The rows of an import: from lines of JSON or CSV to facts, or to everything wrong with them.

A file is read line by line, so that its size costs no memory; a fault never ends the reading
unless what follows can't be told apart any more.
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import IO, Any, NoReturn

from pydantic import Field, TypeAdapter, ValidationError

from app.domain.cells import Columns
from app.domain.errors import MAX_FAULTS, Fault, UnknownName
from app.domain.event import EventFacts
from app.domain.stated import own_faults, without_derived
from app.domain.text import Prose, Slug, place_of

# An event whose texts are as long as they may be has about 480,000 characters of up to four bytes,
# and is exported with its parties' names beside them.
MAX_LINE_BYTES = 4_194_304
# Python's own limit is 131,072 characters. In our exports the quotations of all sources are one
# cell, of up to 200,049. Python has one limit for the whole process.
csv.field_size_limit(MAX_LINE_BYTES)
_BOM = b"\xef\xbb\xbf"


class Form(StrEnum):
    """How a file of events is written."""

    JSON_LINES = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: what it states, or what is wrong with it."""

    line: int
    id: str | None
    facts: EventFacts | None = None
    note: str | None = None
    faults: tuple[Fault, ...] = ()


class _Stated(EventFacts):
    """An event under its id, with the reason for stating it."""

    id: Slug
    note: Prose | None = Field(default=None)


_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


class UnreadableError(ValueError):
    """A line can't be read; the message says why."""


def rows(file: IO[bytes], form: Form) -> Iterator[Row]:
    """Return the rows of a file in their order, lazily."""
    return _json_rows(file) if form is Form.JSON_LINES else _csv_rows(file)


def fault_at(
    line: int, field: str, code: str, message: str, *meant: str, unknown: UnknownName | None = None
) -> Fault:
    """Return a fault in a line of the file, and in a field of it if one is named."""
    place = f"line {line}: {field}" if field else f"line {line}"
    return Fault("body", place, code, message, meant, unknown)


def _json_rows(file: IO[bytes]) -> Iterator[Row]:
    for line, text in _lines(file):
        if isinstance(text, Fault):
            yield Row(line, None, faults=(text,))
        elif text.strip():
            yield _json_row(line, text)


def _json_row(line: int, text: str) -> Row:
    try:
        return _row(line, _object(text))
    except json.JSONDecodeError as error:
        reason = f"The line is no JSON: see column {error.colno}."
    except RecursionError:
        reason = "The line is nested too deep."
    except UnreadableError as error:
        reason = str(error)
    except ValueError:
        # Python reads no whole number of more than some thousand digits.
        reason = "The line holds a number that is too long."
    return Row(line, None, faults=(fault_at(line, "", "no_json", reason),))


def _object(text: str) -> dict[str, Any]:
    """Return the one JSON object in a line, if all who read JSON read it alike (RFC 7493)."""
    body = json.loads(
        text, object_pairs_hook=_each_once, parse_constant=_no_number, parse_float=_finite
    )
    if not isinstance(body, dict):
        raise UnreadableError("The line is no JSON object: put the event in { and }.")
    return body


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise UnreadableError("The line gives a member twice in one object.")
    return members


def _no_number(word: str) -> NoReturn:
    raise UnreadableError(f"The line holds {word}, which is no JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise UnreadableError("The line holds a number that is too large.")
    return number


def _csv_rows(file: IO[bytes]) -> Iterator[Row]:
    """Read CSV (RFC 4180), in which a row may go over several lines and is named by its first."""
    spoilt: list[Fault] = []
    reader = csv.reader(_texts(file, spoilt), strict=True)
    header = _next_cells(reader, spoilt)
    if isinstance(header, Fault) or header is None:
        missing = fault_at(1, "", "no_header", "The first line must name the columns.")
        yield Row(1, None, faults=(header or missing,))
        return
    columns, problems = Columns.of(header)
    if problems:
        yield Row(1, None, faults=tuple(fault_at(1, *problem) for problem in problems))
        return
    while True:
        line = reader.line_num + 1
        cells = _next_cells(reader, spoilt)
        if cells is None:
            return
        if isinstance(cells, Fault):
            # After a broken quotation nobody can say where the next row begins.
            yield Row(line, None, faults=(cells,))
            return
        if any(cells):
            yield _csv_row(line, columns, cells)


def _next_cells(reader: Any, spoilt: list[Fault]) -> list[str] | Fault | None:
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error as error:
        return fault_at(reader.line_num, "", "no_csv", f"This is no CSV: {error}.")
    # A line that can't be decoded ends the reading.
    return spoilt[0] if spoilt else cells


def _texts(file: IO[bytes], spoilt: list[Fault]) -> Iterator[str]:
    for _, text in _lines(file):
        if isinstance(text, Fault):
            spoilt.append(text)
            return
        yield text


def _csv_row(line: int, columns: Columns, cells: list[str]) -> Row:
    body, problems = columns.body(cells)
    if problems:
        faults = tuple(fault_at(line, *problem) for problem in problems)
        return Row(line, _id_in(body), faults=faults)
    return _row(line, body)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str | Fault]]:
    """Return the lines with their numbers, each decoded or the reason why it can't be."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            message = f"The line has more than {MAX_LINE_BYTES:,} bytes."
            yield number, fault_at(number, "", "line_too_long", message)
            continue
        try:
            # Spreadsheets begin a file with a byte order mark.
            yield number, (line.removeprefix(_BOM) if number == 1 else line).decode()
        except UnicodeDecodeError as error:
            message = f"The line is not UTF-8: see byte {error.start}."
            yield number, fault_at(number, "", "unreadable_text", message)


def _row(line: int, body: Mapping[str, Any]) -> Row:
    try:
        stated = _Stated.model_validate(without_derived(body))
    except ValidationError as error:
        found = islice(_faults(line, error), MAX_FAULTS)
        return Row(line, _id_in(body), faults=tuple(found))
    facts = EventFacts.model_construct(
        stated.model_fields_set - {"id", "note"},
        **{name: getattr(stated, name) for name in EventFacts.model_fields},
    )
    return Row(line, stated.id, facts, stated.note)


def _id_in(body: Mapping[str, Any]) -> str | None:
    """Return the id of a row that is faulty otherwise."""
    try:
        return _SLUG.validate_python(body.get("id"))
    except ValidationError:
        return None


def _faults(line: int, error: ValidationError) -> Iterator[Fault]:
    for each in own_faults(error):
        meant = each.get("ctx", {}).get("suggestions", ())
        message = each["msg"].removeprefix("Value error, ")
        yield fault_at(line, place_of(each["loc"]), each["type"], message, *meant)
