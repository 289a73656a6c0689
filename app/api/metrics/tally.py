"""What one process counts: its answers, how long they took, what the cache was good for.

It is counted at every request, also at those that the cache answers in some twenty microseconds, so
it is done with plain numbers: the same with prometheus-client's counters took ten times as long,
with its files for several processes twenty times.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds by which durations are told apart, in seconds; what takes longer is beyond."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

Kind = tuple[str | None, str, int]
"""The template of the path, the method, the first digit of the status (0 where none was sent)."""


class Durations:
    """How long answers took."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    def up_to(self) -> Iterator[int]:
        """Yield how many took no longer than each of the bounds."""
        return accumulate(self._counts[:-1])


class Tally:
    """What this process has counted since it began."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.began = time.time()
        self.in_flight = 0
        self.hits = 0
        self.misses = 0
        self.turned_away = 0
        self.kept_bytes = 0
        self.answers: dict[Kind, Durations] = {}

    def add(self, route: str | None, method: str, status: int, seconds: float) -> None:
        """Count one more answer."""
        kind = (route, method, status // 100)
        (self.answers.get(kind) or self._of(kind)).add(seconds)

    def _of(self, kind: Kind) -> Durations:
        route, method, status = kind
        # What anybody can make up doesn't get numbers of its own.
        known = method if method in _METHODS else "other"
        return self.answers.setdefault((route, known, status), Durations())
