"""Pages by key: where a page begins is a comparison of rows, so page 1,000 costs what page 1 does.

All columns of an order run in one direction and none is null, because `(a, b) < (:a, :b)` is one
range of an index and `a < :a OR (a = :a AND b < :b)` is not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
_Sortable: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Order:
    """Columns to sort by, all ascending or all descending."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    descending: bool = False

    def page(self, statement: AnySelect, after: Sequence[Any] | None, limit: int) -> AnySelect:
        """Return the statement for the page after a position, with one row more to see the end."""
        if after is not None:
            statement = statement.where(self._beyond(after))
        return statement.order_by(*self.sorted(self.columns)).limit(limit + 1)

    def sorted(self, columns: Iterable[_Sortable]) -> list[ColumnElement[Any]]:
        """Return what to order by, for these columns or for the same ones of a subquery."""
        return [column.desc() if self.descending else column.asc() for column in columns]

    def _beyond(self, position: Sequence[Any]) -> ColumnElement[bool]:
        here = tuple_(*self.columns)
        there = tuple_(*position, types=[column.type for column in self.columns])
        return here < there if self.descending else here > there
