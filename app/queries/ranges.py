"""The events of a few countries or parties in the order of their days: ranges of an index.

Who takes part in few events is hardly ever met on a walk through all of them, and the planner, who
takes them for spread evenly, walks all the same. So the walk is made along the ranges of those who
take part, one range for each, and the first events of each are put together. What events are
filtered and counted by stands in the index beside their order, so that only what is shown is looked
at elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Subquery,
    and_,
    cast,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql.elements import True_

from app.db.conditions import MOST_LISTED, among, array_in
from app.db.projections import COUNTED, Event, EventParty
from app.domain.vocabulary import Role
from app.queries.filter import (
    LIVE,
    DateField,
    DateMatch,
    EventFilter,
    Tables,
    conditions,
    own_date_conditions,
    without_words,
    word_conditions,
)
from app.queries.keyset import AnySelect, Order

# Of more values there is one parameter for all, and no range for each.
MOST_RANGES = MOST_LISTED


@dataclass(frozen=True, slots=True)
class Along:
    """Ranges to walk along, all of them together, and what else is asked for."""

    ranges: Sequence[ColumnElement[bool]]
    together: ColumnElement[bool]
    rest: EventFilter

    @property
    def is_simple(self) -> bool:
        """Whether of the rest nothing is asked but what the event itself says."""
        rest = self.rest
        return not (rest.countries or rest.parties or rest.actors or rest.subjects)


def along(wanted: EventFilter) -> Along | None:
    """Return the ranges in which all that is wanted lies, or None where there is none or many."""
    if wanted.subjects:
        return _taking_part(wanted.subjects, [Role.SUBJECT], replace(wanted, subjects=()))
    if wanted.actors:
        return _taking_part(wanted.actors, [Role.ACTOR], replace(wanted, actors=()))
    if wanted.parties:
        return _taking_part(wanted.parties, [*Role], replace(wanted, parties=()))
    if wanted.countries:
        return _of_countries(wanted.countries, replace(wanted, countries=()))
    return None


def _taking_part(parties: Sequence[str], roles: Sequence[Role], rest: EventFilter) -> Along | None:
    party, role = EventParty.party, EventParty.role
    if len(parties) * len(roles) > MOST_RANGES or array_in(parties) is not None:
        return None
    ranges = [and_(party == who, role == how) for who, how in product(parties, roles)]
    return Along(ranges, and_(among(party, parties), role.in_(roles)), rest)


def _of_countries(codes: Sequence[str], rest: EventFilter) -> Along | None:
    country = EventParty.country
    if len(codes) > MOST_RANGES or array_in(codes) is not None:
        return None
    return Along([country == code for code in codes], among(country, codes), rest)


def first_of(
    along: Along,
    known: ColumnElement[bool],
    order: Order,
    after: Sequence[Any] | None,
    limit: int,
) -> Subquery:
    """Return the keys of the first events along the ranges, with one more to see the end.

    Of an event it must hold that it is known.
    """
    rest = along.rest
    stretches = [stretch for within in along.ranges for stretch in _stretches(within, rest)]
    firsts = [_first_in(each, rest, known, order, after, limit) for each in stretches]
    both = union_all(*(select(*first.subquery().c) for first in firsts)).subquery()
    return order.page(select(*both.c).distinct(), both.c, None, limit).subquery()


def _stretches(within: ColumnElement[bool], wanted: EventFilter) -> list[ColumnElement[bool]]:
    """Return what of a range may hold events of the days that are asked for.

    Who has to begin by a day may end on any later one; but only what is long ends much later, and
    has an index of its own. So a walk needn't begin with the newest events of all.
    """
    overlaps = wanted.date_match is DateMatch.OVERLAPS
    if wanted.date_to is None or wanted.date_field is not DateField.DATE or not overlaps:
        return [within]
    # Written as in the index, which couldn't be used with another way to say it.
    longest = literal_column("366", Integer())
    soon = cast(wanted.date_to, Date) + longest
    is_long = EventParty.latest > EventParty.earliest + longest
    return [
        and_(within, EventParty.latest <= soon),
        and_(within, EventParty.latest > soon, is_long),
    ]


def _first_in(
    within: ColumnElement[bool],
    wanted: EventFilter,
    known: ColumnElement[bool],
    order: Order,
    after: Sequence[Any] | None,
    limit: int,
) -> AnySelect:
    walked: Any = _in(within).subquery().c
    met, rest = _met(wanted, walked)
    # Who takes part twice stands twice in a row.
    found: AnySelect = select(walked.id, walked.latest, walked.earliest).distinct().where(*met)
    looked_at = conditions(rest, LIVE)
    if not isinstance(known, True_):
        looked_at.append(known)
    if looked_at:
        found = found.join(Event, Event.id == walked.id).where(*looked_at)
    return order.page(found, walked, after, limit)


def matching(
    wanted: EventFilter, tables: Tables, known: ColumnElement[bool], columns: Iterable[str] = ()
) -> AnySelect:
    """Return the keys of all events that match, each once, and columns that they are counted by."""
    names = (*tables.key, *columns)
    told = _told_by_index(wanted) if tables is LIVE and isinstance(known, True_) else None
    if told is not None:
        event = told.subquery().c
        return select(*(event[name] for name in names))
    named = [getattr(tables.event, name) for name in names]
    return select(*named).where(known, *conditions(wanted, tables))


def _told_by_index(wanted: EventFilter) -> AnySelect | None:
    """Return all live events that match, or None where the index doesn't tell which they are."""
    ranges = along(wanted)
    if ranges is None:
        return None
    walked: Any = _in(ranges.together).subquery().c
    met, rest = _met(ranges.rest, walked)
    if conditions(rest, LIVE):
        return None
    # In the order of the index, so that nothing is sorted where there is one range.
    order = walked.latest, walked.earliest, walked.id
    found: AnySelect = select(*walked)
    return found.ext(distinct_on(*order)).where(*met).order_by(*order)


def _in(within: ColumnElement[bool]) -> AnySelect:
    """Return what the index tells of those who take part and lie within a range."""
    keys = EventParty.event.label("id"), EventParty.latest, EventParty.earliest
    counted = (getattr(EventParty, name) for name in COUNTED)
    found: AnySelect = select(*keys, *counted).where(within)
    return found


def _met(wanted: EventFilter, walked: Any) -> tuple[list[ColumnElement[bool]], EventFilter]:
    """Return what must be met by what stands in the index, and what is wanted besides."""
    met, rest = word_conditions(wanted, walked), without_words(wanted)
    if wanted.date_field is DateField.DATE:
        met += own_date_conditions(wanted, walked)
        rest = replace(rest, date_from=None, date_to=None)
    return met, rest
