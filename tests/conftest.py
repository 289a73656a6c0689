"""What every test may use; the fixtures themselves stand in tests/support."""

import os
import signal
from collections.abc import Generator

import coverage
import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.support.patience",
    "tests.support.database",
    "tests.support.client",
    "tests.support.editing",
    "tests.support.hostile",
    "tests.support.service",
    "tests.support.proxy",
    "tests.support.attacked",
    "tests.support.commands",
    "tests.support.fruitless",
]

# Machines are slow at times, which is no fault; and what lands is tried with fixed examples, so
# that a change isn't refused for what it didn't do.
settings.register_profile("chancery", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("chancery")


# On a quiet machine slow tests take up to a few minutes, on a busy one several times as long.
SLOW_TIMEOUT_S = 1_200


def pytest_configure() -> None:
    # A shell ignores SIGINT for what it starts in the background, and so would our children.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have coverage look away from what tries very many cases: it makes them three times as slow.

    What they show is that answers are right; that every branch is tried is shown by the others.
    """
    tracing = coverage.Coverage.current()
    if tracing is None or item.get_closest_marker("exhaustive") is None:
        return (yield)
    tracing.stop()
    try:
        return (yield)
    finally:
        tracing.start()
