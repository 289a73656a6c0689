"""So much a minute and no more, in bounded memory."""

import tracemalloc

from app.api.auth import ADDRESSES_KEPT, FAILURES_A_MINUTE
from app.api.throttle import Throttle


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_in_any_minute() -> None:
    clock = Clock()
    throttle = Throttle(3, names=10, clock=clock)
    for _ in range(3):
        assert throttle.take("a") == 0
        clock.now += 10
    assert throttle.take("a") == 30
    assert throttle.take("b") == 0
    clock.now += 29.5
    assert throttle.take("a") == 1
    clock.now += 0.5
    assert throttle.take("a") == 0
    # The second of the three was ten seconds after the first.
    assert throttle.take("a") == 10


def test_what_was_refused_does_not_count() -> None:
    clock = Clock()
    throttle = Throttle(1, names=10, clock=clock)
    assert throttle.take("a") == 0
    for _ in range(59):
        clock.now += 1
        assert throttle.take("a") > 0
    clock.now += 1
    assert throttle.take("a") == 0


def test_the_oldest_names_are_forgotten() -> None:
    throttle = Throttle(1, names=2, clock=Clock())
    assert [throttle.take(name) for name in ("a", "b", "a", "c")] == [0, 0, 60, 0]
    # Of the two that were there, b was the one not heard of for longest.
    assert throttle.take("a") == 60
    assert throttle.take("b") == 0
    assert len(throttle._done) == 2


def test_a_month_of_guessing_takes_no_more_memory_than_an_hour() -> None:
    clock = Clock()
    throttle = Throttle(FAILURES_A_MINUTE, ADDRESSES_KEPT, clock=clock)
    tracemalloc.start()
    try:
        for number in range(10 * ADDRESSES_KEPT):
            throttle.take(f"address-{number}")
            clock.now += 25.9
        for _ in range(FAILURES_A_MINUTE):
            throttle.take("address-of-one-who-goes-on")
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(throttle._done) == ADDRESSES_KEPT
    assert used < 20_000_000
