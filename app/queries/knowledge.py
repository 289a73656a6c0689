"""What was known when: which documents a question about the past may see, and as of when parties.

`recorded` goes by this database's own past and is exactly reproducible. `announced` goes by the
latest revisions and by when the world was told: for archives recorded long after the fact.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Date, and_, func, or_, true

from app.db.connections import ReadConnection
from app.db.party_cache import select_parties_as_of
from app.db.tables import ReferenceRevision
from app.queries.clock import check_past
from app.queries.filter import LIVE, PAST, Tables


@dataclass(frozen=True, slots=True)
class Recorded:
    """What this register had recorded by an instant."""

    instant: datetime

    def sources(self) -> list[tuple[Tables, ColumnElement[bool]]]:
        """Return the tables to ask and what must hold of a document that was served then."""
        live, past = LIVE.event, PAST.event
        return [
            (LIVE, live.known_from <= self.instant),
            (PAST, and_(past.known_from <= self.instant, past.known_to > self.instant)),
        ]

    def parties_as_of(self) -> ColumnElement[datetime]:
        """Return as of when documents show their parties: the newest change of reference data."""
        return select_parties_as_of(ReferenceRevision.recorded_at <= self.instant)

    async def settle(self, connection: ReadConnection) -> None:
        """Make sure that the instant is past, and that all that was recorded by then is visible.

        Raises:
            RefusedError: it is not past yet.

        """
        await check_past(connection, self.instant, waits=True)


@dataclass(frozen=True, slots=True)
class Announced:
    """What the world had been told by the end of an instant's day, in the latest revisions."""

    day: date
    instant: datetime = field(compare=False)

    def sources(self) -> list[tuple[Tables, ColumnElement[bool]]]:
        """Return the tables to ask and what must hold of an event that was known then."""
        event = LIVE.event
        # A range's upper bound is the first day after it; where its end is open there is none, and
        # the comparison doesn't hold.
        told = func.upper(event.announced, type_=Date()) <= self.day + timedelta(days=1)
        known = or_(told, and_(event.announced.is_(None), event.latest <= self.day))
        return [(LIVE, known)]

    def parties_as_of(self) -> ColumnElement[datetime]:
        """Return as of when documents show their parties: the newest change of reference data."""
        return select_parties_as_of()

    async def settle(self, connection: ReadConnection) -> None:
        """Make sure that the instant is past; what was announced doesn't wait for our own writes.

        Raises:
            RefusedError: it is not past yet.

        """
        await check_past(connection, self.instant, waits=False)


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is known now."""

    def sources(self) -> list[tuple[Tables, ColumnElement[bool]]]:
        """Return the live tables, without a condition."""
        return [(LIVE, true())]

    def parties_as_of(self) -> ColumnElement[datetime]:
        """Return as of when documents show their parties: the newest change of reference data."""
        return select_parties_as_of()

    async def settle(self, connection: ReadConnection) -> None:
        """Do nothing: the present needs no waiting."""


Knowledge = Recorded | Announced | Everything
