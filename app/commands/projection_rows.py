"""The rows that revisions make, by ranges of ids: what `rebuild` writes and `verify` expects.

A batch holds the rows of all tables for a range of ids, and the ranges follow each other without
gaps, so that rows without a revision are found in one of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.commands.names import BEFORE_ALL, name_rows
from app.commands.parties import party_row
from app.commands.projection import rows_of
from app.commands.references import names_in
from app.commands.regimes import regime_row
from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.names import PartyName, PartyWords
from app.db.projections import (
    Event,
    EventPair,
    EventParty,
    PastEvent,
    PastEventPair,
    PastEventParty,
)
from app.db.tables import EventRevision, Party, ReferenceRevision, Regime, Table
from app.domain.errors import TamperedError
from app.domain.history import Belonging, Revision, revision_of, versions
from app.domain.reference import PartyFacts, RegimeFacts
from app.domain.text import RECORDED

BATCH = 500

ID_COLUMNS: Mapping[type[Table], InstrumentedAttribute[str]] = {
    Party: Party.id,
    PartyName: PartyName.party,
    PartyWords: PartyWords.party,
    Regime: Regime.code,
    Event: Event.id,
    EventParty: EventParty.event,
    EventPair: EventPair.event,
    PastEvent: PastEvent.id,
    PastEventParty: PastEventParty.event,
    PastEventPair: PastEventPair.event,
}
"""The column of each table by which its rows are divided into ranges."""


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """A row of a table, and the number in the journal of the revision that makes it."""

    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows for all ids after one and up to another; `last` is None where no id follows."""

    after: str
    last: str | None
    ids: int
    rows: dict[type[Table], list[NumberedRow]]

    def covers(self, table: type[Table]) -> ColumnElement[bool]:
        """Return the condition on a row of a table that it belongs to this range."""
        column = ID_COLUMNS[table]
        # The first range begins with whatever somebody else has put there.
        begins = column > self.after if self.after else column >= ""
        return begins if self.last is None else begins & (column <= self.last)


async def count_ids(connection: ReadConnection) -> int:
    """Return how many ids of events, parties and regimes all batches have together."""
    events = select(func.count()).where(EventRevision.revision == 1).scalar_subquery()
    others = select(func.count()).where(ReferenceRevision.revision == 1).scalar_subquery()
    return await connection.scalar(select(events + others)) or 0


async def fetch_parties(connection: ReadConnection, after: str) -> Batch:
    """Return what the revisions of the next parties make, in the order of their ids.

    Raises:
        TamperedError: a revision can't be read.

    """
    histories = await _fetch_reference_histories(connection, "party", after)
    rows = _Rows(Party, PartyName, PartyWords)
    for history in histories:
        facts = [_party_facts(revision) for revision in history]
        rows.add(Party, history[-1].seq, [_state_of(history, party_row(facts[-1]))])
        begins = [BEFORE_ALL, *(revision.recorded_at for revision in history[1:])]
        ends = [*begins[1:], None]
        for revision, party, begin, end in zip(history, facts, begins, ends, strict=True):
            for table, made in name_rows(party, begin, end).items():
                rows.add(table, revision.seq, made)
    return rows.batch(after, [history[0].id for history in histories])


async def fetch_regimes(connection: ReadConnection, after: str) -> Batch:
    """Return what the revisions of the next regimes make, in the order of their codes.

    Raises:
        TamperedError: a revision can't be read, or names a party that has none.

    """
    histories = await _fetch_reference_histories(connection, "regime", after)
    rows = _Rows(Regime)
    named: dict[tuple[str, str], int] = {}
    for history in histories:
        facts = _regime_facts(history[-1])
        named["party", facts.issuer] = history[-1].seq
        rows.add(Regime, history[-1].seq, [_state_of(history, regime_row(facts))])
    if named:
        await _check_names(connection, named)
    return rows.batch(after, [history[0].id for history in histories])


async def fetch_events(connection: ReadConnection, after: str) -> Batch:
    """Return what the revisions of the next events make, in the order of their ids.

    Raises:
        TamperedError: a revision can't be read, or names a party or regime that has none.

    """
    recorded = await _fetch_event_revisions(connection, after)
    rows = _Rows(*rows_of([]))
    if not recorded:
        return rows.batch(after, [])
    revisions = {row.seq: _event_revision(row) for row in recorded}
    named: dict[tuple[str, str], int] = {
        (what, name): number
        for number, revision in revisions.items()
        for what, _, name in names_in(revision.facts)
        if what != "event"
    }
    await _check_names(connection, named)
    belongings = await _fetch_belongings(
        connection, [id_ for what, id_ in named if what == "party"]
    )
    numbers = {(each.event, each.revision): number for number, each in revisions.items()}
    events = []
    for event, history in groupby(revisions.values(), key=lambda revision: revision.event):
        events.append(event)
        for version in versions(list(history), belongings):
            number = numbers[event, version.revision.revision]
            for table, made in rows_of([version]).items():
                rows.add(table, number, made)
    return rows.batch(after, events)


