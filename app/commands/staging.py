"""Where an import lies until it is written: tables of its own transaction, gone when that ends.

Rows are rendered and checked here without the journal's lock. What remains to be done under it is
to number, to stamp and to move them, which the database does by itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.commands.projection import event_row, pair_rows, party_rows
from app.commands.references import names_in, names_of
from app.db.conditions import among
from app.db.connections import ReadConnection, WriteConnection
from app.db.copying import insert_many
from app.db.projections import Event, EventPair, EventParty
from app.db.tables import Key, Party, Regime
from app.db.tables import Table as Base
from app.domain.document import render, without_stamp
from app.domain.errors import Fault, NameKind, UnknownName
from app.domain.event import EventFacts
from app.domain.history import Countries, Revision, Version
from app.domain.rows import Row, fault_at

STAMPED = ("revision", "recorded_at", "updated_at", "known_from", "document")
"""The columns of `event` that are known under the lock only."""
EVENT_COLUMNS = tuple(c.key for c in Event.__table__.columns if c.key not in STAMPED)
PARTY_COLUMNS = tuple(c.key for c in EventParty.__table__.columns)
PAIR_COLUMNS = tuple(c.key for c in EventPair.__table__.columns)
MAX_FAULTS = 1_000
_METADATA = MetaData()
_UNKNOWN_YET = datetime(1970, 1, 1, tzinfo=UTC)


def _temporary(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _METADATA, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


def _copied(columns: Sequence[str], table: type[Base]) -> list[Column[Any]]:
    return [Column(c.key, c.type) for c in table.__table__.columns if c.key in columns]


# Every row that has an id, the faulty ones among them: relations may point at it.
LINE = _temporary("import_line", Column("line", Integer), Column("id", Key))
EVENT = _temporary(
    "import_event",
    Column("line", Integer),
    Column("note", Text),
    Column("facts", JSONB),
    Column("head", Text),
    *_copied(EVENT_COLUMNS, Event),
)
PARTY = _temporary("import_party", *_copied(PARTY_COLUMNS, EventParty))
PAIR = _temporary("import_pair", *_copied(PAIR_COLUMNS, EventPair))
RELATION = _temporary(
    "import_relation", Column("line", Integer), Column("place", Integer), Column("event", Key)
)
# What becomes of each event. `place` is its offset in the journal, `was` its latest revision.
CHANGE = _temporary(
    "import_change",
    Column("id", Key),
    Column("place", BigInteger),
    Column("was", Integer),
    Column("changed", Boolean),
    Column("first_recorded_at", DateTime(timezone=True)),
)

COUNT = _temporary(
    "import_count", Column("counted_by", Key), Column("value", Key), Column("events", BigInteger)
)


@dataclass(frozen=True, slots=True)
class References:
    """What a batch of rows names and what exists of it."""

    countries: Countries
    regimes: frozenset[str]


class Faults:
    """The faults of a file: all are counted, the first are kept."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0
        self._kept: list[tuple[int, Fault]] = []

    def add(self, line: int, *faults: Fault) -> None:
        """Add the faults in one line."""
        self.count += len(faults)
        self._kept += ((line, fault) for fault in faults[: MAX_FAULTS - len(self._kept)])

    def first(self) -> list[Fault]:
        """Return those that were kept, in the order of their lines."""
        return [fault for _, fault in sorted(self._kept, key=lambda each: each[0])]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as they go into the staging tables, and what is wrong with the others."""

    tables: Mapping[str, Sequence[dict[str, Any]]]
    faulty: Sequence[Row]


async def create(connection: WriteConnection) -> None:
    """Make the staging tables, which end with the transaction."""
    await connection.run_sync(lambda sync: _METADATA.create_all(sync, checkfirst=False))


async def load_references(connection: ReadConnection, rows: Sequence[Row]) -> References:
    """Return those of the parties and regimes that rows name which exist at the moment."""
    named = [list(names_in(row.facts)) for row in rows if row.facts is not None]
    parties, regimes = names_of(NameKind.PARTY, named), names_of(NameKind.REGIME, named)
    countries: dict[str, str | None] = {}
    codes: frozenset[str] = frozenset()
    if parties:
        found = await connection.execute(
            select(Party.id, Party.country).where(among(Party.id, parties))
        )
        countries = {row.id: row.country for row in found}
    if regimes:
        existing = select(Regime.code).where(among(Regime.code, regimes))
        codes = frozenset(await connection.scalars(existing))
    return References(countries, codes)


def prepared(rows: Sequence[Row], references: References) -> Batch:
    """Return a batch ready for the staging tables; this is where the time goes."""
    checked = [_checked(row, references) for row in rows]
    tables: dict[str, list[dict[str, Any]]] = {table.name: [] for table in _METADATA.sorted_tables}
    for row in checked:
        if row.id is not None:
            tables[LINE.name].append({"line": row.line, "id": row.id})
        if row.id is not None and row.facts is not None:
            tables[RELATION.name] += _relations(row.line, row.facts)
            if not row.faults:
                parties = references.countries
                _render(row.line, row.id, row.facts, row.note, parties, tables)
    return Batch(tables, [row for row in checked if row.faults])


async def stage(connection: WriteConnection, batch: Batch) -> None:
    """Put a batch into the staging tables."""
    for table in _METADATA.sorted_tables:
        rows = batch.tables[table.name]
        if rows:
            await insert_many(connection, table, rows)


async def index(connection: WriteConnection) -> None:
    """Let the database find staged rows by their ids; nothing more is staged afterwards."""
    await connection.execute(text("CREATE INDEX ON import_line (id)"))
    await connection.execute(text("CREATE INDEX ON import_event (id)"))
    for table in (LINE, EVENT, PARTY, PAIR, RELATION):
        await connection.execute(text(f"ANALYZE {table.name}"))


def _checked(row: Row, references: References) -> Row:
    """Return the row with the names that lead nowhere among its faults."""
    if row.facts is None:
        return row
    existing: Mapping[NameKind, Collection[str]] = {
        NameKind.PARTY: references.countries,
        NameKind.REGIME: references.regimes,
    }
    faults = []
    for kind, field, name in names_in(row.facts):
        if kind is NameKind.EVENT and name == row.id:
            message = "An event can't be related to itself."
            faults.append(fault_at(row.line, field, "unknown_reference", message))
        elif kind in existing and name not in existing[kind]:
            message = f"There is no {kind} {name}."
            unknown = UnknownName(kind, name)
            fault = fault_at(row.line, field, "unknown_reference", message, unknown=unknown)
            faults.append(fault)
    return replace(row, faults=tuple(faults))


def _relations(line: int, facts: EventFacts) -> list[dict[str, Any]]:
    return [
        {"line": line, "place": place, "event": relation.event}
        for place, relation in enumerate(facts.relations)
    ]


def _render(
    line: int,
    event: str,
    facts: EventFacts,
    note: str | None,
    countries: Countries,
    tables: Mapping[str, list[dict[str, Any]]],
) -> None:
    """Add the rows of one event, made as those of an event that is recorded alone."""
    revision = Revision(event, 1, "record", facts, _UNKNOWN_YET, _UNKNOWN_YET, note)
    document = render(event, facts, revision.stamp)
    version = Version(revision, countries, document, _UNKNOWN_YET, None)
    row = event_row(version)
    tables[EVENT.name].append(
        {name: row[name] for name in EVENT_COLUMNS}
        | {
            "line": line,
            "note": note,
            "facts": facts.model_dump(mode="json", exclude_none=True),
            "head": without_stamp(document),
        }
    )
    tables[PARTY.name] += party_rows(version)
    tables[PAIR.name] += pair_rows(version)
