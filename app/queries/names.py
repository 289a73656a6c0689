"""What the names in a question stand for: parties, regimes and measures, in one statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    and_,
    any_,
    bindparam,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from app.db.conditions import TEXTS, among
from app.db.connections import ReadConnection
from app.db.names import PartyName
from app.db.prepared import Prepared, Values
from app.db.reading import rows as rows_of
from app.db.tables import Party, Regime
from app.queries.keyset import AnyRow, AnySelect
from app.queries.knowledge import Everything, Knowledge, Recorded


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
    wanted = {"folded": [*folded], "regimes": [*regimes], "measures": [*measures]}
    given: Values = {name: words for name, words in wanted.items() if words}
    if given:
        past = {"known_at": knowledge.instant} if isinstance(knowledge, Recorded) else {}
        statement = _statement(tuple(given), is_past=bool(past))
        for row in await rows_of(connection, statement, {**given, **past}):
            _keep(found if row.then else now, row)
    return replace(found, parties=now.parties | found.parties)


@cache
def _statement(given: tuple[str, ...], *, is_past: bool) -> Prepared:
    """Return the statement that looks up the lists of words that are given."""
    instant = bindparam("known_at", type_=DateTime(timezone=True))
    knowledge = Recorded(instant) if is_past else Everything()  # type: ignore[arg-type]
    lists = {name: any_(bindparam(name, type_=TEXTS)) for name in given}
    branches = []
    if "folded" in lists:
        branches.append(_parties(lists["folded"], knowledge))
    if "regimes" in lists:
        branches.append(_words("regime", Regime.code, lists["regimes"]))
    if "measures" in lists:
        branches += _measures(lists["measures"], knowledge)
    return Prepared(union_all(*branches))


def _parties(folded: ColumnElement[Any], knowledge: Knowledge) -> AnySelect:
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
        .where(PartyName.folded == folded, or_(in_use, then))
    )


def _measures(ids: ColumnElement[Any], knowledge: Knowledge) -> list[AnySelect]:
    return [_words("measure", tables.event.measure, ids) for tables, _ in knowledge.sources()]


def _words(what: str, column: Any, words: ColumnElement[Any]) -> AnySelect:
    return (
        select(
            literal(what).label("what"),
            column.label("word"),
            null(),
            null(),
            null(),
            true().label("then"),
        )
        .where(column == words)
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


async def parties_of(connection: ReadConnection, blocs: Collection[str]) -> Sequence[str]:
    """Return the first few of the parties that belong to these blocs."""
    organs = select(Party.id).where(among(Party.country, blocs)).order_by(Party.id).limit(5)
    return (await connection.scalars(organs)).all()
