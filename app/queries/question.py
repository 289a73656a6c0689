"""What is asked of the events: which of them, in which order, as known when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter

from app.domain.text import Slug
from app.queries.filter import EventFilter
from app.queries.keyset import Order
from app.queries.knowledge import Everything, Knowledge


class Sort(StrEnum):
    """The orders of a list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RECENTLY_UPDATED = "recently_updated"
    RELEVANCE = "relevance"


_BY_DAY = ("latest", "earliest", "id")
ORDERS = {
    Sort.NEWEST: Order(_BY_DAY, descending=True),
    Sort.OLDEST: Order(_BY_DAY),
    Sort.RECENTLY_UPDATED: Order(("updated_at", "id"), descending=True),
    Sort.RELEVANCE: Order(("rank", *_BY_DAY), descending=True),
}
"""The columns that events are sorted by: none of them is ever null."""


def _in_utc(instant: datetime) -> datetime:
    """Return the instant in UTC, or raise ValueError where no such year can be stored."""
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("The instant is out of range.") from error


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant that PostgreSQL can store."""
# PostgreSQL's real has four bytes.
_Rank = Annotated[float, Field(ge=0, le=3.4e38, allow_inf_nan=False)]
_DAY_POSITION: TypeAdapter[Any] = TypeAdapter(tuple[date, date, Slug])
POSITIONS: Mapping[Sort, TypeAdapter[Any]] = {
    Sort.NEWEST: _DAY_POSITION,
    Sort.OLDEST: _DAY_POSITION,
    Sort.RECENTLY_UPDATED: TypeAdapter(tuple[Instant, Slug]),
    Sort.RELEVANCE: TypeAdapter(tuple[_Rank, date, date, Slug]),
}
"""The types of an event's values in the columns of each order."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which events, in which order, as known when."""

    wanted: EventFilter = field(default_factory=EventFilter)
    sort: Sort = Sort.NEWEST
    knowledge: Knowledge = field(default_factory=Everything)

    @property
    def order(self) -> Order:
        """The columns that the answer is sorted by."""
        return ORDERS[self.sort]
