"""The events of a few countries or parties in the order of their days: ranges of an index.

Who takes part in few events is hardly ever met on a walk through all of them, and the planner, who
takes them for spread evenly, walks all the same. So the walk is made along the ranges of those who
take part, one range for each, and the first events of each are put together.
"""

from collections.abc import Iterable, Iterator, Sequence
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
from sqlalchemy.sql.elements import True_

from app.db.projections import Event, EventParty
from app.domain.vocabulary import Role
from app.queries.filter import (
    LIVE,
    DateField,
    DateMatch,
    EventFilter,
    conditions,
    own_date_conditions,
)
from app.queries.keyset import AnySelect, Order

MOST_RANGES = 12


@dataclass(frozen=True, slots=True)
class Along:
    """Ranges to walk along, and what of the filter remains to be looked at."""

    ranges: Sequence[ColumnElement[bool]]
    rest: EventFilter

    @property
    def is_simple(self) -> bool:
        """Whether of the rest nothing is asked but what the event itself says."""
        rest = self.rest
        return not (rest.countries or rest.parties or rest.actors or rest.subjects)


def along(wanted: EventFilter) -> Along | None:
    """Return the ranges in which all that is wanted lies, or None where there is none or many."""
    found = next(_choices(wanted), None)
    return found if found is not None and len(found.ranges) <= MOST_RANGES else None


def _choices(wanted: EventFilter) -> Iterator[Along]:
    """Return what a walk could go along, the shortest ones first."""
    if wanted.subjects:
        yield Along(_taking_part(wanted.subjects, Role.SUBJECT), replace(wanted, subjects=()))
    if wanted.actors:
        yield Along(_taking_part(wanted.actors, Role.ACTOR), replace(wanted, actors=()))
    if wanted.parties:
        yield Along(_taking_part(wanted.parties, *Role), replace(wanted, parties=()))
    if wanted.countries:
        from_there = [EventParty.country == each for each in wanted.countries]
        yield Along(from_there, replace(wanted, countries=()))


def _taking_part(parties: Iterable[str], *roles: Role) -> list[ColumnElement[bool]]:
    pairs = product(parties, roles)
    return [and_(EventParty.party == party, EventParty.role == role) for party, role in pairs]


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
    keys = EventParty.event.label("id"), EventParty.latest, EventParty.earliest
    walked: Any = select(*keys).where(within).subquery().c
    # Who takes part twice stands twice in a row.
    found: AnySelect = select(walked.id, walked.latest, walked.earliest).distinct()
    dated = wanted.date_field is DateField.DATE
    if dated:
        found = found.where(*own_date_conditions(wanted, walked))
        wanted = replace(wanted, date_from=None, date_to=None)
    looked_at = conditions(wanted, LIVE)
    if not isinstance(known, True_):
        looked_at.append(known)
    if looked_at:
        found = found.join(Event, Event.id == walked.id).where(*looked_at)
    return order.page(found, walked, after, limit)
