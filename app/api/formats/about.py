"""What a workbook says of itself: what was asked, when, under which licence, and what is in it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from app.api.formats.asked import Asked, in_a_line
from app.api.formats.columns import MEANING_OF_SHAPE, Column
from app.api.imprint import REGISTER, SUMMARY
from app.domain.document import instant

_HOLDS = (
    "What has been recorded, not everything that has happened: no row doesn't mean that nothing "
    "happened."
)
_DATES = (
    "A cell is a date of Excel's only where the day is known for certain; all other dates, and "
    "those before 1900-03-01, are texts exactly as they are known."
)


def about(
    asked: Asked, as_of: datetime | None, columns: Sequence[Column[Any]], rows: int
) -> Iterator[tuple[str, ...]]:
    """Return the rows of the second sheet: a label, a type where there is one, a text.

    The time is that of the register's state and not of asking, so that the same state gives the
    same file.
    """
    yield "What this is", "", f"{asked.of.capitalize()} of chancery. {SUMMARY}."
    yield "Address", "", asked.address("xlsx")
    yield "Filter", "", "as it was understood:" if asked.filter else "none: everything"
    for name, value in asked.filter.items():
        yield f"  {name}", "", in_a_line(value)
    if as_of and "known_at" not in asked.filter:
        yield "As of", "", f"{instant(as_of)}, when the register last changed before this was asked"
        yield "Again", "", f"add known_at={instant(as_of)} to the address to get this again"
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
