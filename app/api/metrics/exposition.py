"""What the service counts, in the text format that Prometheus reads (version 0.0.4).

Every number of a worker says whose it is. So nothing is lost when a worker begins anew, and one
worker's numbers are never taken for those of all; who wants the sum writes `sum` in the question.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from app.api.metrics.tally import BOUNDS_S, Durations, Tally
from app.db.engine import Database

NONE = "none"
"""The route of what leads nowhere, and the status of what was never answered."""

MEDIA_TYPE = "text/plain; version=0.0.4"

_MEMORY = Path("/proc/self/statm")


class Sample(NamedTuple):
    """One number: the family it belongs to, and what tells it from the others there."""

    family: str
    labels: dict[str, str]
    value: float
    suffix: str = ""


class Family(NamedTuple):
    """What some samples have in common."""

    kind: str
    help: str


FAMILIES = {
    "chancery_requests_total": Family("counter", "Requests that were answered."),
    "chancery_request_duration_seconds": Family("histogram", "How long answers took, to the end."),
    "chancery_requests_in_flight": Family("gauge", "Requests that are being answered."),
    "chancery_requests_turned_away_total": Family(
        "counter", "Requests that were refused for want of places."
    ),
    "chancery_cache_hits_total": Family("counter", "Answers that were given again."),
    "chancery_cache_misses_total": Family("counter", "Answers to readers that had to be made."),
    "chancery_cache_bytes": Family("gauge", "What the answers that are kept take."),
    "chancery_pool_connections": Family("gauge", "Connections a pool to the database may open."),
    "chancery_pool_connections_in_use": Family("gauge", "Connections that a pool has lent."),
    "chancery_streams_open": Family("gauge", "Readers of the stream of changes."),
    "chancery_change_number": Family("gauge", "The number of the newest change in the database."),
    "chancery_worker_up": Family("gauge", "Whether a worker told its numbers in time."),
    "process_resident_memory_bytes": Family("gauge", "Memory that a worker has."),
    "process_cpu_seconds_total": Family("counter", "Time that a worker was computing."),
    "process_start_time_seconds": Family("gauge", "When a worker began, as a Unix time."),
}


def of_worker(tally: Tally, database: Database, streams: int) -> list[Sample]:
    """Return what this process knows of itself."""
    alone = {
        "chancery_requests_in_flight": tally.in_flight,
        "chancery_requests_turned_away_total": tally.turned_away,
        "chancery_cache_hits_total": tally.hits,
        "chancery_cache_misses_total": tally.misses,
        "chancery_cache_bytes": tally.kept_bytes,
        "chancery_streams_open": streams,
        "process_resident_memory_bytes": _resident_bytes(),
        "process_cpu_seconds_total": time.process_time(),
        "process_start_time_seconds": tally.began,
    }
    return [
        *_answers(tally),
        *_pools(database),
        *(Sample(family, {}, value) for family, value in alone.items()),
    ]


def of_all(workers: dict[str, list[Sample] | None], change: int | None) -> list[Sample]:
    """Return the numbers of all workers, None where one didn't tell, and of the register."""
    samples = [
        Sample("chancery_worker_up", {"worker": worker}, told is not None)
        for worker, told in workers.items()
    ]
    for worker, told in workers.items():
        samples += [one._replace(labels={"worker": worker, **one.labels}) for one in told or ()]
    if change is not None:
        samples.append(Sample("chancery_change_number", {}, change))
    return samples


def text(samples: Iterable[Sample]) -> str:
    """Return the samples in the format, which wants those of a family together."""
    lines = defaultdict(list)
    for sample in samples:
        lines[sample.family].append(_line(sample))
    return "".join(
        f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n{''.join(lines[name])}"
        for name, family in FAMILIES.items()
    )


def _line(sample: Sample) -> str:
    # Every value is a name that we gave: none holds a character that would have to be escaped.
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
    braced = f"{{{labels}}}" if labels else ""
    return f"{sample.family}{sample.suffix}{braced} {float(sample.value)!r}\n"


def _answers(tally: Tally) -> Iterator[Sample]:
    for (route, method, status), durations in tally.answers.items():
        labels = {"route": route or NONE, "method": method, "status": _status_class(status)}
        yield Sample("chancery_requests_total", labels, durations.count)
        yield from _histogram("chancery_request_duration_seconds", labels, durations)


def _status_class(first_digit: int) -> str:
    return f"{first_digit}xx" if first_digit else NONE


def _histogram(family: str, labels: dict[str, str], durations: Durations) -> Iterator[Sample]:
    for bound, count in zip(BOUNDS_S, durations.up_to(), strict=True):
        yield Sample(family, {**labels, "le": str(bound)}, count, "_bucket")
    yield Sample(family, {**labels, "le": "+Inf"}, durations.count, "_bucket")
    yield Sample(family, labels, durations.total, "_sum")
    yield Sample(family, labels, durations.count, "_count")


def _pools(database: Database) -> Iterator[Sample]:
    for pool, use in database.pools().items():
        yield Sample("chancery_pool_connections", {"pool": pool}, use.size)
        yield Sample("chancery_pool_connections_in_use", {"pool": pool}, use.lent)


def _resident_bytes() -> int:
    resident_pages = int(_MEMORY.read_text().split()[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE")
