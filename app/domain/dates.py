"""Dates as precisely as they are known: a profile of EDTF, and the interval of days each covers.

The profile is a part of the Extended Date/Time Format (Library of Congress, 4 February 2019; ISO
8601-2:2019): `2024-12-22`, `2024-08`, `2021`, each with an optional `~`, `?` or `%`, and intervals
`START/END` in which one end may be open (`..`) or unknown (empty). Years run from 1000 to 2999.
There are no times, zones, seasons or sets. A date is kept as written and compared as its days.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

HOW_TO_WRITE = (
    "Write a day, month or year (2024-12-22, 2024-08, 2021), with ~ (approximate), ? (uncertain) "
    "or % (both) where needed, or an interval such as 2023-12/2024-06, ../2024-12 or 2024-01/.."
)
MAX_LENGTH = 23

_POINT = re.compile(r"([12][0-9]{3})(?:-([0-9]{2})(?:-([0-9]{2}))?)?([~?%]?)", re.ASCII)
_NO_BOUND = ("..", "")
_QUALIFIERS = frozenset("~?%")


class DateFormatError(ValueError):
    """The text is no date of the profile; the message says why and what to write instead."""


@dataclass(frozen=True, slots=True)
class Days:
    """An interval of days, both ends included; None where it has no bound on that side."""

    first: date | None
    last: date | None

    def __post_init__(self) -> None:
        """Refuse an interval that ends before it begins."""
        if self.first and self.last and self.last < self.first:
            raise DateFormatError("The interval ends before it begins.")

    @property
    def bounds(self) -> tuple[date, date]:
        """The first and the last day, where an open end is the least or the greatest date."""
        return self.first or date.min, self.last or date.max


@dataclass(frozen=True, slots=True)
class Point:
    """A single day, month or year: its days, how certain it is, and its parts as far as known."""

    days: Days
    qualifier: str
    year: int
    month: int | None = None
    day: int | None = None


def days_of(text: str) -> Days:
    """Return the days that an EDTF text of the profile covers.

    Raises:
        DateFormatError: the text is outside the profile.

    """
    if "/" not in text:
        return point_of(text).days
    start, _, end = text.partition("/")
    if start in _NO_BOUND and end in _NO_BOUND:
        raise DateFormatError(f"An interval needs a date at one end at least. {HOW_TO_WRITE}")
    first = None if start in _NO_BOUND else point_of(start).days.first
    last = None if end in _NO_BOUND else point_of(end).days.last
    return Days(first, last)


def known_day(text: str) -> date | None:
    """Return the day of a date that is known for certain to the day, else None."""
    days = days_of(text)
    certain = _QUALIFIERS.isdisjoint(text)
    return days.first if certain and days.first == days.last else None


def is_edtf(text: str) -> str:
    """Return the text unchanged if it is a date of the profile, else raise DateFormatError."""
    days_of(text)
    return text


def is_edtf_point(text: str) -> str:
    """Return the text unchanged if it is a single day, month or year, else raise."""
    point_of(text)
    return text


def point_of(text: str) -> Point:
    """Return the parts of a single day, month or year.

    Raises:
        DateFormatError: the text is no such date.

    """
    match = _POINT.fullmatch(text)
    if match is None:
        raise DateFormatError(f"This is not a date of the register. {HOW_TO_WRITE}")
    *numbers, qualifier = match.groups()
    year, *rest = [int(number) for number in numbers if number is not None]
    try:
        return Point(_calendar_days(year, *rest), qualifier, year, *rest)
    except ValueError as error:
        raise DateFormatError(f"There is no such day or month. {HOW_TO_WRITE}") from error


def _calendar_days(year: int, month: int | None = None, day: int | None = None) -> Days:
    if month is None:
        return Days(date(year, 1, 1), date(year, 12, 31))
    if day is None:
        first = date(year, month, 1)
        return Days(first, first.replace(day=monthrange(year, month)[1]))
    return Days(date(year, month, day), date(year, month, day))


_EXAMPLES = ["2024-12-22", "2023-12~", "../2024-12"]
EdtfDate = Annotated[
    str,
    Field(max_length=MAX_LENGTH, description=HOW_TO_WRITE, examples=_EXAMPLES),
    AfterValidator(is_edtf),
]
"""A date or interval of the profile."""

EdtfPoint = Annotated[
    str,
    Field(max_length=MAX_LENGTH, description="A day, month or year.", examples=["2023-12-29"]),
    AfterValidator(is_edtf_point),
]
"""A single day, month or year of the profile, such as the date of a publication."""
