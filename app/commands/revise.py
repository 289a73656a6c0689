"""What every change of an event does: look at its state under the lock, and add a revision."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.commands import chain, journal
from app.commands.projection import project
from app.db.conditions import among
from app.db.connections import ReadConnection, WriteConnection
from app.db.party_cache import complete_documents, select_parties_as_of
from app.db.projections import Event
from app.db.tables import EventRevision
from app.domain.document import name_revision
from app.domain.errors import (
    GoneError,
    MergedError,
    NotFoundError,
    PreconditionFailedError,
    PreconditionRequiredError,
)
from app.domain.event import EventFacts
from app.domain.history import Revision, revision_of

Tags = Collection[str] | None
"""The tags of If-Match, `*` among them if it was sent; None where the header was not sent."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the register, and why."""

    name: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """An event as it stands: its latest revision, and what is shown of it."""

    revision: Revision
    shown: str

    def check(self, tags: Tags) -> None:
        """Make sure that a change was made from this state.

        Raises:
            PreconditionRequiredError: the change doesn't say from which state it was made.
            PreconditionFailedError: it was made from another one.

        """
        if tags is None:
            raise PreconditionRequiredError
        if not self.is_one_of(tags):
            raise PreconditionFailedError(self.shown)

    def is_one_of(self, tags: Collection[str]) -> bool:
        """Tell whether these tags name this state; `*` names any."""
        return name_revision(tags, self.revision.revision)

    def check_live(self) -> None:
        """Make sure that the event is live.

        Raises:
            GoneError: it was retracted.
            MergedError: it was merged into another one.

        """
        if self.revision.merged_into is not None:
            raise MergedError(self.revision.merged_into)
        if not self.revision.is_live:
            raise GoneError(self.shown)


async def state(connection: ReadConnection, event: str) -> State | None:
    """Return an event as it stands, None if its id was never used."""
    revisions = await latest_revisions(connection, [event])
    if not revisions:
        return None
    (revision,) = revisions
    if not revision.is_live:
        return State(revision, revision.tombstone())
    live = select(Event.document, select_parties_as_of()).where(Event.id == event)
    (document,) = await complete_documents(connection, await connection.execute(live))
    return State(revision, document)


async def latest_revisions(connection: ReadConnection, events: Collection[str]) -> list[Revision]:
    """Return the latest revision of each of these events."""
    first = aliased(EventRevision)
    rows = await connection.execute(
        select(EventRevision.__table__, first.recorded_at.label("first_recorded_at"))
        .join(first, (first.event == EventRevision.event) & (first.revision == 1))
        .where(among(EventRevision.event, events))
        .ext(distinct_on(EventRevision.event))
        .order_by(EventRevision.event, EventRevision.revision.desc())
    )
    return [revision_of(row) for row in rows]


async def existing(connection: WriteConnection, event: str) -> State:
    """Take the journal's lock and return an event as it stands.

    Raises:
        NotFoundError: its id was never used.

    """
    await journal.lock(connection)
    found = await state(connection, event)
    if found is None:
        raise NotFoundError("There is no event of this id. /v1/events lists those that exist.")
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """A revision to be added."""

    event: str
    action: str
    facts: EventFacts
    before: Revision | None = None
    merged_into: str | None = None
    reason: str | None = None


async def add_revisions(
    connection: WriteConnection, changes: Sequence[Change], author: Author
) -> list[Revision]:
    """Add revisions in the order given, and link them; the journal's lock must be held."""
    first = await journal.next_place(connection)
    places = [first.plus(offset) for offset in range(len(changes))]
    added = [_revised(c, p.recorded_at, author) for c, p in zip(changes, places, strict=True)]
    await connection.execute(
        insert(EventRevision),
        [revision_row(r, p.seq, author) for r, p in zip(added, places, strict=True)],
    )
    await chain.link(connection)
    await project(connection, added)
    await journal.announce(connection)
    return added


def _revised(change: Change, instant: datetime, author: Author) -> Revision:
    before = change.before
    return Revision(
        event=change.event,
        revision=1 if before is None else before.revision + 1,
        action=change.action,
        facts=change.facts,
        first_recorded_at=instant if before is None else before.first_recorded_at,
        recorded_at=instant,
        note=author.note,
        merged_into=change.merged_into,
        reason=change.reason,
    )


def revision_row(revision: Revision, seq: int, author: Author) -> dict[str, Any]:
    """Return the row of a revision at a place in the journal."""
    return {
        "event": revision.event,
        "revision": revision.revision,
        "seq": seq,
        "recorded_at": revision.recorded_at,
        "action": revision.action,
        "by": author.name,
        "note": author.note,
        "facts": revision.facts.model_dump(mode="json", exclude_none=True),
        "merged_into": revision.merged_into,
        "reason": revision.reason,
    }
