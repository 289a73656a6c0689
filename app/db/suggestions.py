"""Suggest what an unknown name may have been meant for, at a cost that the register doesn't set.

A name is compared with its neighbours in two indexes: by its letters from the start, and by its
letters from the end. A misspelt name shares its beginning or its end with the right one, so that
the right one is among them, however many names there are. Nothing is kept in memory, so what is
suggested is what there is now.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.conditions import among
from app.db.connections import ReadConnection
from app.db.names import PartyName, reversed_name
from app.db.register import EventCount
from app.db.tables import EventRevision, Regime
from app.domain import territories
from app.domain.errors import Fault, NameKind, UnknownName
from app.domain.names import fold, nearest, resembling

# Of each of the four directions. Among 100,000 names and 83,000 measures, so many find all of a
# hundred names with one letter wrong and 70 of a hundred with two, and more don't find more.
NEIGHBOURS = 100
SUGGESTIONS = 3
_PLACES = 2
# So many names in a statement keep the event loop for some 15 ms.
_BATCH = 10

_Order = Callable[[Any], ColumnElement[str]]


class _Names(NamedTuple):
    """Where the names of a kind are: as they are compared, as they are suggested, and which."""

    compared: Any
    name: Any
    which: ColumnElement[bool]
    orders: Sequence[_Order]


def _from_start(text: Any) -> ColumnElement[str]:
    expression: ColumnElement[str] = text
    return expression


_BOTH: Sequence[_Order] = (_from_start, func.reverse)
# What an index is limited to is no parameter: a plan for any value couldn't use the index.
_NAMES: Mapping[NameKind, _Names] = {
    NameKind.PARTY: _Names(
        PartyName.folded,
        PartyName.folded,
        PartyName.known_to.is_(None),
        (_from_start, reversed_name),
    ),
    NameKind.REGIME: _Names(func.lower(Regime.code), Regime.code, true(), _BOTH),
    NameKind.MEASURE: _Names(
        EventCount.value,
        EventCount.value,
        (EventCount.counted_by == literal_column("'measure'")) & (EventCount.events > 0),
        _BOTH,
    ),
    # There are too many events for another index on them.
    NameKind.EVENT: _Names(
        EventRevision.event, EventRevision.event, EventRevision.revision == 1, (_from_start,)
    ),
}


async def add_suggestions(connection: ReadConnection, faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults with suggestions for the unknown names that they tell of.

    Args:
        connection: one that holds no lock, because this takes some milliseconds.
        faults: those that will be shown, and no others.

    """
    unknown = dict.fromkeys(fault.unknown for fault in faults if fault.unknown is not None)
    suggested: dict[UnknownName, tuple[str, ...]] = {}
    for kind in NameKind:
        texts = iter([each.text for each in unknown if each.kind is kind])
        while batch := list(islice(texts, _BATCH)):
            suggested |= await _suggest(connection, kind, batch)
    return [
        replace(fault, suggestions=suggested[fault.unknown]) if fault.unknown else fault
        for fault in faults
    ]


async def _suggest(
    connection: ReadConnection, kind: NameKind, texts: Sequence[str]
) -> dict[UnknownName, tuple[str, ...]]:
    key_of = fold if kind is NameKind.PARTY else str.lower
    keys = {text: key_of(text) for text in texts}
    found = await connection.execute(_statement(kind), {"keys": list(set(keys.values()))})
    near = {row.key: _rank(row.key, row.names) for row in found}
    if kind is not NameKind.PARTY:
        return {UnknownName(kind, text): tuple(near.get(key, ())) for text, key in keys.items()}
    parties = await _parties(connection, [name for names in near.values() for name in names])
    suggested = {}
    for text in texts:
        found_for = dict.fromkeys(_parties_or_places(text, near, parties))
        suggested[UnknownName(kind, text)] = tuple(found_for)
        # The names of all places take 1 ms, and others are answered in between.
        await asyncio.sleep(0)
    return suggested


@cache
def _statement(kind: NameKind) -> Select[Any]:
    """Return the statement that finds the neighbours of several names."""
    names = _NAMES[kind]
    keys = (
        func.unnest(bindparam("keys", type_=ARRAY(String()))).table_valued("key").render_derived()
    )
    neighbours = []
    for order in names.orders:
        place, own = order(names.compared), order(keys.c.key)
        chosen = (
            select(names.name.label("name"))
            .where(names.which)
            .limit(literal_column(str(NEIGHBOURS)))
        )
        neighbours.append(chosen.where(place >= own).order_by(place))
        neighbours.append(chosen.where(place < own).order_by(place.desc()))
    beside = union_all(*neighbours).lateral("beside")
    listed = func.array_agg(beside.c.name).label("names")
    return select(keys.c.key, listed).select_from(keys.join(beside, true())).group_by(keys.c.key)


def _rank(key: str, names: Sequence[str]) -> list[str]:
    """Return the likeliest of these names: misspelt by some letters, else alike on the whole."""
    named = {name.lower(): name for name in names}
    ordered = sorted(named)
    near = nearest(key, ordered, SUGGESTIONS) or resembling(key, ordered, SUGGESTIONS)
    return [named[each] for each in near]


async def _parties(
    connection: ReadConnection, folded: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Return the ids of the parties that have these names now."""
    if not folded:
        return {}
    statement = (
        select(PartyName.folded, func.array_agg(PartyName.party).label("parties"))
        .where(PartyName.known_to.is_(None), among(PartyName.folded, folded))
        .group_by(PartyName.folded)
    )
    return {row.folded: sorted(row.parties) for row in await connection.execute(statement)}


def _parties_or_places(
    text: str, near: Mapping[str, Sequence[str]], parties: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for name in near.get(fold(text), ()):
        yield from islice(parties.get(name, ()), SUGGESTIONS)
    for place in territories.suggest(text, _PLACES):
        if place.kind != "bloc":
            yield place.code
