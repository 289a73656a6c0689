"""What is asked of the events: which of them, in which order, as known when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

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
KEY_TYPES: Mapping[str, type] = {
    "rank": float,
    "latest": date,
    "earliest": date,
    "updated_at": datetime,
    "id": str,
}
"""The columns that lists are sorted by: none of them is ever null."""
ORDERS = {
    Sort.NEWEST: Order(_BY_DAY, descending=True),
    Sort.OLDEST: Order(_BY_DAY),
    Sort.RECENTLY_UPDATED: Order(("updated_at", "id"), descending=True),
    Sort.RELEVANCE: Order(("rank", *_BY_DAY), descending=True),
}


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

    @property
    def key_types(self) -> list[type]:
        """The types of what says where a page begins."""
        return [KEY_TYPES[column] for column in self.order.columns]
