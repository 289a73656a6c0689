"""The history of one event and the journal of all: revisions with the documents they made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, select, true, union_all
from sqlalchemy.orm import aliased

from app.db.connections import ReadConnection
from app.db.party_cache import party_cache_of, select_parties_as_of
from app.db.projections import Event, PastEvent
from app.db.register import EventCount
from app.db.tables import EventRevision, JournalLink, ReferenceRevision
from app.queries.keyset import AnyRow, AnySelect, Order

JOURNAL_TABLES = (EventRevision, ReferenceRevision)
"""The tables whose rows are numbered together."""
_BY_SEQ = Order(("seq",))
_NEWEST_FIRST = Order(("revision",), descending=True)


def _revisions() -> AnySelect:
    """Return revisions of events, each with the facts before it."""
    first, before = aliased(EventRevision), aliased(EventRevision)
    statement: AnySelect = (
        select(
            EventRevision.__table__,
            first.recorded_at.label("first_recorded_at"),
            before.facts.label("facts_before"),
        )
        .join(first, (first.event == EventRevision.event) & (first.revision == 1))
        .outerjoin(
            before,
            (before.event == EventRevision.event) & (before.revision == EventRevision.revision - 1),
        )
    )
    return statement


def _with_documents(revisions: AnySelect) -> AnySelect:
    """Add the stored document of each revision; a revision that ended an event has none."""
    past = (
        select(PastEvent.document)
        .where(PastEvent.id == EventRevision.event, PastEvent.revision == EventRevision.revision)
        .order_by(PastEvent.known_from)
        .limit(1)
        .lateral()
    )
    return (
        revisions.add_columns(
            func.coalesce(past.c.document, Event.document).label("document"),
            select_parties_as_of(),
        )
        .outerjoin(
            Event,
            (Event.id == EventRevision.event) & (Event.revision == EventRevision.revision),
        )
        .outerjoin(past, true())
    )


@dataclass(frozen=True, slots=True)
class RevisedEvent:
    """A revision of an event, and its document; None where it ended the event.

    Parties are called there what they were called when it was recorded, so that what was said of a
    revision is always said of it.
    """

    row: AnyRow
    document: str | None


async def _complete(connection: ReadConnection, rows: Sequence[AnyRow]) -> list[RevisedEvent]:
    live = [row for row in rows if row.document is not None]
    if not live:
        return [RevisedEvent(row, None) for row in rows]
    documents = await party_cache_of(connection).complete(
        connection,
        [row.document for row in live],
        live[0].parties_as_of,
        [row.recorded_at for row in live],
    )
    completed = {row.seq: document for row, document in zip(live, documents, strict=True)}
    return [RevisedEvent(row, completed.get(row.seq)) for row in rows]


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


@dataclass(frozen=True, slots=True)
class RevisedReference:
    """A revision of a party or regime, and how many live events a party takes part in."""

    row: AnyRow
    events: int | None


Change = RevisedEvent | RevisedReference


async def changes(connection: ReadConnection, since: int, limit: int) -> list[Change]:
    """Return the changes after a number in the journal's order."""
    # Which they are is read from one snapshot, so that none is skipped; what they are never
    # changes.
    numbers = [
        _BY_SEQ.page(select(table.seq, type_.label("type")), table, [since], limit - 1).subquery()
        for table, type_ in (
            (EventRevision, literal("event")),
            (ReferenceRevision, ReferenceRevision.type),
        )
    ]
    both = union_all(*(select(each.c.seq, each.c.type) for each in numbers)).subquery()
    rows = await connection.execute(select(both).order_by(both.c.seq).limit(limit))
    types = {row.seq: row.type for row in rows}
    events = [seq for seq, type_ in types.items() if type_ == "event"]
    others = [seq for seq, type_ in types.items() if type_ != "event"]
    found = {
        **(await _events(connection, events) if events else {}),
        **(await _references(connection, others) if others else {}),
    }
    return [found[seq] for seq in types]


async def _events(connection: ReadConnection, numbers: Sequence[int]) -> dict[int, Change]:
    statement = _with_documents(_revisions()).where(EventRevision.seq.in_(numbers))
    rows = (await connection.execute(statement)).all()
    return {each.row.seq: each for each in await _complete(connection, rows)}


async def _references(connection: ReadConnection, numbers: Sequence[int]) -> dict[int, Change]:
    table, counted = ReferenceRevision, EventCount
    events = func.coalesce(counted.events, 0).label("events")
    statement = (
        select(table.__table__, events)
        .outerjoin(counted, (counted.counted_by == "party") & (counted.value == table.id))
        .where(table.seq.in_(numbers))
    )
    rows = await connection.execute(statement)
    return {
        row.seq: RevisedReference(row, row.events if row.type == "party" else None) for row in rows
    }


async def end(connection: ReadConnection) -> End:
    """Return the journal's end, as it is at one moment."""
    numbers = [select(func.max(table.seq)).scalar_subquery() for table in JOURNAL_TABLES]
    newest = select(func.greatest(*numbers, 0).label("latest")).subquery()
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
) -> RevisedEvent | None:
    """Return one revision of an event, or None."""
    statement = _of(event, EventRevision.revision == number, _known(known_at))
    rows = (await connection.execute(_with_documents(statement))).all()
    found = await _complete(connection, rows)
    return found[0] if found else None


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
