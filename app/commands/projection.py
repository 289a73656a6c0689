"""From the truth to what is read: the live event with its document, and what it was before.

A change puts the new row in place of the old one, and the old one among the past ones with the
instant until which it was what was read.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, delete, insert, literal, select
from sqlalchemy.dialects.postgresql import Range

from app.commands import counts
from app.db.conditions import among
from app.db.connections import WriteConnection
from app.db.projections import (
    Event,
    EventPair,
    EventParty,
    PastEvent,
    PastEventPair,
    PastEventParty,
)
from app.db.tables import Party, Table
from app.domain.dates import Days, days_of
from app.domain.document import render
from app.domain.history import Countries, Revision, Version
from app.domain.pairs import pairs_of
from app.domain.search import event_words
from app.domain.vocabulary import DateName, family_of

_EVENT_COLUMNS = [column.key for column in Event.__table__.columns]
_OF_LIVE = (Event, EventParty, EventPair)
_OF_PAST = (PastEvent, PastEventParty, PastEventPair)
# What hangs on an event, and where it goes with it when it is past.
_DETAILS = ((EventParty, PastEventParty), (EventPair, PastEventPair))


async def project(connection: WriteConnection, revisions: Sequence[Revision]) -> None:
    """Let these revisions, the latest of their events, be what is read since they were recorded.

    Args:
        connection: in the transaction that changes the truth.
        revisions: one for each event; one that isn't live takes its event out of what is read.

    """
    events = [revision.event for revision in revisions]
    await counts.take(connection, events)
    for revision in revisions:
        if revision.revision > 1:
            ended = Event.id == revision.event
            await archive(connection, ended, literal(revision.recorded_at))
    live = [revision for revision in revisions if revision.is_live]
    countries = await _countries(connection, live)
    await put(connection, [_version(each, countries) for each in live])
    await counts.add(connection, events)


async def put(connection: WriteConnection, versions: Sequence[Version]) -> None:
    """Write versions: those that still hold as live events, the others as past ones."""
    for table, rows in rows_of(versions).items():
        await _insert(connection, table, rows)


def rows_of(versions: Iterable[Version]) -> dict[type[Table], list[dict[str, Any]]]:
    """Return the rows of versions for each table, in the order in which they refer to others."""
    rows: dict[type[Table], list[dict[str, Any]]] = {t: [] for t in (*_OF_LIVE, *_OF_PAST)}
    for version in versions:
        event, party, pair = _OF_LIVE if version.known_to is None else _OF_PAST
        rows[event].append(event_row(version))
        rows[party] += party_rows(version)
        rows[pair] += pair_rows(version)
    return rows


async def _insert(
    connection: WriteConnection, table: type[Table], rows: Sequence[dict[str, Any]]
) -> None:
    if rows:
        await connection.execute(insert(table), rows)


async def archive(
    connection: WriteConnection, ended: ColumnElement[bool], until: SQLColumnExpression[datetime]
) -> None:
    """Move live events to the past.

    Args:
        connection: in the transaction that changes the truth.
        ended: the condition on `event` that holds for them.
        until: until when each was what was read; it may go by the columns of `event`.

    """
    await copy_to_past(connection, ended, until)
    await connection.execute(delete(Event).where(ended))


async def copy_to_past(
    connection: WriteConnection, ended: ColumnElement[bool], until: SQLColumnExpression[datetime]
) -> None:
    """Copy live events to the past, with the arguments of `archive`."""
    past = select(*(getattr(Event, key) for key in _EVENT_COLUMNS), until)
    await connection.execute(
        insert(PastEvent).from_select([*_EVENT_COLUMNS, "known_to"], past.where(ended))
    )
    for live, gone in _DETAILS:
        columns = [each.key for each in live.__table__.columns if each.key in gone.__table__.c]
        details = select(*(getattr(live, key) for key in columns), Event.known_from)
        await connection.execute(
            insert(gone).from_select(
                [*columns, "known_from"],
                details.join(Event, Event.id == live.event).where(ended),
            )
        )


async def _countries(connection: WriteConnection, revisions: Sequence[Revision]) -> Countries:
    ids = {party.party for revision in revisions for party in revision.facts.participants}
    if not ids:
        return {}
    rows = await connection.execute(select(Party.id, Party.country).where(among(Party.id, ids)))
    return {row.id: row.country for row in rows}


def _version(revision: Revision, countries: Countries) -> Version:
    document = render(revision.event, revision.facts, revision.stamp)
    return Version(revision, countries, document, revision.recorded_at, None)


def event_row(version: Version) -> dict[str, Any]:
    """Return the row of a live event, or of a past one."""
    facts, stamp = version.revision.facts, version.revision.stamp
    row: dict[str, Any] = {
        "id": version.revision.event,
        "revision": stamp.revision,
        **_counted(version),
        **_sort_days(facts.days),
        **{name: _range(getattr(facts.dates, name)) for name in DateName},
        "related": sorted({relation.event for relation in facts.relations}),
        "recorded_at": stamp.recorded_at,
        "updated_at": stamp.updated_at,
        "known_from": version.known_from,
        "document": version.document,
        "words": event_words(facts),
    }
    return row if version.known_to is None else row | {"known_to": version.known_to}


def _counted(version: Version) -> dict[str, Any]:
    """Return what it is filtered and counted by."""
    facts = version.revision.facts
    named = (version.countries[each.party] for each in facts.participants)
    return {
        "kind": facts.kind,
        "family": family_of(facts.kind),
        "status": facts.status,
        "verification": facts.verification,
        "direction": facts.direction,
        "regime": facts.regime,
        "measure": facts.measure,
        "countries": " ".join(sorted({country for country in named if country is not None})),
    }


def party_rows(version: Version) -> list[dict[str, Any]]:
    """Return the rows of those who take part in it, or took part then."""
    facts = version.revision.facts
    # Of what is past, only the event itself is filtered and counted by.
    beside = _counted(version) if version.known_to is None else _since(version)
    return [
        {
            "event": version.revision.event,
            "position": position,
            "party": participant.party,
            "role": participant.role,
            "country": version.countries[participant.party],
            **_sort_days(facts.days),
            **beside,
        }
        for position, participant in enumerate(facts.participants)
    ]


def pair_rows(version: Version) -> list[dict[str, Any]]:
    """Return the rows of what it says, or said then, of each two of its parties."""
    key = {"event": version.revision.event, **_since(version)}
    return [key | pair._asdict() for pair in pairs_of(version.revision.facts)]


def _since(version: Version) -> dict[str, Any]:
    return {} if version.known_to is None else {"known_from": version.known_from}


def _sort_days(days: Days) -> dict[str, date]:
    # The driver writes the least and the greatest date as PostgreSQL's -infinity and infinity.
    earliest, latest = days.bounds
    return {"earliest": earliest, "latest": latest}


def _range(edtf: str | None) -> Range[date] | None:
    if edtf is None:
        return None
    days = days_of(edtf)
    return Range(days.first, days.last, bounds="[]")
