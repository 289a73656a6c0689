"""Whether all candidates say the same, before any of them is timed."""

from itertools import islice
from typing import Any

import httpx

from tests.benchmarks.reads.questions import LIMIT, fresh
from tests.benchmarks.reads.workloads import Candidates, countries, ids, rare

QUESTIONS = 60


def compare(running: Candidates) -> None:
    """Ask every candidate the same questions.

    Raises:
        AssertionError: two of them say different things.

    """
    asked = list(islice(fresh(1, countries(running)), QUESTIONS))
    asked += [rare(running), {"country": "RU", "status": "in_effect"}]
    answered = 0
    for question in asked:
        ours = items(f"{running.service.address}/v1/events", question | {"limit": str(LIMIT)})
        theirs = items(f"{running.plain.address}/v1/events", question | {"limit": str(LIMIT)})
        assert ours == theirs, (question, ours, theirs)
        answered += len(ours)
        if running.datasette is not None and "date_from" in question:
            name = "rare" if "regime" in question else "page"
            rows = _asked(f"{running.datasette.address}/register/{name}.json", question)
            assert [each["id"] for each in rows] == [each["id"] for each in ours], question
    for event in islice(ids(running.url), QUESTIONS):
        ours = _asked(f"{running.service.address}/v1/events/{event}", {})
        assert ours == _asked(f"{running.plain.address}/v1/events/{event}", {})
    assert answered > QUESTIONS


def items(address: str, question: dict[str, str]) -> list[dict[str, Any]]:
    """Return the events of a page."""
    found: list[dict[str, Any]] = _asked(address, question)["items"]
    return found


def _asked(address: str, question: dict[str, str]) -> Any:
    shape = {"_shape": "array"} if "/register/" in address else {}
    response = httpx.get(address, params={**question, **shape}, timeout=60)
    response.raise_for_status()
    return response.json()
