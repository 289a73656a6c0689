"""The columns of the CSV file as PostgreSQL makes them by itself, out of the same documents.

What it can't know stands in for itself: codes for the names of countries, the kind for its words.
"""

import csv
import io
from itertools import islice

import httpx

from app.api.formats.event_columns import EVENT_COLUMNS
from app.domain.cells import ADDED
from app.domain.formulas import as_meant
from app.domain.vocabulary import Role
from tests.benchmarks.reads import database

LISTS = ("participants", "relations", "sources")
ROLES = dict(zip(("actors", "subjects", "proposers", "mentioned"), map(str, Role), strict=True))
STANDING_IN = {
    "kind_in_words": "d ->> 'kind'",
    "first_source.publisher": "d #>> '{sources,0,publisher}'",
    "first_source.url": "d #>> '{sources,0,url}'",
    "source_count": "jsonb_array_length(d -> 'sources')",
    "permalink": "'http://127.0.0.1:8000/v1/events/' || (d ->> 'id')",
}
SHOWN, PIECES = 500, 4


def joined(outer: str, inner: str, condition: str = "true") -> str:
    """Return the cell of a list: its entries with a bar between."""
    return f"""(
        SELECT string_agg(coalesce(e ->> '{inner}', ''), '|' ORDER BY n)
        FROM jsonb_array_elements(d -> '{outer}') WITH ORDINALITY each (e, n) WHERE {condition}
    )"""


def cell(name: str) -> str:
    """Return what makes the cell of a column."""
    outer, _, inner = name.partition(".")
    if name in STANDING_IN:
        return STANDING_IN[name]
    if name in ROLES:
        return joined("participants", "name", f"e ->> 'role' = '{ROLES[name]}'")
    if outer == "countries":
        return joined("participants", "country")
    if outer in LISTS:
        return joined(outer, inner)
    return f"d #>> '{{{name.replace('.', ',')}}}'"


def query(matching: str) -> str:
    """Return the query for all columns of the events that match, in the order of the file."""
    cells = ", ".join(cell(column.name) for column in EVENT_COLUMNS)
    return f"""
        SELECT {cells} FROM (
            SELECT CAST(document AS jsonb) AS d FROM event WHERE {matching}
            ORDER BY latest DESC, earliest DESC, id DESC
        ) events
    """


def compare(url: str, address: str, matching: str) -> None:
    """Compare the first rows of both, but for what stands in for something else.

    Raises:
        AssertionError: they say different things.

    """
    theirs = database.asked(url, f"{query(matching)} LIMIT {SHOWN}")
    with httpx.stream("GET", address, timeout=600) as response:
        begun = "".join(islice(response.iter_text(), PIECES))
    # Neither the header nor the last row, which may have been cut off.
    ours = list(csv.reader(io.StringIO(begun)))[1:-1]
    assert len(ours) >= PIECES
    for mine, other in zip(ours, theirs, strict=False):
        for column, here, there in zip(EVENT_COLUMNS, mine, other, strict=True):
            if column.name not in ADDED:
                assert as_meant(here).strip("|") == str(there or "").strip("|"), column.name
