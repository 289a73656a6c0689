"""How many of the events that match have which value: counts for a form, bars for a histogram.

A count is what the filter of that name would find: each event once, however many of its parties
have the value; a bloc, shown where an organ of its own takes part, stands for its members, too.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from app.db.connections import ReadConnection
from app.db.register import EventCount
from app.domain.territories import memberships
from app.domain.vocabulary import DIRECTION_OF_KIND, Role, family_of
from app.queries.filter import EventFilter, Tables
from app.queries.keyset import AnySelect
from app.queries.knowledge import Everything, Knowledge
from app.queries.ranges import matching


class Facet(StrEnum):
    """What can be counted by."""

    COUNTRY = "country"
    ACTOR = "actor"
    SUBJECT = "subject"
    PARTY = "party"
    KIND = "kind"
    FAMILY = "family"
    STATUS = "status"
    VERIFICATION = "verification"
    DIRECTION = "direction"
    REGIME = "regime"
    MEASURE = "measure"
    YEAR = "year"
    MONTH = "month"


IN_TIME = (Facet.YEAR, Facet.MONTH)
"""Facets of which every event has a value, though it may be none."""
OF_PARTIES = (Facet.ACTOR, Facet.SUBJECT, Facet.PARTY)
DEFAULT = (
    Facet.COUNTRY,
    Facet.KIND,
    Facet.FAMILY,
    Facet.STATUS,
    Facet.VERIFICATION,
    Facet.DIRECTION,
    Facet.REGIME,
    Facet.YEAR,
)
"""What is counted by where nothing is chosen: what forms offer to choose from."""
_ROLES = {Facet.ACTOR: Role.ACTOR, Facet.SUBJECT: Role.SUBJECT}
# What is counted by follows from these columns of the event.
_DAYS = ("earliest", "latest")
_COLUMNS: Mapping[Facet, tuple[str, ...]] = {
    Facet.COUNTRY: ("countries",),
    Facet.KIND: ("kind",),
    Facet.FAMILY: ("kind",),
    Facet.STATUS: ("status",),
    Facet.VERIFICATION: ("verification",),
    Facet.DIRECTION: ("kind",),
    Facet.REGIME: ("regime",),
    Facet.MEASURE: ("measure",),
    Facet.YEAR: _DAYS,
    Facet.MONTH: _DAYS,
}
_TOTAL, _BLOC = "total", "bloc"
Counts = Mapping[str | None, int]
FacetCounts = tuple[Mapping[Facet, Counts], int]
"""The counts of each value by facet, and how many events match."""
_Counted = defaultdict[str, dict[str, int]]


async def facets(
    connection: ReadConnection, wanted: EventFilter, knowledge: Knowledge, by: Collection[Facet]
) -> FacetCounts:
    """Return the counts of each value by facet, and how many events match: from one snapshot."""
    (found,) = await facets_of_each(connection, [(wanted, by)], knowledge)
    return found


async def facets_of_each(
    connection: ReadConnection,
    questions: Sequence[tuple[EventFilter, Collection[Facet]]],
    knowledge: Knowledge,
) -> list[FacetCounts]:
    """Return the counts for each of these filters by its facets, in one statement."""
    await knowledge.settle(connection)
    statements = [
        each.add_columns(literal(number).label("question"))
        for number, (wanted, by) in enumerate(questions)
        for each in _statements(wanted, knowledge, by)
    ]
    counted: list[_Counted] = [defaultdict(dict) for _ in questions]
    for row in await connection.execute(union_all(*statements)):
        counted[row.question][row.counted_by][row.value] = row.events
    return [
        _facet_counts(each, by, kept=_is_kept(wanted, knowledge))
        for each, (wanted, by) in zip(counted, questions, strict=True)
    ]


def _is_kept(wanted: EventFilter, knowledge: Knowledge) -> bool:
    """Tell whether these are the counts over everything, which are kept with every write."""
    return wanted == EventFilter() and isinstance(knowledge, Everything)


def _select_kept_counts(by: Collection[Facet]) -> AnySelect:
    columns = EventCount.counted_by, EventCount.value, EventCount.events
    names = [_TOTAL, _BLOC, *(_kept_by(facet) for facet in by)]
    found: AnySelect = select(*columns)
    return found.where(EventCount.counted_by.in_(names), EventCount.events > 0)


def _facet_counts(counted: _Counted, by: Collection[Facet], *, kept: bool) -> FacetCounts:
    """Return the counts by facet from the rows of `_statements`."""
    named = _kept_by if kept else _counted_by
    if kept:
        # A bloc whose own organs take part stands for its members, too.
        countries = counted[str(Facet.COUNTRY)]
        blocs = counted[_BLOC].items()
        countries |= {bloc: events for bloc, events in blocs if bloc in countries}
    else:
        counted[str(Facet.COUNTRY)] = _by_country(counted["countries"])
    found = {facet: _folded(facet, counted[named(facet)]) for facet in by}
    return found, counted[_TOTAL].get("", 0)


def _kept_by(facet: Facet) -> str:
    return str(facet) if facet in IN_TIME else _counted_by(facet)


def _counted_by(facet: Facet) -> str:
    by_itself = facet in OF_PARTIES or facet is Facet.COUNTRY
    return str(facet) if by_itself else " ".join(_COLUMNS[facet])


def _folded(facet: Facet, counts: Mapping[str, int]) -> Counts:
    """Return the counts by what follows from the values that were counted by."""
    folded: Counter[str | None] = Counter()
    for value, count in counts.items():
        if value or facet in IN_TIME:
            folded[_following(facet, value)] += count
    return folded


def _following(facet: Facet, value: str) -> str | None:
    if facet is Facet.FAMILY:
        return family_of(value)
    if facet is Facet.DIRECTION:
        return DIRECTION_OF_KIND[value]
    if facet in IN_TIME:
        # Infinite days, which stand for open ends, begin unlike each other and any other day.
        length = len("2024" if facet is Facet.YEAR else "2024-12")
        shown = {day[:length] for day in value.split()}
        return shown.pop() if len(shown) == 1 else None
    return value


def _by_country(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts by each of the countries that take part together, and by their blocs."""
    countries: Counter[str] = Counter()
    together: Counter[int] = Counter()
    for codes, count in counts.items():
        blocs = 0
        for code in codes.split():
            countries[code] += count
            blocs |= _blocs_of().get(code, 0)
        together[blocs] += count
    for bloc, bit in _bits().items():
        if bloc in countries:
            countries[bloc] = sum(count for blocs, count in together.items() if blocs & bit)
    return countries


