"""Random archives for property tests: seeded, small, and full of partial dates and odd cases."""

from datetime import date, timedelta
from random import Random

from app.commands.record import NewEvent
from app.domain.dates import days_of
from app.domain.vocabulary import (
    DateName,
    Dimension,
    Kind,
    Role,
    Status,
    Verification,
    family_of,
)
from tests.support.factories import event

PARTIES = ("KZ", "RU", "AF", "SA", "taliban", "hamas", "islamic-emirate-of-afghanistan")
REGIMES = ("KZ-NLTO", "RU-UFL", None)
MEASURES = ("one-measure", "another-measure", None)
# They are not in the shipped timeline, so that all their positions come from the test's events.
STANCE_PARTIES = ("FI", "KE", "MN", "UY")
_STANCES = (*Dimension, "legislation", "statement")
# Few days, so that many events share one and ties are common.
FIRST_DAY = date(2024, 1, 1)
DAYS = 60


def random_date(random: Random) -> str:
    """Return a day, month, year, or an interval with bounded or open ends."""
    start = FIRST_DAY + timedelta(days=random.randrange(DAYS))
    end = start + timedelta(days=random.randrange(20))
    return random.choice(
        [
            start.isoformat(),
            start.isoformat(),
            start.isoformat()[:7] + random.choice(["", "~", "?"]),
            start.isoformat()[:4],
            f"{start}/{end}",
            f"../{end}",
            f"{start}/..",
            f"/{end.isoformat()[:7]}",
        ]
    )


def random_event(random: Random, number: int) -> NewEvent:
    """Return a random event; its id doesn't follow the order of the others."""
    names = random.sample(list(DateName)[:5], random.randint(1, 3))
    others = random.choices(PARTIES, k=random.randint(0, 3))
    roles = random.choices(list(Role), k=len(others))
    return event(
        f"event-{random.randrange(10**6):06}-{number}",
        kind=random.choice(list(Kind)),
        status=random.choice(list(Status)),
        verification=random.choice(list(Verification)),
        dates={name: random_date(random) for name in names},
        participants=[
            {"party": random.choice(PARTIES), "role": "actor"},
            *({"party": p, "role": r} for p, r in zip(others, roles, strict=True)),
        ],
        regime=random.choice(REGIMES),
        measure=random.choice(MEASURES),
    )


def random_stance(random: Random, number: int) -> NewEvent:
    """Return a random event of those that positions rest on, between few parties."""
    names = random.sample(["occurred", "announced", "adopted", "effective"], random.randint(1, 2))
    dates = {name: random_date(random) for name in names}
    if "effective" in dates and random.random() < 0.4:
        dates["effective_until"] = random_end(random, dates["effective"])
    others = random.choices(STANCE_PARTIES, k=random.randint(0, 2))
    roles = random.choices(["subject", "subject", "actor", "mentioned"], k=len(others))
    return event(
        f"stance-{random.randrange(10**6):06}-{number}",
        kind=random.choice([kind for kind in Kind if family_of(kind) in _STANCES]),
        status=random.choice(["in_effect", "in_effect", "in_effect", *Status]),
        verification=random.choice(["confirmed", "confirmed", *Verification]),
        dates=dates,
        participants=[
            {"party": random.choice(STANCE_PARTIES), "role": "actor"},
            *({"party": p, "role": r} for p, r in zip(others, roles, strict=True)),
        ],
        regime=random.choice(REGIMES),
        measure=random.choice(MEASURES),
    )


def random_end(random: Random, begin: str) -> str:
    """Return a day or a month that doesn't end before a date begins, or an end left open."""
    first = days_of(begin).first or FIRST_DAY
    end = first + timedelta(days=random.randrange(30))
    return random.choice([end.isoformat(), end.isoformat(), end.isoformat()[:7], f"{end}/.."])


def random_events(seed: int, count: int) -> list[NewEvent]:
    """Return a random archive."""
    random = Random(seed)
    return [random_event(random, number) for number in range(count)]
