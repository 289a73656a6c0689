"""What the names in a question stand for: parties, regimes and measures, in one statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, null, or_, select, true, union_all
from sqlalchemy.dialects.postgresql import distinct_on

from app.db.engine import ReadConnection
from app.db.projections import Event, PartyName
from app.db.tables import Party, PartyRevision, Regime, RegimeRevision
from app.queries.keyset import AnyRow, AnySelect
from app.queries.knowledge import Knowledge, Recorded


@dataclass(frozen=True, slots=True)
class NamedParty:
    """A party that a name stands for."""

    id: str
    kind: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What was found under the names that were asked for."""

    parties: dict[str, list[NamedParty]] = field(default_factory=dict)
    regimes: set[str] = field(default_factory=set)
    measures: set[str] = field(default_factory=set)


async def known(
    connection: ReadConnection,
    knowledge: Knowledge,
    folded: Collection[str] = (),
    regimes: Collection[str] = (),
    measures: Collection[str] = (),
) -> Known:
    """Return what folded party names, regime codes and measure ids stand for.

    Where the past is asked about, a name stands for whom it stood for then. One that was not in use
    then, but is now, still says who is meant.
    """
    found, now = Known(), Known()
    branches = [
        *([_parties(folded, knowledge)] if folded else []),
        *([_words("regime", Regime.code, regimes)] if regimes else []),
        *(_measures(measures, knowledge) if measures else []),
    ]
    if branches:
        for row in await connection.execute(union_all(*branches)):
            _keep(found if row.then else now, row)
    return replace(found, parties=now.parties | found.parties)


def _parties(folded: Collection[str], knowledge: Knowledge) -> AnySelect:
    in_use = PartyName.known_to.is_(None)
    then: ColumnElement[bool] = in_use
    if isinstance(knowledge, Recorded):
        instant = knowledge.instant
        then = and_(PartyName.known_from <= instant, or_(in_use, PartyName.known_to > instant))
    return (
        select(
            literal("party").label("what"),
            PartyName.folded.label("word"),
            Party.id,
            Party.kind,
            Party.country,
            then.label("then"),
        )
        .join(Party, Party.id == PartyName.party)
        .where(PartyName.folded.in_(folded), or_(in_use, then))
    )


def _measures(ids: Collection[str], knowledge: Knowledge) -> list[AnySelect]:
    return [_words("measure", tables.event.measure, ids) for tables, _ in knowledge.sources()]


def _words(what: str, column: Any, words: Collection[str]) -> AnySelect:
    return (
        select(
            literal(what).label("what"),
            column.label("word"),
            null(),
            null(),
            null(),
            true().label("then"),
        )
        .where(column.in_(words))
        .distinct()
    )


def _keep(found: Known, row: AnyRow) -> None:
    if row.what == "party":
        party = NamedParty(row.id, row.kind, row.country)
        found.parties.setdefault(row.word, []).append(party)
    elif row.what == "regime":
        found.regimes.add(row.word)
    else:
        found.measures.add(row.word)


async def party_names(connection: ReadConnection) -> Sequence[tuple[str, str]]:
    """Return every folded name with its party's id: what a misspelt one is compared with."""
    in_use = PartyName.known_to.is_(None)
    rows = await connection.execute(select(PartyName.folded, PartyName.party).where(in_use))
    return [(row.folded, row.party) for row in rows]


async def parties_of(connection: ReadConnection, blocs: Collection[str]) -> Sequence[str]:
    """Return the first few of the parties that belong to these blocs."""
    organs = select(Party.id).where(Party.country.in_(blocs)).order_by(Party.id).limit(5)
    return (await connection.scalars(organs)).all()


async def regime_codes(connection: ReadConnection) -> Sequence[str]:
    """Return the codes of all regimes."""
    return (await connection.scalars(select(Regime.code))).all()


async def measure_ids(connection: ReadConnection) -> Sequence[str]:
    """Return the ids of all measures that an event names."""
    measures = select(Event.measure).where(Event.measure.is_not(None)).distinct()
    return [measure for measure in await connection.scalars(measures) if measure]


async def names_then(
    connection: ReadConnection, parties: Collection[str], knowledge: Knowledge
) -> dict[str, str]:
    """Return what these parties are called, or were called where the past is asked about."""
    table = PartyRevision
    return await _called(connection, table, table.party, knowledge, table.party.in_(parties))


async def regime_names_then(connection: ReadConnection, knowledge: Knowledge) -> dict[str, str]:
    """Return what all regimes are called, or were called where the past is asked about."""
    return await _called(connection, RegimeRevision, RegimeRevision.code, knowledge, true())


async def _called(
    connection: ReadConnection,
    table: Any,
    key: Any,
    knowledge: Knowledge,
    which: ColumnElement[bool],
) -> dict[str, str]:
    """Return the names in the latest revisions that were known; before there was one, its first."""
    statement = (
        select(key.label("key"), table.name)
        .where(which)
        .ext(distinct_on(key))
        .order_by(key, table.revision.desc())
    )
    if isinstance(knowledge, Recorded):
        known = table.recorded_at <= knowledge.instant
        statement = statement.where(or_(known, table.revision == 1))
    return {row.key: row.name for row in await connection.execute(statement)}
