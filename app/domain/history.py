"""What an event was, from when to when: its revisions and the countries of its parties together.

What is read of an event changes when it is revised and when a party in it comes to belong to
another country, by which events are filtered and counted. This module says which versions there
were; the database's projections of the past are made by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.document import Stamp, TombstoneDocument, render
from app.domain.event import EventFacts
from app.domain.text import RECORDED

GONE = {"retract": "retracted", "merge": "merged"}


@dataclass(frozen=True, slots=True)
class Revision:
    """One recorded state of an event."""

    event: str
    revision: int
    action: str
    facts: EventFacts
    first_recorded_at: datetime
    recorded_at: datetime
    note: str | None = None
    merged_into: str | None = None
    reason: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether the event is in lists as of this revision."""
        return self.action not in GONE

    @property
    def stamp(self) -> Stamp:
        """The journal's stamp on the document of this revision."""
        return Stamp(self.revision, self.first_recorded_at, self.recorded_at)

    def tombstone(self) -> str:
        """Return the JSON text of what is left to show of an event that is gone."""
        return TombstoneDocument(
            id=self.event,
            state=GONE[self.action],
            reason=self.reason or self.note,
            merged_into=self.merged_into,
            revision=self.revision,
            recorded_at=self.first_recorded_at,
            updated_at=self.recorded_at,
        ).model_dump_json()


def revision_of(row: Any) -> Revision:
    """Return the revision that a stored one holds; `row` has its columns as attributes."""
    return Revision(
        event=row.event,
        revision=row.revision,
        action=row.action,
        facts=EventFacts.model_validate(row.facts, context=RECORDED),
        first_recorded_at=row.first_recorded_at,
        recorded_at=row.recorded_at,
        note=row.note,
        merged_into=row.merged_into,
        reason=row.reason,
    )


@dataclass(frozen=True, slots=True)
class Belonging:
    """To which country a party belonged from an instant on."""

    since: datetime
    country: str | None


Countries = Mapping[str, str | None]
"""The countries of an event's parties, by the parties' ids."""


@dataclass(frozen=True, slots=True)
class Version:
    """What is read of an event, from an instant until another; None means until now."""

    revision: Revision
    countries: Countries
    document: str
    known_from: datetime
    known_to: datetime | None


def versions(
    revisions: Sequence[Revision], belongings: Mapping[str, Sequence[Belonging]]
) -> Iterator[Version]:
    """Return every version of one event in the order of time.

    Args:
        revisions: all revisions of the event, in their order.
        belongings: for each party that they name, where it belonged, in the order of time.

    """
    ends = [*(each.recorded_at for each in revisions[1:]), None]
    for revision, end in zip(revisions, ends, strict=True):
        if revision.is_live:
            yield from _versions_of(revision, end, belongings)


def _versions_of(
    revision: Revision, end: datetime | None, belongings: Mapping[str, Sequence[Belonging]]
) -> Iterator[Version]:
    """Return the versions of one revision: a new one whenever a party came to belong elsewhere."""
    begin = revision.recorded_at
    named = {participant.party for participant in revision.facts.participants}
    changes = {each.since for party in named for each in belongings[party]}
    within = sorted(t for t in changes if t > begin and (end is None or t < end))
    document = render(revision.event, revision.facts, revision.stamp)
    pending: Version | None = None
    for since, until in zip([begin, *within], [*within, end], strict=True):
        countries = {party: _country_at(since, belongings[party]) for party in named}
        if pending is not None and pending.countries == countries:
            since = pending.known_from  # noqa: PLW2901 - The same version goes on.
        elif pending is not None:
            yield pending
        pending = Version(revision, countries, document, since, until)
    assert pending is not None  # noqa: S101 - There is one interval at least.
    yield pending


def _country_at(instant: datetime, belongings: Sequence[Belonging]) -> str | None:
    """Return where the party belonged then; before it was first recorded, where it did first."""
    earlier = [each for each in belongings if each.since <= instant]
    return (earlier[-1] if earlier else belongings[0]).country
