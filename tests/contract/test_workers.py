"""Several workers behind one address: whoever is asked tells the numbers of all."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.metrics import Metrics
from tests.support.service import served

WORKERS = 2
LONGEST_S = 60


@pytest.fixture(scope="module")
def address(timeline_url: str) -> Iterator[str]:
    with served({"CHANCERY_DATABASE_URL": timeline_url}, "--workers", str(WORKERS)) as address:
        yield address


def metrics_of(address: str) -> Metrics:
    # Each question is a new connection, and may meet any of the workers.
    return Metrics(httpx.get(f"{address}/metrics"))


def settled(address: str, without: str = "") -> Metrics:
    """Return the metrics as soon as all workers tell theirs, and this one is gone."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        metrics = metrics_of(address)
        workers = metrics.workers()
        if list(workers.values()) == [1] * WORKERS and without not in workers:
            return metrics
        time.sleep(0.05)
    pytest.fail("The workers never were complete.")


def test_whoever_is_asked_tells_the_numbers_of_all(address: str) -> None:
    before = settled(address).values("chancery_requests_total", route="/livez")
    for _ in range(30):
        httpx.get(f"{address}/livez")
    for _ in range(10):
        metrics = settled(address)
        assert metrics.total("chancery_requests_total", route="/livez") == sum(before) + 30
        assert len(metrics.values("process_resident_memory_bytes")) == WORKERS
        assert len(metrics.values("chancery_change_number")) == 1


def test_a_worker_that_does_not_answer_is_said_not_to(address: str) -> None:
    stopped = next(iter(settled(address).workers()))
    os.kill(int(stopped), signal.SIGSTOP)
    try:
        metrics = metrics_of(address)
    finally:
        # The supervisor may have lost patience with it.
        with suppress(ProcessLookupError):
            os.kill(int(stopped), signal.SIGCONT)
    assert metrics.workers()[stopped] == 0
    assert metrics.values("chancery_requests_total", worker=stopped) == []
    assert metrics.total("chancery_requests_total") > 0


def test_a_worker_that_is_slow_is_given_time(address: str) -> None:
    before = settled(address).workers()
    slow = int(next(iter(before)))
    os.kill(slow, signal.SIGSTOP)
    # The supervisor asks twice a second, and would by itself wait for five.
    time.sleep(6.5)
    os.kill(slow, signal.SIGCONT)
    assert settled(address).workers() == before


def test_a_worker_that_was_killed_is_gone_and_another_is_there(address: str) -> None:
    before = set(settled(address).workers())
    killed = min(before)
    os.kill(int(killed), signal.SIGKILL)
    after = set(settled(address, without=killed).workers())
    assert len(after & before) == WORKERS - 1


def test_nothing_is_left_behind(timeline_url: str, tmp_path: Path) -> None:
    environment = {"CHANCERY_DATABASE_URL": timeline_url, "TMPDIR": str(tmp_path)}
    with served(environment, "--workers", str(WORKERS)) as address:
        settled(address)
        assert len(list(tmp_path.glob("chancery-*/*"))) == WORKERS
    assert list(tmp_path.iterdir()) == []
