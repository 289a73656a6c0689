"""What positions are computed from: the effects on each, and the measures that are about them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    SQLColumnExpression,
    and_,
    func,
    null,
    or_,
    select,
    union_all,
)

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.domain.evidence import Evidence, Key, Step
from app.domain.positions import Effect, last_possible
from app.domain.vocabulary import Dimension, State, Status, Verification
from app.queries.filter import Tables
from app.queries.keyset import AnyRow, AnySelect
from app.queries.knowledge import Everything, Knowledge

_PAIR = ("event", "actor", "subject", "dimension", "regime", "measure", "state", "verification")
_DAYS = ("first", "last", "until_first", "until_last", "told", "written")
_OF_STEPS = ("status", "announced_from", "announced_before")
# To look a word up is several times as fast as to call its vocabulary, and there are many rows.
_DIMENSIONS = {str(each): each for each in Dimension}
_STATES = {str(each): each for each in State}
_STATUSES = {str(each): each for each in Status}
_VERIFICATIONS = {str(each): each for each in Verification}


@dataclass(frozen=True, slots=True)
class PositionFilter:
    """Whose positions are asked for; an empty condition asks for nothing."""

    actors: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    regimes: tuple[str, ...] = ()

    def wants(self, key: Key) -> bool:
        """Tell whether a position between the right parties is of the right sort."""
        return (not self.dimensions or key.dimension in self.dimensions) and (
            not self.regimes or key.regime in self.regimes
        )

    @property
    def count_named(self) -> int:
        """How many positions are named in full."""
        return len(self.actors) * len(self.subjects) * len(self._sorts)

    def named(self) -> Iterator[Key]:
        """Return the positions that are named in full, which are answered even where unknown."""
        for actor, subject, (dimension, regime) in product(self.actors, self.subjects, self._sorts):
            yield Key(actor, subject, dimension, regime)

    @property
    def _sorts(self) -> list[tuple[Dimension, str | None]]:
        regimes = [(Dimension.DESIGNATION, regime) for regime in self.regimes]
        others = [(d, None) for d in self.dimensions if d is not Dimension.DESIGNATION]
        return [*(regimes if Dimension.DESIGNATION in self.dimensions else []), *others]


async def evidence(
    connection: ReadConnection, wanted: PositionFilter, knowledge: Knowledge, beginning: str = ""
) -> Evidence:
    """Return what the positions that are asked for rest on, in one statement and so one snapshot.

    Args:
        connection: one that reads.
        wanted: which positions; at least actors or subjects.
        knowledge: what is known of the events.
        beginning: the actor with whom the positions begin, in the order of ids.

    """
    await knowledge.settle(connection)
    branches = [
        branch
        for tables, known in knowledge.sources()
        for branch in (
            _pairs(tables, known, knowledge, wanted, beginning),
            _steps(tables, known, wanted, knowledge),
        )
    ]
    return _gathered(await connection.execute(union_all(*branches)), wanted)


def _asked(pair: Any, wanted: PositionFilter) -> ColumnElement[bool]:
    conditions = [
        among(column, values)
        for column, values in (
            (pair.actor, wanted.actors),
            (pair.subject, wanted.subjects),
            (pair.regime, wanted.regimes),
        )
        if values
    ]
    if wanted.dimensions:
        conditions.append(or_(pair.dimension.in_(wanted.dimensions), pair.measure.is_not(None)))
    return and_(*conditions)


def _pairs(
    tables: Tables,
    known: ColumnElement[bool],
    knowledge: Knowledge,
    wanted: PositionFilter,
    beginning: str,
) -> AnySelect:
    """Return what the events say of the pairs, in the columns that steps have as well."""
    pair = tables.pair
    columns = [getattr(pair, name) for name in (*_PAIR, *_DAYS)]
    nothing = [null().label(name) for name in _OF_STEPS]
    statement: AnySelect = select(*columns, *nothing).where(_asked(pair, wanted))
    if beginning:
        statement = statement.where(pair.actor >= beginning)
    if not isinstance(knowledge, Everything):
        statement = statement.join(tables.event, tables.of_event(pair)).where(known)
    return statement


def _steps(
    tables: Tables, known: ColumnElement[bool], wanted: PositionFilter, knowledge: Knowledge
) -> AnySelect:
    """Return the events of every measure that names one of the pairs."""
    event = tables.event
    naming = union_all(
        *(
            select(source.pair.measure).where(
                _asked(source.pair, wanted), source.pair.measure.is_not(None)
            )
            for source, _ in knowledge.sources()
        )
    )
    found: dict[str, SQLColumnExpression[Any]] = {
        "event": event.id,
        "measure": event.measure,
        "first": event.earliest,
        "last": event.latest,
        "verification": event.verification,
        "status": event.status,
        "announced_from": func.lower(event.announced, type_=Date()),
        "announced_before": func.upper(event.announced, type_=Date()),
    }
    names = (*_PAIR, *_DAYS, *_OF_STEPS)
    columns: list[Any] = [found.get(name, null()).label(name) for name in names]
    statement: AnySelect = select(*columns).where(event.measure.in_(naming), known)
    return statement


def _gathered(rows: Iterable[AnyRow], wanted: PositionFilter) -> Evidence:
    effects: dict[Key, list[Effect]] = {}
    measures: dict[tuple[str, str, str | None], set[str]] = defaultdict(set)
    steps = []
    for row in rows:
        if row.status is not None:
            steps.append(_step(row))
            continue
        if row.measure is not None:
            measures[row.actor, row.subject, row.regime].add(row.measure)
        for key in filter(wanted.wants, _keys(row)):
            effects.setdefault(key, [])
            if row.state is not None and row.dimension == key.dimension:
                effects[key].append(_effect(row))
    return Evidence(effects, measures, steps, frozenset(wanted.named()))


def _keys(row: AnyRow) -> Iterator[Key]:
    """Return the positions that a pair is about, that which a measure is to lead to among them."""
    dimension = _DIMENSIONS.get(row.dimension)
    if dimension is Dimension.DESIGNATION or (row.regime and row.measure):
        yield Key(row.actor, row.subject, Dimension.DESIGNATION, row.regime)
    if dimension and dimension is not Dimension.DESIGNATION:
        yield Key(row.actor, row.subject, dimension, None)


def _effect(row: AnyRow) -> Effect:
    return Effect(
        row.first,
        row.last,
        row.event,
        _STATES[row.state],
        _VERIFICATIONS[row.verification],
        row.until_first,
        row.until_last,
        row.told,
        row.written,
    )


def _step(row: AnyRow) -> Step:
    last = last_possible(row.first, row.last, _announced(row))
    return Step(row.first, last, row.event, row.measure, _STATUSES[row.status])


def _announced(row: AnyRow) -> tuple[date, date] | None:
    begin, end = row.announced_from, row.announced_before
    if begin is None and end is None:
        return None
    # A range of days is stored half-open, and a bound that is missing means that there is none.
    return begin or date.min, date.max if end is None else end - timedelta(days=1)
