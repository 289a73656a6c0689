"""What is known of some positions, and the answers that follow from it.

`app.domain.positions` says where one position stands on a day. Here stands what surrounds it: the
events that are too weakly attested to count, those that are still to take effect, and the measures
that are under way.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from app.domain.positions import Course, Effect, Span, Standing
from app.domain.vocabulary import Certainty, Dimension, Status, Verification

# What is disputed stands beside the scale and counts no more than what is claimed.
_WEIGHT = {
    Verification.CLAIMED: 0,
    Verification.DISPUTED: 0,
    Verification.REPORTED: 1,
    Verification.CONFIRMED: 2,
}
_UNFINISHED = (Status.SIGNALLED, Status.PROPOSED, Status.ADOPTED)


class Key(NamedTuple):
    """Whose position towards whom, in what; only a designation has a regime, and it may lack it."""

    actor: str
    subject: str
    dimension: Dimension
    regime: str | None

    @property
    def order(self) -> tuple[str, str, str, str]:
        """What positions are listed by."""
        return self.actor, self.subject, self.dimension, self.regime or ""


class Step(NamedTuple):
    """An event of a measure. Steps sort in the order in which they apply."""

    first: date
    last: date
    event: str
    measure: str
    status: Status


class Answer(NamedTuple):
    """Where somebody stood on a day, and what was under way: events are given by their ids."""

    key: Key
    standing: Standing
    since: str | None
    pending: list[str]
    upcoming: list[str]
    unconfirmed: list[str]

    @property
    def says_nothing(self) -> bool:
        """Whether nothing at all is known about the position on that day."""
        unknown = self.standing.certainty is Certainty.UNKNOWN
        return unknown and not (self.pending or self.upcoming or self.unconfirmed)


class History(NamedTuple):
    """A position over time."""

    key: Key
    spans: list[Span]

    @property
    def says_nothing(self) -> bool:
        """Whether nothing is known about the position on any of the days."""
        return all(span.standing.certainty is Certainty.UNKNOWN for span in self.spans)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of some positions."""

    effects: Mapping[Key, Sequence[Effect]]
    """What was done to each position, however well it is attested."""
    measures: Mapping[tuple[str, str, str | None], Collection[str]]
    """The measures that name an actor and a subject under a regime."""
    steps: Sequence[Step]
    named: Collection[Key] = ()
    """Positions that are answered even where nothing is known of them."""

    def answers(self, day: date, least: Verification) -> Iterator[Answer]:
        """Return where everybody stood on a day, in the order of the positions.

        Args:
            day: the day that is asked about.
            least: how well an event must be attested to count.

        """
        latest = pending(self.steps, day)
        for key in self._keys():
            counting, weak = _weighed(self.effects.get(key, ()), least)
            course = Course(counting)
            standing = course.on(day)
            measures = self.measures.get((key.actor, key.subject, key.regime), ())
            answer = Answer(
                key,
                standing,
                course.since(day),
                sorted(latest[measure] for measure in measures if measure in latest),
                [effect.event for effect in course.effects if _is_upcoming(effect, day)],
                [effect.event for effect in sorted(weak) if _would_change(standing, effect, day)],
            )
            if key in self.named or not answer.says_nothing:
                yield answer

    def histories(self, first: date | None, last: date, least: Verification) -> Iterator[History]:
        """Return how the positions went from a day, None for ever, to another one."""
        for key in self._keys():
            counting, _ = _weighed(self.effects.get(key, ()), least)
            history = History(key, list(Course(counting).spans(first, last)))
            if key in self.named or not history.says_nothing:
                yield history

    def _keys(self) -> list[Key]:
        return sorted({*self.effects, *self.named}, key=lambda key: key.order)


def pending(steps: Iterable[Step], day: date) -> dict[str, str]:
    """Return for each measure that is under way on a day the event that is its latest step."""
    latest: dict[str, Step] = {}
    for step in sorted(steps):
        if step.last <= day and step.status is not Status.COMMENTARY:
            latest[step.measure] = step
    return {m: step.event for m, step in latest.items() if step.status in _UNFINISHED}


def _weighed(effects: Iterable[Effect], least: Verification) -> tuple[list[Effect], list[Effect]]:
    """Return the effects that count, and those that are too weakly attested to."""
    groups: dict[bool, list[Effect]] = defaultdict(list)
    for effect in effects:
        groups[_WEIGHT[effect.verification] >= _WEIGHT[least]].append(effect)
    return groups[True], groups[False]


def _is_upcoming(effect: Effect, day: date) -> bool:
    return effect.first > day and effect.told is not None and effect.told <= day


def _would_change(standing: Standing, weak: Effect, day: date) -> bool:
    """Tell whether an event that doesn't count would change the answer if it did."""
    if weak.last > day or (standing.settled is not None and weak < standing.settled):
        return False
    settled = [] if standing.settled is None else [standing.settled]
    return Course([*settled, *standing.possible, weak]).on(day).answer != standing.answer
