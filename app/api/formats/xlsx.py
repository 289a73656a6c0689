"""Excel workbooks: a sheet with the table, and one that says what it is and what it means.

Nothing in a cell is a formula. A cell is a real date only where the day is known. What Excel can't
hold is written as text, or cut and says so.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Generic

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from app.api.formats.about import about
from app.api.formats.asked import Asked
from app.api.formats.columns import Column, Item, Shape
from app.api.layers.admission import Turn
from app.domain.dates import known_day
from app.domain.text import with_plain_line_breaks

MAX_ROWS = 100_000
# Excel's own limits, in its UTF-16 units; its calendar takes 1900 for a leap year.
_MAX_CELL = 32_767
_MAX_LINK = 2_079
_MAX_LINKS = 65_530
_FIRST_DATE = date(1900, 3, 1)
_LONG_AGO = datetime(1980, 1, 1)  # noqa: DTZ001 - The zone of a file's own date is UTC.
_CUT = " … (cut here: the CSV file has it whole)"

_WIDTHS = {Shape.DATE: 12, Shape.DAY: 12, Shape.INSTANT: 28, Shape.NUMBER: 9, Shape.LINK: 40}
_WIDTH_OF_TEXT = 24
_WIDTH_OF_SENTENCES = 60
_WIDTHS_ABOUT = (28, 12, 100)


class Xlsx(Generic[Item]):
    """Writes a workbook into a file, a batch of rows at a time: only one row is in memory."""

    def __init__(
        self, path: Path, columns: Sequence[Column[Item]], asked: Asked, as_of: datetime | None
    ) -> None:
        """Begin the workbook; its own temporary files lie beside it."""
        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = Workbook(str(path), options)
        # Else it says when it was made, and no two files were the same.
        self._book.set_properties({"created": as_of or _LONG_AGO})
        self._sheet = self._book.add_worksheet(asked.of.capitalize())
        self._about = self._book.add_worksheet("About")
        self._bold = self._book.add_format({"bold": True})
        self._wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._columns = columns
        self._asked = asked
        self._as_of = as_of
        self._rows = 0
        self._links = 0
        self._begin()

    def _begin(self) -> None:
        for number, column in enumerate(self._columns):
            self._sheet.set_column(number, number, _width(column))
            self._sheet.write_string(0, number, column.name, self._bold)
        self._sheet.freeze_panes(1, 0)

    def write(self, items: Sequence[Item]) -> None:
        """Write the rows of the next items."""
        for item in items:
            self._rows += 1
            for number, column in enumerate(self._columns):
                if text := column.cell(item):
                    self._write(self._rows, number, text, column.shape)

    def _write(self, row: int, number: int, text: str, shape: Shape) -> None:
        day = _day_of(text, shape)
        if day is not None:
            self._sheet.write_datetime(row, number, day, self._day)
        elif shape is Shape.NUMBER:
            self._sheet.write_number(row, number, int(text))
        elif shape is Shape.LINK and self._links < _MAX_LINKS and _can_be_linked(text):
            self._links += 1
            self._sheet.write_url(row, number, text, string=text)
        else:
            self._sheet.write_string(row, number, _fitting(text))

    def close(self) -> None:
        """Write the second sheet and pack the file."""
        try:
            self._write_about()
            self._book.close()
        except FileCreateError as error:
            # The error of the operating system, in the library's own wrapping.
            raise error.args[0] from error
        finally:
            # Where the disk is full, the library leaves its temporary files open.
            for sheet in self._book.worksheets():
                with suppress(OSError):
                    sheet.row_data_fh.close()

    def _write_about(self) -> None:
        self._sheet.autofilter(0, 0, self._rows, len(self._columns) - 1)
        for number, width in enumerate(_WIDTHS_ABOUT):
            self._about.set_column(number, number, width, self._wrapped)
        for row, cells in enumerate(self._stated()):
            for number, text in enumerate(cells):
                style: Any = self._bold if number == 0 else self._wrapped
                self._about.write_string(row, number, _fitting(text), style)

    def _stated(self) -> Iterator[tuple[str, ...]]:
        return about(self._asked, self._as_of, self._columns, self._rows)


async def build(
    book: Xlsx[Item], batches: AsyncGenerator[Sequence[Item], None], turn: Turn
) -> None:
    """Write all batches into a workbook, each when it is its turn, beside the event loop."""
    try:
        async with aclosing(batches):
            async for items in batches:
                async with turn():
                    await asyncio.to_thread(book.write, items)
    finally:
        # It is closed in any case, because its temporary files are open.
        await asyncio.to_thread(book.close)


def _width(column: Column[Item]) -> int:
    if column.is_wide:
        return _WIDTH_OF_SENTENCES
    return _WIDTHS.get(column.shape, _WIDTH_OF_TEXT)


def _day_of(text: str, shape: Shape) -> date | None:
    if shape not in {Shape.DATE, Shape.DAY}:
        return None
    day = known_day(text)
    return day if day and day >= _FIRST_DATE else None


def _can_be_linked(text: str) -> bool:
    return text.startswith(("http://", "https://")) and _units(text) <= _MAX_LINK


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(text: str) -> str:
    """Return a text as a cell can hold it: with Excel's own line breaks, and not too long."""
    text = with_plain_line_breaks(text)
    if len(text) * 2 <= _MAX_CELL or _units(text) <= _MAX_CELL:
        return text
    kept = text.encode("utf-16-le")[: 2 * (_MAX_CELL - len(_CUT))]
    return kept.decode("utf-16-le", errors="ignore") + _CUT
