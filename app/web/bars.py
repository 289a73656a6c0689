"""Positions over time as bars: where each begins and ends on one scale, drawn by the service."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.evidence import History, Key
from app.domain.positions import Span
from app.domain.vocabulary import Certainty

WIDTH = 1_000
"""How many units of length the scale has."""

_A_YEAR = timedelta(days=365)
_LEAST_WIDTH = 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    """Days on which a position stood on the same events, and where they lie on the scale."""

    span: Span
    begins: float
    width: float


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of several positions on one scale of days."""

    first: date
    last: date
    of: Mapping[Key, Sequence[Bar]]

    def place(self, day: date) -> float:
        """Return where a day lies on the scale."""
        days = (self.last - self.first).days
        within = min(max((day - self.first).days, 0), days)
        return round(within / days * WIDTH, 1)


def bars(histories: Iterable[History], last: date) -> Bars:
    """Return the bars of these histories; what is unknown has none.

    Args:
        histories: the positions over time, each to the last day.
        last: the last day of all of them.

    """
    found = {history.key: history.spans for history in histories}
    begins = [span.first for spans in found.values() for span in spans if span.first is not None]
    first = min([*begins, last - _A_YEAR])
    scale = Bars(first, last, {})
    drawn = {
        key: [_bar(scale, span) for span in spans if _says(span)] for key, spans in found.items()
    }
    return Bars(first, last, drawn)


def _says(span: Span) -> bool:
    return span.standing.certainty is not Certainty.UNKNOWN


def _bar(scale: Bars, span: Span) -> Bar:
    begins = scale.place(span.first or scale.first)
    width = scale.place(min(span.last, scale.last)) - begins
    return Bar(span, begins, max(round(width, 1), _LEAST_WIDTH))
