"""Positions by a plain reading of the contract, section 5: slow, and written without our rules.

Everything is computed anew for every day from all the events that are visible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import permutations, product
from typing import Any

from app.domain.dates import days_of
from app.domain.event import EventFacts

TABLE = """
designation list reinstate amend maintain -> listed; suspend -> suspended; delist -> delisted
designation expire -> expired
recognition grant -> recognised; refuse -> refused; withdraw -> withdrawn
relations establish resume upgrade downgrade -> established; suspend -> suspended; sever -> severed
mission open resume_operations upgrade downgrade relocate -> operating
mission resume_consular -> consular_only; withdraw_staff -> staff_withdrawn
mission suspend_operations -> suspended; close -> closed
accreditation receive_credentials_copy -> copy_received; accept_credentials -> accredited
accreditation name_charge -> charge; recall -> recalled; end -> none
"""
WEIGHT = {"claimed": 0, "disputed": 0, "reported": 1, "confirmed": 2}
Key = tuple[str, str, str, str | None]


def _states() -> dict[str, str]:
    states: dict[str, str] = {}
    for line in TABLE.strip().splitlines():
        dimension, _, rest = line.partition(" ")
        for clause in rest.split(";"):
            verbs, _, state = clause.partition("->")
            states |= {f"{dimension}.{verb}": state.strip() for verb in verbs.split()}
    return states


STATES = _states()


def interval(text: str) -> tuple[date, date]:
    days = days_of(text)
    return days.first or date.min, days.last or date.max


@dataclass
class Seen:
    """An event as it is visible."""

    id: str
    facts: EventFacts

    @cached_property
    def days(self) -> tuple[date, date]:
        first, last = interval(self.facts.date)
        if self.facts.dates.announced:
            begin, end = interval(self.facts.dates.announced)
            if first <= begin and end <= last:
                last = end
        return first, last

    @property
    def order(self) -> tuple[date, date, str]:
        return (*self.days, self.id)

    def who(self, role: str) -> list[str]:
        return [p.party for p in self.facts.participants if p.role == role]

    @cached_property
    def pairs(self) -> set[tuple[str, str]]:
        actors, subjects = self.who("actor"), self.who("subject")
        return set(product(actors, subjects) if subjects else permutations(set(actors), 2))

    @property
    def named(self) -> set[tuple[str, str]]:
        return self.pairs | set(product(self.who("actor"), self.who("mentioned")))

    def names(self, key: Key) -> bool:
        """Tell whether it names actor and subject under the position's regime."""
        return key[:2] in self.named and self.facts.regime == key[3]

    def bears_on(self, key: Key) -> bool:
        family = self.facts.kind.partition(".")[0]
        regime = self.facts.regime if family == "designation" else None
        return key[:2] in self.pairs and (family, regime) == key[2:]

    def changes(self, key: Key) -> bool:
        return self.bears_on(key) and self.facts.status == "in_effect" and self.facts.kind in STATES

    def in_force(self, day: date) -> str:
        """Return `yes`, `no` or `perhaps`."""
        began = "no" if day < self.days[0] else "perhaps" if day < self.days[1] else "yes"
        until = self.facts.dates.effective_until
        if began == "no" or until is None:
            return began
        first_end, last_end = interval(until)
        if day > last_end:
            return "no"
        return "perhaps" if day > first_end else began


@dataclass
class Naive:
    """The positions that follow from what is visible."""

    seen: Sequence[Seen]
    least: str
    _known: dict[Any, Any] = field(default_factory=dict)

    def positions(self) -> set[Key]:
        """Return the positions that some event is about, or a measure under a regime."""
        found: set[Key] = set()
        for event in self.seen:
            family, regime = event.facts.kind.partition(".")[0], event.facts.regime
            if family in ("recognition", "relations", "mission", "accreditation"):
                found |= {(*pair, family, None) for pair in event.pairs}
            if family == "designation":
                found |= {(*pair, family, regime) for pair in event.pairs}
            if event.facts.measure and regime:
                found |= {(*pair, "designation", regime) for pair in event.named}
        return found

    def counting(self, key: Key) -> list[Seen]:
        return [e for e in self._changing(key) if WEIGHT[e.facts.verification] >= self._weight]

    def _changing(self, key: Key) -> list[Seen]:
        return [event for event in self.seen if event.changes(key)]

    @property
    def _weight(self) -> int:
        return WEIGHT[self.least]

    def replay(self, events: list[Seen], day: date) -> dict[str, Any]:
        """Go through the events in their order and note what each makes of the state."""
        worlds: list[str | None] = [None]
        basis: list[str] = []
        doubtful = False
        for event in sorted(events, key=lambda each: each.order):
            state, force = STATES[event.facts.kind], event.in_force(day)
            if force == "yes":
                worlds, basis, doubtful = [state], [event.id], False
            elif force == "perhaps":
                worlds, basis, doubtful = [*worlds, state], [*basis, event.id], True
        known = [state for state in dict.fromkeys(worlds) if state is not None]
        certainty = "possible" if doubtful else "definite" if known else "unknown"
        return {
            "state": known[0] if certainty == "definite" else None,
            "candidates": known if certainty == "possible" else [],
            "certainty": certainty,
            "basis": basis,
            "worlds": set(worlds),
        }

    def on(self, key: Key, day: date) -> dict[str, Any]:
        if (key, day) not in self._known:
            self._known[key, day] = self.replay(self.counting(key), day)
        found: dict[str, Any] = self._known[key, day]
        return found

    def since(self, key: Key, day: date, earliest: date) -> str | None:
        now = self.on(key, day)
        if now["certainty"] != "definite":
            return None
        while day > earliest and self.on(key, day - timedelta(days=1))["worlds"] == now["worlds"]:
            day -= timedelta(days=1)
        began = self.on(key, day)["basis"][0]
        (event,) = [event for event in self.seen if event.id == began]
        return event.facts.date if event.days[1] == day else None

    def pending(self, key: Key, day: date) -> list[str]:
        measures = {event.facts.measure for event in self.seen if event.names(key)} - {None}
        found = []
        for measure in measures:
            steps = [e for e in self.seen if e.facts.measure == measure and e.days[1] <= day]
            steps = [e for e in steps if e.facts.status != "commentary"]
            if steps:
                latest = max(steps, key=lambda each: each.order)
                if latest.facts.status in ("signalled", "proposed", "adopted"):
                    found.append(latest.id)
        return sorted(found)

    def upcoming(self, key: Key, day: date) -> list[str]:
        events = sorted(self.counting(key), key=lambda each: each.order)
        return [e.id for e in events if e.days[0] > day and told_by(e.facts, day)]

    def unconfirmed(self, key: Key, day: date) -> list[str]:
        counting, now = self.counting(key), self.on(key, day)
        settled = [e for e in counting if e.in_force(day) == "yes"]
        last = max((event.order for event in settled), default=(date.min, date.min, ""))
        weak = [e for e in self._changing(key) if e not in counting]
        weak = [e for e in weak if e.days[1] <= day and e.order > last]
        return [
            event.id
            for event in sorted(weak, key=lambda each: each.order)
            if answer(self.replay([*counting, event], day)) != answer(now)
        ]


def told_by(facts: EventFacts, day: date) -> bool:
    told = (facts.dates.announced, facts.dates.adopted, facts.dates.signed)
    return any(text is not None and interval(text)[1] <= day for text in told)


def answer(found: Mapping[str, Any]) -> tuple[Any, ...]:
    return found["state"], set(found["candidates"]), found["certainty"]
