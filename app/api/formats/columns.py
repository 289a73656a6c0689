"""Columns of the tables that can be taken away: what stands in a cell, and what that means.

A column's description is the only one there is: the data dictionary shows it under /v1/columns, in
the OpenAPI document and on the second sheet of a workbook.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class Shape(StrEnum):
    """How the text of a cell is written."""

    TEXT = "text"
    LIST = "list"
    DATE = "date"
    DAY = "day"
    INSTANT = "instant"
    NUMBER = "number"
    LINK = "link"


MEANING_OF_SHAPE = {
    Shape.TEXT: "Text.",
    Shape.LIST: (
        r"Texts separated by |; \| is a bar within a text and \\ a backslash. The n-th entries of "
        "columns that begin alike (sources.url, sources.title …) belong together."
    ),
    Shape.DATE: (
        "A date exactly as precisely as it is known (EDTF): 2024-12-22, 2024-08, 2021, with ~ "
        "(approximate), ? (uncertain) or % (both), or an interval such as ../2024-12."
    ),
    Shape.DAY: "A day: 2024-12-22.",
    Shape.INSTANT: "An instant in UTC: 2026-11-23T10:00:00.123456Z.",
    Shape.NUMBER: "A whole number.",
    Shape.LINK: "An address on the web.",
}


@dataclass(frozen=True, slots=True)
class Column(Generic[Item]):
    """One column: its name in the file's header, what it means, and its cell for an item.

    The cell is a text in every format, empty where there is nothing; `shape` tells how a reader
    or a spreadsheet may take it, and `is_wide` that it holds sentences.
    """

    name: str
    description: str
    cell: Callable[[Item], str]
    shape: Shape = Shape.TEXT
    is_wide: bool = False


def dictionary(columns: Iterable[Column[Any]]) -> str:
    """Return what the columns mean, as a table in Markdown."""
    rows = (f"| `{each.name}` | {each.shape} | {each.description} |" for each in columns)
    return "\n".join(["| column | type | meaning |", "| --- | --- | --- |", *rows])
