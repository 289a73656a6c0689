"""So much a minute and no more: a count by name, kept in this process's memory."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 60


class Throttle:
    """Lets each name do something so many times in any minute.

    Each worker process counts for itself, so that several let through as many times more; none
    waits for another. The names that did something longest ago are forgotten first.
    """

    def __init__(self, limit: int, names: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow so many times a minute, and keep so many names."""
        self._limit = limit
        self._names = names
        self._clock = clock
        self._done: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, name: str) -> int:
        """Count once more and return 0, or return after how many seconds it can be done again.

        What is refused isn't counted, so that who goes on trying isn't kept out for ever.
        """
        now = self._clock()
        times = self._done.setdefault(name, deque(maxlen=self._limit))
        self._done.move_to_end(name)
        if len(self._done) > self._names:
            self._done.popitem(last=False)
        if len(times) == self._limit and now < times[0] + WINDOW_S:
            return math.ceil(times[0] + WINDOW_S - now)
        times.append(now)
        return 0
