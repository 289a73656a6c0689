"""Cells that a spreadsheet would take for formulas: made harmless, and read back as they were.

Whoever opens a CSV file in a spreadsheet runs what begins with = + - or @. Such a cell gets an
apostrophe before it, by which spreadsheets mark a text (OWASP, CSV Injection). Blanks and quotation
marks before the sign don't count, because programs that trim cells would bring it to the front,
and tabs and line breaks are as dangerous as a sign. A text that begins with an apostrophe and such
a sign gets another one, so that taking one away gives every text back.
"""

import re

_MARK = "'"
_DANGEROUS = re.compile(r"""[\s"'‘’“”]*[=+\-@＝＋－＠\t\r\n]""")  # noqa: RUF001 - Read alike.


def defused(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    # Nearly all cells are empty or begin like this.
    if not text or text[0].isalnum():
        return text
    return _MARK + text if _DANGEROUS.match(text) else text


def as_meant(cell: str) -> str:
    """Return the text that was defused; any other cell as it is."""
    text = cell.removeprefix(_MARK)
    return text if _DANGEROUS.match(text) else cell
