"""What the names in a question stand for: parties, regimes and measures, in one statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import literal, null, or_, select, union_all
from sqlalchemy.dialects.postgresql import distinct_on

from app.db.engine import ReadConnection
from app.db.projections import Event, PartyName
from app.db.tables import Party, PartyRevision, Regime
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
    folded: Collection[str],
    regimes: Collection[str],
    measures: Collection[str],
) -> Known:
    """Return what exists under folded party names, regime codes and measure ids."""
    found = Known()
    branches = [
        *([_parties(folded)] if folded else []),
        *([_words("regime", Regime.code, regimes)] if regimes else []),
        *([_words("measure", Event.measure, measures)] if measures else []),
    ]
    if branches:
        for row in await connection.execute(union_all(*branches)):
            _keep(found, row)
    return found


def _parties(folded: Collection[str]) -> AnySelect:
    return (
        select(
            literal("party").label("what"),
            PartyName.folded.label("word"),
            Party.id,
            Party.kind,
            Party.country,
        )
        .join(Party, Party.id == PartyName.party)
        .where(PartyName.folded.in_(folded))
    )


def _words(what: str, column: Any, words: Collection[str]) -> AnySelect:
    return (
        select(literal(what).label("what"), column.label("word"), null(), null(), null())
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
    rows = await connection.execute(select(PartyName.folded, PartyName.party))
    return [(row.folded, row.party) for row in rows]


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
    """Return what these parties are called, or were called where the past is asked about.

    Before a party was recorded it was called what it was called first.
    """
    table = PartyRevision
    statement = (
        select(table.party, table.name)
        .where(table.party.in_(parties))
        .ext(distinct_on(table.party))
        .order_by(table.party, table.revision.desc())
    )
    if isinstance(knowledge, Recorded):
        known = table.recorded_at <= knowledge.instant
        statement = statement.where(or_(known, table.revision == 1))
    return {row.party: row.name for row in await connection.execute(statement)}
