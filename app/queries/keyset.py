"""Pages by key: where a page begins is a comparison of rows, so page 1,000 costs what page 1 does.

All columns of an order run in one direction and none is null, because `(a, b) < (:a, :b)` is one
range of an index and `a < :a OR (a = :a AND b < :b)` is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, tuple_

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Order:
    """Names of columns to sort by, all ascending or all descending."""

    columns: tuple[str, ...]
    descending: bool = False

    def page(
        self, statement: AnySelect, source: Any, after: Sequence[Any] | None, limit: int
    ) -> AnySelect:
        """Return the statement for the page after a position, with one row more to see the end.

        Args:
            statement: what to select, without an order.
            source: the table or subquery that has the columns.
            after: where the page begins; None at the beginning.
            limit: how many rows the page has.

        """
        if after is not None:
            statement = statement.where(self._beyond(source, after))
        return statement.order_by(*self.sorted(source)).limit(limit + 1)

    def sorted(self, source: Any) -> list[ColumnElement[Any]]:
        """Return what to order by in this table or subquery."""
        columns = self.columns_of(source)
        return [column.desc() if self.descending else column.asc() for column in columns]

    def columns_of(self, source: Any) -> list[Any]:
        """Return the columns of this table or subquery."""
        return [getattr(source, name) for name in self.columns]

    def _beyond(self, source: Any, position: Sequence[Any]) -> ColumnElement[bool]:
        columns = self.columns_of(source)
        here = tuple_(*columns)
        there = tuple_(*position, types=[column.type for column in columns])
        return here < there if self.descending else here > there
