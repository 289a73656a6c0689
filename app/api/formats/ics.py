"""Calendars (RFC 5545): the events whose day is known for certain, each as an all-day entry."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from app.api.formats.asked import Asked
from app.api.formats.words import paragraphs
from app.domain.dates import known_day
from app.domain.text import with_plain_line_breaks

_LINE_BYTES = 75
_ESCAPED = (("\\", r"\\"), (";", r"\;"), (",", r"\,"), ("\n", r"\n"))
_HOLDS = "Only events whose day is known for certain are in this calendar. All that match are in "


class Calendar:
    """Writes a calendar from documents; those whose day isn't known are left out."""

    def __init__(self, asked: Asked) -> None:
        """Keep what the calendar says of itself."""
        self._asked = asked

    def begin(self) -> str:
        """Return what stands before the first event."""
        title, about = _text(self._asked.title), _text(_HOLDS + self._asked.address())
        return _lines(
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//chancery//register//EN",
                "METHOD:PUBLISH",
                # The names that calendars have long gone by, and those of RFC 7986.
                f"X-WR-CALNAME:{title}",
                f"NAME:{title}",
                f"X-WR-CALDESC:{about}",
                f"DESCRIPTION:{about}",
            ]
        )

    def write(self, items: Sequence[str]) -> str:
        """Return those of the next events that have a day."""
        return _lines(line for item in items for line in self._event(item))

    def end(self) -> str:
        """Return what stands behind the last event."""
        return _lines(["END:VCALENDAR"])

    def _event(self, document: str) -> Iterator[str]:
        event = json.loads(document)
        day = known_day(event["date"])
        if day is None:
            return
        yield "BEGIN:VEVENT"
        yield f"UID:{event['id']}@chancery"
        yield f"DTSTAMP:{_instant(event['updated_at'])}"
        yield f"CREATED:{_instant(event['recorded_at'])}"
        yield f"LAST-MODIFIED:{_instant(event['updated_at'])}"
        yield f"SEQUENCE:{event['revision'] - 1}"
        yield f"DTSTART;VALUE=DATE:{_day(day)}"
        # The first day after it.
        yield f"DTEND;VALUE=DATE:{_day(day + timedelta(days=1))}"
        yield f"SUMMARY:{_text(event['title'])}"
        yield "DESCRIPTION:" + _text("\n\n".join(paragraphs(event)))
        yield f"URL:{self._asked.permalink(event['id'])}"
        yield f"CATEGORIES:{_text(event['kind'])}"
        # Nobody is busy because of it.
        yield "TRANSP:TRANSPARENT"
        yield "END:VEVENT"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _instant(text: str) -> str:
    """Return an instant of a document, to the second."""
    return re.sub(r"[-:]|\.[0-9]+", "", text)


def _text(text: str) -> str:
    """Return a text as it stands in a value (RFC 5545, section 3.3.11)."""
    text = with_plain_line_breaks(text)
    for character, escaped in _ESCAPED:
        text = text.replace(character, escaped)
    return text


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _folded(line: str) -> str:
    """Return a line in pieces of at most 75 bytes, none of which cuts a character in two."""
    rest, pieces, room = line.encode(), [], _LINE_BYTES
    while len(rest) > room:
        piece = rest[:room].decode(errors="ignore")
        pieces.append(piece)
        # The blank that marks a continuation counts.
        rest, room = rest[len(piece.encode()) :], _LINE_BYTES - 1
    return "\r\n ".join([*pieces, rest.decode()])
