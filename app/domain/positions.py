"""Where one party formally stood towards another on a day: computed from events, never stored.

The rules are those of the contract, section 5. An event whose day isn't known exactly makes a
position possible rather than definite while its days run, and no event at all makes it unknown,
which never means "not listed".

Open ends are `date.min` and `date.max` here, so that they compare like any day.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from app.domain.vocabulary import Certainty, Dimension, State, Verification

_STATES: Mapping[Dimension, Mapping[State, tuple[str, ...]]] = {
    Dimension.DESIGNATION: {
        State.LISTED: ("list", "reinstate", "amend", "maintain"),
        State.SUSPENDED: ("suspend",),
        State.DELISTED: ("delist",),
        State.EXPIRED: ("expire",),
    },
    Dimension.RECOGNITION: {
        State.RECOGNISED: ("grant",),
        State.REFUSED: ("refuse",),
        State.WITHDRAWN: ("withdraw",),
    },
    Dimension.RELATIONS: {
        State.ESTABLISHED: ("establish", "resume", "upgrade", "downgrade"),
        State.SUSPENDED: ("suspend",),
        State.SEVERED: ("sever",),
    },
    Dimension.MISSION: {
        State.OPERATING: ("open", "resume_operations", "upgrade", "downgrade", "relocate"),
        State.CONSULAR_ONLY: ("resume_consular",),
        State.STAFF_WITHDRAWN: ("withdraw_staff",),
        State.SUSPENDED: ("suspend_operations",),
        State.CLOSED: ("close",),
    },
    Dimension.ACCREDITATION: {
        State.COPY_RECEIVED: ("receive_credentials_copy",),
        State.ACCREDITED: ("accept_credentials",),
        State.CHARGE: ("name_charge",),
        State.RECALLED: ("recall",),
        State.NONE: ("end",),
    },
}
STATE_OF_KIND: Mapping[str, State] = {
    f"{dimension}.{verb}": state
    for dimension, states in _STATES.items()
    for state, verbs in states.items()
    for verb in verbs
}
"""The state that an event of a kind leads to; kinds that change nothing are not in it."""

_A_DAY = timedelta(days=1)


def last_possible(first: date, last: date, announced: tuple[date, date] | None) -> date:
    """Return the last day on which something can have happened between two days.

    What was announced within that time had happened by then: the announcement is the last day.
    """
    if announced is not None and first <= announced[0] and announced[1] <= last:
        return announced[1]
    return last


class Effect(NamedTuple):
    """What an event does to a position. Effects sort in the order in which they apply."""

    first: date
    last: date
    event: str
    state: State
    verification: Verification
    until_first: date | None
    """The first day that may be the last one on which it holds; None where it has no end."""
    until_last: date | None
    told: date | None
    """The day by which it was announced, adopted or signed; None where nothing says so."""
    written: str
    """The date on which it takes effect, as written."""

    def holds(self, day: date) -> bool | None:
        """Tell whether it has applied and hasn't ended; None where both are possible."""
        if day < self.first or (self.until_last is not None and day > self.until_last):
            return False
        if day < self.last or (self.until_first is not None and day > self.until_first):
            return None
        return True


class Standing(NamedTuple):
    """What holds on a day: the event that settled it, and later ones that may have changed it."""

    settled: Effect | None
    possible: tuple[Effect, ...] = ()

    @property
    def certainty(self) -> Certainty:
        """How sure it is."""
        if self.possible:
            return Certainty.POSSIBLE
        return Certainty.DEFINITE if self.settled else Certainty.UNKNOWN

    @property
    def basis(self) -> list[str]:
        """The ids of the events that make it what it is."""
        return [effect.event for effect in self._effects]

    @property
    def state(self) -> State | None:
        """The state where it is definite, else None."""
        return self.settled.state if self.settled and not self.possible else None

    @property
    def candidates(self) -> list[State]:
        """Where it is possible only, the states it may be, the earlier ones first."""
        return list(dict.fromkeys(e.state for e in self._effects)) if self.possible else []

    @property
    def shown(self) -> tuple[Certainty, list[str]]:
        """What is shown: states and candidates follow from what it rests on and how surely."""
        return self.certainty, self.basis

    @property
    def answer(self) -> tuple[State | None, frozenset[State], Certainty]:
        """What is answered, apart from what it rests on."""
        return self.state, frozenset(self.candidates), self.certainty

    def is_surely(self, state: State) -> bool:
        """Tell whether it is this state in every case, whichever of the events have applied."""
        return self.settled is not None and all(e.state == state for e in self._effects)

    @property
    def _effects(self) -> tuple[Effect, ...]:
        return self.possible if self.settled is None else (self.settled, *self.possible)


class Span(NamedTuple):
    """Days on which a position stood on the same events; the first day is None where open."""

    first: date | None
    last: date
    standing: Standing


class Course:
    """A position over time."""

    def __init__(self, effects: Iterable[Effect]) -> None:
        """Put the effects on one position in the order in which they apply."""
        self.effects = sorted(effects)
        self._firsts = [effect.first for effect in self.effects]
        self._turns = sorted({day for effect in self.effects for day in _turns(effect)})

    def on(self, day: date) -> Standing:
        """Return what holds on a day."""
        possible: list[Effect] = []
        for place in range(bisect_right(self._firsts, day) - 1, -1, -1):
            effect = self.effects[place]
            holds = effect.holds(day)
            if holds:
                return Standing(effect, tuple(reversed(possible)))
            if holds is None:
                possible.append(effect)
        return Standing(None, tuple(reversed(possible)))

    def since(self, day: date) -> str | None:
        """Return the date of the event with which the state of that day began.

        None where the state isn't definite, or came back by itself when another one ended.
        """
        standing = self.on(day)
        state, began = standing.state, day
        if state is None:
            return None
        for turn in reversed(self._turns[: bisect_right(self._turns, day)]):
            earlier = self.on(turn)
            if not earlier.is_surely(state):
                break
            standing, began = earlier, turn
        first = standing.settled
        return first.written if first is not None and first.last == began else None

    def spans(self, first: date | None, last: date) -> Iterator[Span]:
        """Return how it went from a day, or from ever, to another one, without gaps."""
        begin, standing = first, self.on(first or date.min)
        for turn in self._turns:
            if (first is not None and turn <= first) or turn > last:
                continue
            following = self.on(turn)
            if following.shown != standing.shown:
                yield Span(begin, turn - _A_DAY, standing)
                begin, standing = turn, following
        yield Span(begin, last, standing)


def _turns(effect: Effect) -> Iterator[date]:
    """Return the days with which something may change for the position."""
    ends = (effect.until_first, effect.until_last)
    days = [effect.first, effect.last]
    days += [end + _A_DAY for end in ends if end is not None and end < date.max]
    return (day for day in days if date.min < day < date.max)