class _Rows:
    """The rows of a batch, as they are made."""

    def __init__(self, *tables: type[Table]) -> None:
        self._rows: dict[type[Table], list[NumberedRow]] = {table: [] for table in tables}

    def add(self, table: type[Table], number: int, rows: Iterable[dict[str, Any]]) -> None:
        self._rows[table] += (NumberedRow(number, row) for row in rows)

    def batch(self, after: str, ids: Sequence[str]) -> Batch:
        return Batch(after, ids[-1] if ids else None, len(ids), self._rows)


async def _fetch_reference_histories(
    connection: ReadConnection, type_: str, after: str
) -> list[list[Row[Any]]]:
    """Return the revisions of the next parties or regimes, one by one in the order of their ids."""
    table = ReferenceRevision
    ids = (
        select(table.id)
        .where(table.type == type_, table.revision == 1, table.id > after)
        .order_by(table.id)
        .limit(BATCH)
    )
    rows = await connection.execute(
        select(table.__table__)
        .where(table.type == type_, table.id.in_(ids))
        .order_by(table.id, table.revision)
    )
    return [list(history) for _, history in groupby(rows, key=lambda row: row.id)]


async def _fetch_event_revisions(connection: ReadConnection, after: str) -> Sequence[Row[Any]]:
    """Return the revisions of the next events, in the order of ids and revisions."""
    ids = (
        select(EventRevision.event)
        .where(EventRevision.revision == 1, EventRevision.event > after)
        .order_by(EventRevision.event)
        .limit(BATCH)
    )
    first = aliased(EventRevision)
    rows = await connection.execute(
        select(EventRevision.__table__, first.recorded_at.label("first_recorded_at"))
        .join(first, (first.event == EventRevision.event) & (first.revision == 1))
        .where(EventRevision.event.in_(ids))
        .order_by(EventRevision.event, EventRevision.revision)
    )
    return rows.all()


async def _fetch_belongings(
    connection: ReadConnection, parties: Collection[str]
) -> Mapping[str, list[Belonging]]:
    """Return where these parties belonged, in the order of time."""
    table = ReferenceRevision
    rows = await connection.execute(
        select(table.id, table.recorded_at, table.facts["country"].astext.label("country"))
        .where(table.type == "party", among(table.id, parties))
        .order_by(table.id, table.revision)
    )
    belongings: dict[str, list[Belonging]] = {}
    for row in rows:
        belongings.setdefault(row.id, []).append(Belonging(row.recorded_at, row.country))
    return belongings


async def _check_names(connection: ReadConnection, named: Mapping[tuple[str, str], int]) -> None:
    """Make sure that the parties and regimes that revisions name were recorded themselves.

    Args:
        connection: the one that the revisions were read through.
        named: types and ids, each with the number of a revision that names it.

    Raises:
        TamperedError: one of them wasn't.

    """
    table = ReferenceRevision
    statement = select(table.type, table.id).where(
        table.type.in_(["party", "regime"]),
        among(table.id, {id_ for _, id_ in named}),
        table.revision == 1,
    )
    recorded = {(row.type, row.id) for row in await connection.execute(statement)}
    for (type_, id_), number in named.items():
        if (type_, id_) not in recorded:
            raise TamperedError(
                f"Number {number} of the journal names the {type_} {id_}, which was never recorded."
            )


def _state_of(history: Sequence[Row[Any]], row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a party or regime with what the journal adds."""
    return row | {"revision": history[-1].revision, "recorded_at": history[0].recorded_at}


def _party_facts(row: Row[Any]) -> PartyFacts:
    with _reading(row):
        return PartyFacts.model_validate({"id": row.id, **row.facts}, context=RECORDED)


def _regime_facts(row: Row[Any]) -> RegimeFacts:
    with _reading(row):
        return RegimeFacts.model_validate({"code": row.id, **row.facts}, context=RECORDED)


def _event_revision(row: Row[Any]) -> Revision:
    with _reading(row):
        return revision_of(row)


@contextmanager
def _reading(row: Row[Any]) -> Iterator[None]:
    """Say which revision it is that can't be read.

    Raises:
        TamperedError: what is read isn't valid.

    """
    try:
        yield
    except ValidationError as error:
        raise TamperedError(f"What number {row.seq} of the journal holds can't be read.") from error
