"""The table that is printed: medians, how far the rounds lie apart, and ratios."""

import statistics
import sys
from collections.abc import Callable, Mapping

Measure = Callable[[], float]


class Table:
    """Measures candidates in turn, and prints a line for each of them."""

    def __init__(self, about: str, rounds: int) -> None:
        """Print what everything is about."""
        self._rounds = rounds
        self.say(f"{about}; {rounds} rounds, the candidates in turn; spread: most by least\n")
        self.say(f"{'':<46}{'median':>12}{'spread':>8}   ratio")

    def say(self, line: str) -> None:
        """Print a line at once."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def rates(self, workload: str, candidates: Mapping[str, Measure]) -> None:
        """Measure answers a second; the ratio is that of the first candidate to each other."""
        self._measure(workload, candidates, "/s", lambda first, other: first / other)

    def times(self, workload: str, candidates: Mapping[str, Measure]) -> None:
        """Measure milliseconds; the ratio is that of each candidate's to the first one's."""
        self._measure(workload, candidates, "ms", lambda first, other: other / first)

    def _measure(
        self,
        workload: str,
        candidates: Mapping[str, Measure],
        unit: str,
        ratio: Callable[[float, float], float],
    ) -> None:
        found: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(self._rounds):
            for name, measure in candidates.items():
                found[name].append(measure())
        first = statistics.median(next(iter(found.values())))
        self.say(workload)
        for number, (name, values) in enumerate(found.items()):
            median = statistics.median(values)
            shown = f"{ratio(first, median):>8.2f}" if number else ""
            spread = max(values) / min(values)
            self.say(f"    {name:<42}{median:>9,.1f} {unit}{spread:>8.2f}{shown}")
