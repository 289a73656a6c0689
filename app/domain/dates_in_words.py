"""Dates in words a reader understands: `2023-12~` is "December 2023, approximately"."""

from calendar import month_name
from datetime import date

from app.domain.dates import Point, point_of

_CERTAINTY = {
    "~": ", approximately",
    "?": ", uncertain",
    "%": ", approximately and uncertain",
    "": "",
}
_OPEN = ".."


def date_in_words(text: str) -> str:
    """Return a date of the profile in English, no more precise than it is.

    Raises:
        DateFormatError: the text is outside the profile.

    """
    start, interval, end = text.partition("/")
    if not interval:
        return _point_in_words(point_of(text))
    first, last = _end_in_words(start), _end_in_words(end)
    if start == _OPEN:
        return f"until {last}"
    if end == _OPEN:
        return f"from {first} on"
    return f"from {first or 'an unknown beginning'} to {last or 'an unknown end'}"


def day_in_words(day: date) -> str:
    """Return any day in English, also one just outside the years of the profile."""
    return f"{day.day} {month_name[day.month]} {day.year}"


def _end_in_words(text: str) -> str:
    return _point_in_words(point_of(text)) if text not in ("", _OPEN) else ""


def _point_in_words(point: Point) -> str:
    month = month_name[point.month] if point.month else ""
    parts = (str(point.day or ""), month, str(point.year))
    return " ".join(filter(None, parts)) + _CERTAINTY[point.qualifier]
