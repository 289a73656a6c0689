"""Statements that are built and compiled once and asked with other values each time.

Building a statement with SQLAlchemy takes several times as long as PostgreSQL takes to answer it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg import Record
from sqlalchemy import URL, Row

AnyRow = Row[*tuple[Any, ...]]
Values = Mapping[str, Any]

_DIALECT = URL.create("postgresql+asyncpg").get_dialect()()


class Prepared:
    """A statement in which each value that varies is a `bindparam` with a name and a type.

    It must select nothing that the driver returns otherwise than SQLAlchemy does, such as ranges.
    """

    def __init__(self, statement: Any, *, planned_once: bool = False) -> None:
        """Compile the statement for the driver.

        Args:
            statement: as SQLAlchemy has it.
            planned_once: whether one plan is good for all values. Making one takes PostgreSQL
                longer than finding a page by it.

        """
        self.statement = statement
        self.planned_once = planned_once
        compiled = statement.compile(dialect=_DIALECT)
        self.sql: str = compiled.string
        self._names: Sequence[str] = compiled.positiontup
        self._constants: Values = compiled.params

    def arguments(self, values: Values) -> list[Any]:
        """Return the values in the order in which the driver wants them."""
        constants = self._constants
        return [values[name] if name in values else constants[name] for name in self._names]


class DriverRow(Record):  # type: ignore[misc]
    """A row of the driver's whose columns are read like those of SQLAlchemy's."""

    def __getattr__(self, name: str) -> Any:
        """Return a column."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None
