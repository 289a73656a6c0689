"""The events of a few countries or parties in the order of their days: ranges of an index.

Who takes part in few events is hardly ever met on a walk through all of them, and the planner, who
takes them for spread evenly, walks all the same. So the walk is made along the ranges of those who
take part, one range for each, and the first events of each are put together.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, select, union_all
from sqlalchemy.sql.elements import True_

from app.db.projections import Event, EventParty
from app.domain.vocabulary import Role
from app.queries.filter import LIVE, DateField, EventFilter, conditions, own_date_conditions
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
    firsts = [_first_in(each, along.rest, known, order, after, limit) for each in along.ranges]
    both = union_all(*(select(*first.subquery().c) for first in firsts)).subquery()
    return order.page(select(*both.c).distinct(), both.c, None, limit).subquery()


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
