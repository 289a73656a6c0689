"""A question as a file that answers it states it: under which address, how understood, and when."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

from starlette.requests import Request

from app.api.links import base_url

# File systems take 255 bytes; people read fewer.
_LONGEST_NAME = 100
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")
_PAST = ("known_at", "knowledge")
_NOT_IN_NAME = {*_PAST, "date_field", "date_match", "updated_since"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: of which list, where, with which filter, when."""

    of: str
    base: str
    query: str
    filter: Mapping[str, Any]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def by(cls, request: Request, of: str, understood: Mapping[str, Any]) -> Self:
        """Return what a request asks of a list, with the filter as it was understood."""
        given = [(n, v) for n, v in request.query_params.multi_items() if v.strip()]
        return cls(of, base_url(request), urlencode(given), understood)

    def address(self, extension: str = "") -> str:
        """Return where the same question is answered in another format, or as a list."""
        path = f"{self.base}/v1/{self.of}{extension and f'.{extension}'}"
        return f"{path}?{self.query}" if self.query else path

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two questions have in common whose answers look alike: all but when they came."""
        return self.of, self.base, self.query, dict(self.filter)

    @property
    def title(self) -> str:
        """What the answer holds, in a line: `Events: country KZ, AF; status proposed`."""
        said = "; ".join(f"{name} {in_a_line(value)}" for name, value in self.filter.items())
        return f"{self.of.capitalize()}: {said or 'all'}"

    def permalink(self, event: str) -> str:
        """Return the page of an event, as known then where the question is about the past."""
        past = {name: self.filter[name] for name in _PAST if name in self.filter}
        return f"{self.base}/events/{event}{'?' if past else ''}{urlencode(past)}"

    def file_name(self, extension: str) -> str:
        """Return a telling name in ASCII: `chancery-events-KZ-2024-11-25.csv`."""
        known_at = self.filter.get("known_at")
        day = f"known-at-{known_at[:10]}" if known_at else f"{self.at:%Y-%m-%d}"
        words = "-".join(["chancery", self.of, *self._words()])
        room = _LONGEST_NAME - len(f"-{day}.{extension}")
        return f"{words[:room].rstrip('-._')}-{day}.{extension}"

    def _words(self) -> Iterator[str]:
        for name, value in self.filter.items():
            if name not in _NOT_IN_NAME:
                for each in value if isinstance(value, list) else [value]:
                    yield from _ASCII_WORD.findall(str(each))


def in_a_line(value: Any) -> str:
    """Return what a filter's parameter asks for."""
    return ", ".join(value) if isinstance(value, list) else str(value)