@cache
def _bits() -> Mapping[str, int]:
    """Return a bit for each bloc, so that a set of blocs is a number."""
    return {bloc: 1 << place for place, bloc in enumerate({bloc for _, bloc in memberships()})}


@cache
def _blocs_of() -> Mapping[str, int]:
    """Return, for every territory, the blocs that stand for it."""
    blocs: dict[str, int] = {}
    for code, bloc in memberships():
        blocs[code] = blocs.get(code, 0) | _bits()[bloc]
    return blocs


def _statements(
    wanted: EventFilter, knowledge: Knowledge, by: Collection[Facet]
) -> list[AnySelect]:
    if _is_kept(wanted, knowledge):
        return [_select_kept_counts(by)]
    sets = list(dict.fromkeys(_COLUMNS[facet] for facet in by if facet not in OF_PARTIES))
    columns = [column for columns in sets for column in columns]
    found = [
        (tables, matching(wanted, tables, known, columns).cte())
        for tables, known in knowledge.sources()
    ]
    statements = [_of_events([events for _, events in found], sets)]
    if set(by) & set(OF_PARTIES):
        taking_part = union_all(*(_taking_part(*each) for each in found)).cte()
        statements += [_of_parties(facet, taking_part) for facet in by if facet in OF_PARTIES]
    return statements


def _of_events(matching: Sequence[CTE], sets: Sequence[tuple[str, ...]]) -> AnySelect:
    """Return the counts by each of these sets of columns, and of all, in one pass."""
    columns = [column for columns in sets for column in columns]
    # Without columns there is still a row to count for each event.
    rows = (select(each.c.id, *(each.c[name] for name in columns)) for each in matching)
    found = union_all(*rows).subquery()
    values = [tuple_(*(found.c[name] for name in columns)) for columns in sets]
    # A row counts by one of the sets; of the columns that it doesn't count by, GROUPING is 1.
    counted_by = [
        (func.grouping(found.c[columns[0]]) == 0, literal(" ".join(columns))) for columns in sets
    ]
    # The columns of the other sets are null then, and so leave no trace in the text.
    texts = [func.concat_ws(" ", *(cast(found.c[name], Text) for name in each)) for each in sets]
    return (
        select(
            (case(*counted_by, else_=_TOTAL) if sets else literal(_TOTAL)).label("counted_by"),
            func.concat(*texts, "").label("value"),
            func.count().label("events"),
        )
        .select_from(found)
        .group_by(func.grouping_sets(*values, tuple_()))
    )


def _taking_part(tables: Tables, matching: CTE) -> AnySelect:
    party = tables.party
    keys = zip(tables.detail_key, tables.key, strict=True)
    same = and_(*(getattr(party, theirs) == matching.c[own] for theirs, own in keys))
    return select(party.event, party.party, party.role).join(matching, same)


def _of_parties(facet: Facet, taking_part: CTE) -> AnySelect:
    each = select(taking_part.c.event, taking_part.c.party.label("value")).distinct()
    if facet in _ROLES:
        each = each.where(taking_part.c.role == _ROLES[facet])
    return _counted(facet, each)


def _counted(facet: str, each: Select[Any]) -> AnySelect:
    found = each.subquery()
    count = func.count().label("events")
    return select(literal(str(facet)), found.c.value, count).group_by(found.c.value)
