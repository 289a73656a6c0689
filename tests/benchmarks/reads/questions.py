"""What is asked: paths that nobody has asked for before, drawn at random from a seed."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from random import Random
from urllib.parse import urlencode

FIRST_DAY, DAYS = date(1992, 1, 1), 12_000
STATUSES = ("in_effect", "proposed", "adopted", "signalled")
LIMIT = 20

Question = dict[str, str]


def fresh(seed: int, countries: list[str]) -> Iterator[Question]:
    """Yield questions by country, status and dates, each of them once."""
    draw, seen = Random(seed), set[tuple[str, ...]]()
    while True:
        first = FIRST_DAY + timedelta(days=draw.randrange(DAYS))
        last = first + timedelta(days=draw.randrange(365, 3_650))
        asked = draw.choice(countries), draw.choice(STATUSES), str(first), str(last)
        if asked not in seen:
            seen.add(asked)
            names = "country", "status", "date_from", "date_to"
            yield dict(zip(names, asked, strict=True))


def paths(questions: Iterator[Question], count: int, **more: str) -> list[str]:
    """Return the paths of so many questions."""
    return [f"/v1/events?{urlencode({**each, **more})}" for each in islice(questions, count)]
