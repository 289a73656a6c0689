"""Invented events for demonstrations and measurements: no fact is in them, but the shape of facts.

Everything follows from a seed and the event's number. Few countries take part in most events, most
dates are days and some are months, years or intervals, and every fourth event was corrected. No
reader can take them for the register: ids, titles and sources say that they are invented.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import Any

from app.domain.event import EventFacts
from app.domain.reference import PartyFacts, RegimeFacts
from app.domain.territories import territories
from app.domain.vocabulary import Kind, PartyKind, Status, Verification, family_of

ORGANISATIONS = 400
REGIMES = 40
MOST_REVISIONS = 3
_MEASURE_STEPS = 4
_FIRST_YEAR, _LAST_DAY = 1960, date(2026, 6, 30)
_WORDS = (  # noqa: SIM905 - Sixty lines say no more.
    "ministry embassy government list decision court deputies parliament bill reading ambassador "
    "recognition sanctions terrorist organisation delegation consular agreement republic council "
    "state authority gazette statement talks visit capital border mission credentials charge "
    "decree order ruling petition committee resolution relations suspended removed designated"
).split()
_SYLLABLES = "ba ce di fo gu ha ji ko lu me na pe qi ro su ta vi wo xe za".split()  # noqa: SIM905
_MENTIONS = 0.2
_FAMILIES = {"designation": 8, "mission": 5, "statement": 4, "legislation": 3}
_STATUSES = (Status.IN_EFFECT, Status.PROPOSED, Status.SIGNALLED, Status.ADOPTED, Status.REJECTED)
_VERIFICATIONS = (Verification.CONFIRMED, Verification.REPORTED, Verification.CLAIMED)


def organisations() -> list[PartyFacts]:
    """Return the invented parties that take part beside states."""
    return [
        PartyFacts(
            id=f"invented-organisation-{number}",
            kind=PartyKind.ORGANISATION,
            name=f"Invented organisation {number}",
            aliases=(f"{_rare_word(number).title()} Front (invented)",),
        )
        for number in range(ORGANISATIONS)
    ]


def regimes() -> list[RegimeFacts]:
    """Return the invented lists that designations are made under."""
    return [
        RegimeFacts(code=f"INVENTED-{number}", issuer=_states()[number], name=f"List {number}")
        for number in range(REGIMES)
    ]


def event_id(number: int) -> str:
    """Return the id of an invented event."""
    # Consecutive numbers lie apart, as the ids of real events do in the order of their recording.
    return f"invented-{number * 7_368_787 % 10_000_019:08}"


def history(seed: int, number: int) -> list[EventFacts]:
    """Return the states in which an invented event was recorded, one after the other."""
    random = Random(f"{seed} {number}")  # noqa: S311 - It invents, and keeps no secret.
    stated = _stated(random, seed, number)
    states = [stated]
    for _ in range(random.choices(range(MOST_REVISIONS), (75, 20, 5))[0]):
        corrected = {"summary": _prose(random), "verification": Verification.CONFIRMED}
        states.append(states[-1] | corrected)
    return [EventFacts.model_validate(each) for each in states]


def _stated(random: Random, seed: int, number: int) -> dict[str, Any]:
    # A third of all events are steps of measures, which the same parties take part in.
    step, measure = number % (3 * _MEASURE_STEPS), number // (3 * _MEASURE_STEPS)
    in_measure = step < _MEASURE_STEPS
    parties = Random(f"{seed} measure {measure}") if in_measure else random  # noqa: S311
    actor = parties.choices(_states(), cum_weights=_skewed(len(_states())))[0]
    subject = parties.choices(_subjects(), cum_weights=_skewed(len(_subjects())))[0]
    kind = random.choices(list(Kind), cum_weights=_kind_weights())[0]
    designates = family_of(kind) == "designation"
    relations = []
    if in_measure and step:
        relations.append({"type": "advances", "event": event_id(number - 1)})
    return {
        "kind": kind,
        "status": random.choices(_STATUSES, (60, 15, 10, 10, 5))[0],
        "verification": random.choices(_VERIFICATIONS, (70, 20, 10))[0],
        "title": f"{actor}: {kind.replace('.', ' ')} concerning {subject} (invented)",
        "summary": _prose(random),
        "dates": _dates(random),
        "participants": _participants(random, actor, subject),
        "regime": f"INVENTED-{random.randrange(REGIMES)}" if designates else None,
        "measure": f"invented-measure-{measure}" if in_measure else None,
        "relations": relations,
        "sources": [_source(random) for _ in range(random.randint(1, 3))],
    }


def _participants(random: Random, actor: str, subject: str) -> list[dict[str, Any]]:
    taking_part = [{"party": actor, "role": "actor", "organ": "Invented ministry"}]
    if subject != actor:
        taking_part.append({"party": subject, "role": "subject"})
    if random.random() < _MENTIONS:
        other = random.choices(_states(), cum_weights=_skewed(len(_states())))[0]
        taking_part.append({"party": other, "role": "mentioned"})
    return taking_part


def _source(random: Random) -> dict[str, Any]:
    return {
        "title": f"Invented source {random.randrange(10**6)}",
        "publisher": "Nobody: invented for a demonstration",
        "quote": _prose(random, 1),
    }


def _dates(random: Random) -> dict[str, str]:
    # The nearer to the present, the more is recorded.
    days = (_LAST_DAY - date(_FIRST_YEAR, 1, 1)).days
    day = date(_FIRST_YEAR, 1, 1) + timedelta(days=int(days * random.random() ** 0.4))
    iso = day.isoformat()
    later = (day + timedelta(days=random.randrange(1, 90))).isoformat()
    choices = (iso, iso[:7], f"{iso[:7]}~", iso[:4], f"{iso}/{later}", f"{iso}/..")
    own = random.choices(choices, (75, 10, 5, 4, 4, 2))[0]
    return {"announced": iso, random.choice(("effective", "occurred", "announced")): own}


def _prose(random: Random, sentences: int | None = None) -> str:
    count = random.randint(1, 4) if sentences is None else sentences
    return " ".join(_sentence(random) for _ in range(count))


def _sentence(random: Random) -> str:
    words = random.choices(_WORDS, k=random.randint(6, 12))
    words.append(_rare_word(int(20_000 * random.random() ** 3)))
    return f"{' '.join(words).capitalize()}."


def _rare_word(number: int) -> str:
    word, base = "", len(_SYLLABLES)
    for _ in range(4):
        number, syllable = divmod(number, base)
        word += _SYLLABLES[syllable]
    return word


@cache
def _states() -> Sequence[str]:
    """Return the codes of the states, in an order of no meaning that decides who acts most."""
    codes = sorted(each.code for each in territories().values() if len(each.code) == 2)  # noqa: PLR2004
    Random(0).shuffle(codes)  # noqa: S311
    return [code for code in codes if territories()[code].kind != "bloc"]


@cache
def _subjects() -> Sequence[str]:
    names = [*_states(), *(each.id for each in organisations())]
    Random(1).shuffle(names)  # noqa: S311
    return names


@cache
def _skewed(count: int) -> Sequence[float]:
    """Return weights by Zipf's law, added up: the second takes part half as often as the first."""
    return list(accumulate(1 / (rank + 3) for rank in range(count)))


@cache
def _kind_weights() -> Sequence[float]:
    return list(accumulate(_FAMILIES.get(family_of(kind), 1) for kind in Kind))
