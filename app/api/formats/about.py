"""What a workbook says of itself: what was asked, when, under which licence, and what is in it."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.api.formats.asked import Asked, in_a_line
from app.api.formats.columns import MEANING_OF_SHAPE, Column
from app.api.imprint import REGISTER, SUMMARY

_HOLDS = (
    "What has been recorded, not everything that has happened: no row doesn't mean that nothing "
    "happened."
)
_DATES = (
    "A cell is a date of Excel's only where the day is known for certain; all other dates, and "
    "those before 1900-03-01, are texts exactly as they are known."
)


def about(asked: Asked, columns: Sequence[Column[Any]], rows: int) -> Iterator[tuple[str, ...]]:
    """Return the rows of the second sheet: a label, a type where there is one, a text."""
    yield "What this is", "", f"{asked.of.capitalize()} of chancery. {SUMMARY}."
    yield "Asked at", "", f"{asked.at:%Y-%m-%dT%H:%M:%SZ}"
    yield "Address", "", asked.address("xlsx")
    yield "Filter", "", "as it was understood:" if asked.filter else "none: everything"
    for name, value in asked.filter.items():
        yield f"  {name}", "", in_a_line(value)
    if "known_at" not in asked.filter:
        yield "Known at", "", "the time of asking: add known_at to the address to get this again"
    yield "Rows", "", f"{rows:,}"
    yield "What it holds", "", _HOLDS
    yield "Dates", "", _DATES
    yield "Licence", "", REGISTER
    yield ("",)
    yield "Column", "Type", "Meaning"
    for column in columns:
        yield column.name, column.shape, column.description
    for shape, meaning in MEANING_OF_SHAPE.items():
        yield "Type", shape, meaning
