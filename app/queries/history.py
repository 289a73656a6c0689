"""The history of one event and the journal of all: revisions with the documents they made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import aliased

from app.db.connections import ReadConnection
from app.db.projections import Event, PastEvent
from app.db.tables import EventRevision, JournalLink
from app.queries.keyset import AnyRow, AnySelect, Order

_BY_SEQ = Order(("seq",))
_NEWEST_FIRST = Order(("revision",), descending=True)


def _revisions() -> AnySelect:
    """Return revisions, each with the first document it was served as and the facts before it.

    A party that was renamed since is called there what it was called first, so that what was said
    of a revision is always said of it.
    """
    first, before = aliased(EventRevision), aliased(EventRevision)
    past = (
        select(PastEvent.document)
        .where(PastEvent.id == EventRevision.event, PastEvent.revision == EventRevision.revision)
        .order_by(PastEvent.known_from)
        .limit(1)
        .lateral()
    )
    document = func.coalesce(past.c.document, Event.document)
    statement: AnySelect = (
        select(
            EventRevision.__table__,
            first.recorded_at.label("first_recorded_at"),
            before.facts.label("facts_before"),
            document.label("document"),
        )
        .join(first, (first.event == EventRevision.event) & (first.revision == 1))
        .outerjoin(
            before,
            (before.event == EventRevision.event) & (before.revision == EventRevision.revision - 1),
        )
        .outerjoin(
            Event,
            (Event.id == EventRevision.event) & (Event.revision == EventRevision.revision),
        )
        .outerjoin(past, true())
    )
    return statement


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the newest link of the audit chain, and the number that it ends with."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class End:
    """How far the journal goes, and the head that stands for it; None where nothing is linked."""

    latest: int
    head: Head | None


async def changes(connection: ReadConnection, since: int, limit: int) -> Sequence[AnyRow]:
    """Return the changes after a number in the journal's order."""
    statement = _BY_SEQ.page(_revisions(), EventRevision, [since], limit - 1)
    return (await connection.execute(statement)).all()


async def end(connection: ReadConnection) -> End:
    """Return the journal's end, as it is at one moment."""
    newest = select(func.coalesce(func.max(EventRevision.seq), 0).label("latest")).subquery()
    link = (
        select(JournalLink.seq, JournalLink.head)
        .order_by(JournalLink.seq.desc())
        .limit(1)
        .subquery()
    )
    statement = select(newest.c.latest, link.c.seq, link.c.head)
    found = await connection.execute(statement.select_from(newest.outerjoin(link, true())))
    latest, seq, head = found.one()
    return End(latest, None if head is None else Head(seq, head.hex()))


async def revisions_page(
    connection: ReadConnection,
    event: str,
    known_at: datetime | None,
    limit: int,
    after: int | None,
) -> Sequence[AnyRow]:
    """Return a page of an event's revisions, newest first, none where its id was never used."""
    statement = _of(event, _known(known_at))
    position = None if after is None else [after]
    page = _NEWEST_FIRST.page(statement, EventRevision, position, limit)
    return (await connection.execute(page)).all()


async def revision(
    connection: ReadConnection, event: str, number: int, known_at: datetime | None
) -> AnyRow | None:
    """Return one revision of an event, or None."""
    statement = _of(event, EventRevision.revision == number, _known(known_at))
    return (await connection.execute(statement)).one_or_none()


async def latest_revision(
    connection: ReadConnection, event: str, known_at: datetime | None = None
) -> AnyRow | None:
    """Return the latest revision of an event that was known by an instant, or None."""
    rows = await revisions_page(connection, event, known_at, 1, None)
    return rows[0] if rows else None


async def survivor(
    connection: ReadConnection, last: AnyRow, known_at: datetime | None = None
) -> str:
    """Return into which event a merged one has gone in the end, through all mergers since.

    It is empty where the event wasn't merged.
    """
    row: AnyRow | None = last
    into = ""
    while row is not None and row.merged_into is not None:
        into = row.merged_into
        row = await latest_revision(connection, into, known_at)
    return into


def _of(event: str, *conditions: ColumnElement[bool]) -> AnySelect:
    return _revisions().where(EventRevision.event == event, *conditions)


def _known(known_at: datetime | None) -> ColumnElement[bool]:
    return true() if known_at is None else EventRevision.recorded_at <= known_at
