"""CSV as spreadsheets and programs read it alike (RFC 4180): UTF-8 with a byte order mark."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Generic

from app.api.formats.columns import Column, Item
from app.domain.formulas import defused

# Without the mark, spreadsheets take UTF-8 for something else.
_BYTE_ORDER_MARK = "\ufeff"


class Csv(Generic[Item]):
    """Writes a table with a header; no cell is taken for a formula."""

    def __init__(self, columns: Sequence[Column[Item]]) -> None:
        """Keep the columns in their order."""
        self._columns = columns

    def begin(self) -> str:
        """Return the header."""
        return _BYTE_ORDER_MARK + _lines([[column.name for column in self._columns]])

    def write(self, items: Sequence[Item]) -> str:
        """Return the rows of the next items."""
        cells = [column.cell for column in self._columns]
        return _lines([defused(cell(item)) for cell in cells] for item in items)

    def end(self) -> str:
        """Return nothing: a table ends with its last row."""
        return ""


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
