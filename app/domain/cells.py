r"""The columns of a CSV file of events: which there may be, and what their cells mean.

A column is named as the field is, with a dot for one inside another: `dates.effective`. In columns
of a list, such as `participants.party` and `participants.role`, a cell holds an entry for each
member, separated by `|`; the n-th entries of all of them belong together. There `\|` is a bar
within a text and `\\` a backslash. An empty cell, or entry, leaves its field out. A table that was
exported has more columns, which are passed over, and an apostrophe before what is no formula.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Self

from pydantic import BaseModel

from app.domain.document import EventDocument, ParticipantDocument
from app.domain.errors import MAX_FAULTS
from app.domain.event import MAX_ENTRIES, Dates, EventFacts, Participant, Relation, Source
from app.domain.formulas import as_meant
from app.domain.text import SHOWN_LENGTH, shown

Problem = tuple[str, ...]
"""Field, code, message and what may be meant."""

_LISTS: dict[str, type[BaseModel]] = {
    "participants": Participant,
    "relations": Relation,
    "sources": Source,
}
_INNER: dict[str, type[BaseModel]] = {**_LISTS, "dates": Dates}
NAMES = (
    "id",
    *(
        name
        for field in EventFacts.model_fields
        for name in (
            [f"{field}.{inner}" for inner in _INNER[field].model_fields]
            if field in _INNER
            else [field]
        )
    ),
    "note",
)
"""The columns that there may be, in the order of the template."""

ADDED = (
    "kind_in_words", "actors", "subjects", "proposers", "mentioned",
    "countries", "countries.code", "countries.alpha2", "countries.alpha3",
    "first_source.publisher", "first_source.url", "source_count", "permalink",
)  # fmt: skip
"""The columns that an export adds for its readers: an import passes over them."""

_IGNORED = {
    *(set(EventDocument.model_fields) - set(EventFacts.model_fields)),
    *(f"participants.{name}" for name in ParticipantDocument.model_fields),
    *ADDED,
} - set(NAMES)
# What is escaped, the end of an entry, or plain text.
_PART = re.compile(r"\\([|\\])|(\|)|([^|\\]+|\\)")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, header: Sequence[str]) -> tuple[Self, list[Problem]]:
        """Return the columns that a header names, and everything wrong with it."""
        names = tuple(name.strip() for name in header)
        return cls(names), list(islice(_problems(names), MAX_FAULTS))

    def body(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[Problem]]:
        """Return what a row states in the shape of a JSON body, and what can't be read of it."""
        if len(cells) != len(self.names):
            message = f"The row has {len(cells)} cells, the header {len(self.names)} columns."
            return {}, [("", "wrong_number_of_cells", message)]
        named = zip(self.names, map(as_meant, cells), strict=True)
        stated = {name: cell for name, cell in named if cell and name in NAMES}
        body: dict[str, Any] = {}
        entries: dict[str, dict[str, list[str]]] = {}
        for name, cell in stated.items():
            outer, _, inner = name.partition(".")
            if outer in _LISTS:
                entries.setdefault(outer, {})[inner] = split(cell)
            elif inner:
                body.setdefault(outer, {})[inner] = cell
            else:
                body[name] = cell
        problems = [p for outer, group in entries.items() for p in _entry_problems(outer, group)]
        if not problems:
            body |= {outer: _members(group) for outer, group in entries.items()}
        return body, problems


def _problems(names: Sequence[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield shown(name), "column_twice", "The header names this column more than once."
        if name not in NAMES and name not in _IGNORED:
            near = get_close_matches(name[:SHOWN_LENGTH], NAMES, n=3)
            message = "There is no such column: see the template."
            yield shown(name), "unknown_column", message, *near
    if "id" not in names:
        yield "id", "missing", "There must be a column id."


def _entry_problems(outer: str, group: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Refuse too many entries, and to guess which belong together where some are missing."""
    longest = max(group, key=lambda inner: len(group[inner]))
    for inner, entries in group.items():
        if len(entries) > MAX_ENTRIES:
            message = f"The cell has {len(entries):,} entries; there may be {MAX_ENTRIES} at most."
            yield f"{outer}.{inner}", "too_many_entries", message
        elif len(entries) != len(group[longest]):
            message = (
                f"The cell has {len(entries)} entries where {outer}.{longest} has "
                f"{len(group[longest])}: separate them by |, with nothing where one is missing."
            )
            yield f"{outer}.{inner}", "uneven_entries", message


def _members(group: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    rows = zip(*group.values(), strict=True)
    return [{n: entry for n, entry in zip(group, row, strict=True) if entry} for row in rows]


def split(cell: str) -> list[str]:
    r"""Return the entries of a cell: `a|b` are two, `a\|b` is one."""
    if "\\" not in cell:
        return cell.split("|")
    entries: list[list[str]] = [[]]
    for escaped, bar, plain in map(re.Match.groups, _PART.finditer(cell)):
        if bar:
            entries.append([])
        else:
            entries[-1].append(escaped or plain)
    return ["".join(parts) for parts in entries]


def join(entries: Sequence[str]) -> str:
    """Return the cell that holds these entries."""
    joined = "|".join(entries)
    # Nearly all entries hold neither.
    if "\\" not in joined and joined.count("|") < len(entries):
        return joined
    return "|".join([e.replace("\\", "\\\\").replace("|", "\\|") for e in entries])


def template(event: Mapping[str, Any]) -> str:
    """Return a CSV file with all columns and this event in it; it begins with a BOM.

    Without the mark, spreadsheets take UTF-8 for something else.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(NAMES)
    writer.writerow([reader_of(name)(event) for name in NAMES])
    return "\ufeff" + text.getvalue()


def reader_of(name: str) -> Callable[[Mapping[str, Any]], str]:
    """Return what reads the cell of an event's document in the column of this name."""
    outer, _, inner = name.partition(".")
    if outer in _LISTS:
        return lambda event: _entries(event.get(outer) or (), inner)
    if inner:
        return lambda event: event[outer].get(inner) or ""
    return lambda event: str(event.get(outer) or "")


def _entries(members: Sequence[Mapping[str, Any]], inner: str) -> str:
    entries = [member.get(inner) or "" for member in members]
    return join(entries) if any(entries) else ""
