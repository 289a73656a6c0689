"""The columns of a table of positions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.api.formats.columns import Column, Shape
from app.domain.cells import join
from app.domain.evidence import Answer
from app.domain.labels import word_lists
from app.domain.territories import territories


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position on a day, with the names of whom it is about."""

    answer: Answer
    names: Mapping[str, str]
    day: str


def _alpha3(party: str) -> str:
    territory = territories().get(party)
    return (territory.alpha3 if territory else None) or ""


def _in_words(row: PositionRow) -> str:
    standing, words = row.answer.standing, word_lists()["state"].words
    states = [standing.state] if standing.state else standing.candidates
    return " or ".join(words[state] for state in states)


def _several(name: str, description: str, of: Callable[[Answer], list[str]]) -> Column[PositionRow]:
    return Column(name, description, lambda row: join(of(row.answer)), Shape.LIST)


POSITION_COLUMNS: tuple[Column[PositionRow], ...] = (
    Column("as_of", "The day that is asked about.", lambda row: row.day, Shape.DAY),
    Column("actor", "Whose position: a territory's code or an id.", lambda r: r.answer.key.actor),
    Column("actor.name", "The name.", lambda row: row.names.get(row.answer.key.actor, "")),
    Column(
        "actor.alpha3",
        "A state's ISO 3166-1 alpha-3 code.",
        lambda row: _alpha3(row.answer.key.actor),
    ),
    Column("subject", "Towards whom.", lambda row: row.answer.key.subject),
    Column("subject.name", "The name.", lambda row: row.names.get(row.answer.key.subject, "")),
    Column(
        "subject.alpha3",
        "A state's ISO 3166-1 alpha-3 code.",
        lambda row: _alpha3(row.answer.key.subject),
    ),
    Column(
        "dimension",
        "In what: designation, recognition, relations, mission or accreditation.",
        lambda row: row.answer.key.dimension,
    ),
    Column(
        "regime",
        "The list that a designation is on: /v1/regimes has them all.",
        lambda row: row.answer.key.regime or "",
    ),
    Column(
        "state",
        "What the position was; empty unless it is definite.",
        lambda row: row.answer.standing.state or "",
    ),
    Column(
        "certainty",
        "definite; possible, because the day of a change isn't known exactly; or unknown, because "
        "no event says anything, which does not mean no.",
        lambda row: row.answer.standing.certainty,
    ),
    _several(
        "candidates",
        "Where it is possible only: what it may be.",
        lambda answer: [*answer.standing.candidates],
    ),
    Column("state_in_words", "The state, or the candidates, in plain words.", _in_words),
    Column(
        "since",
        "The date, as it is known, of the event with which a definite state began that has held "
        "unbroken since; empty where it came back by itself.",
        lambda row: row.answer.since or "",
        Shape.DATE,
    ),
    _several(
        "basis",
        "The ids of the events it rests on; each is at /v1/events/{id}.",
        lambda answer: answer.standing.basis,
    ),
    _several(
        "pending",
        "The latest step of each measure about it that isn't finished.",
        lambda answer: answer.pending,
    ),
    _several(
        "upcoming",
        "Changes made known by that day that take effect after it.",
        lambda answer: answer.upcoming,
    ),
    _several(
        "unconfirmed",
        "Later events that are too weakly attested to count, and would change the answer.",
        lambda answer: answer.unconfirmed,
    ),
)
"""The columns in their order."""
