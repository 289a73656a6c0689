"""Conditions on lists of values, which make no statement longer than it need be."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, String, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

TEXTS = ARRAY(String())
"""The type of a parameter that holds a list of texts."""
MOST_LISTED = 12
"""How many values of a list may be parameters of their own."""


def among(column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column of texts has one of these values.

    More than a few values are one parameter, an array: a statement with a parameter for each takes
    long to compile, and PostgreSQL accepts no more than 32,767 of them.

    Args:
        column: what is compared.
        values: at least one text; or a single parameter of type TEXTS that stands for all.

    """
    array = array_in(values)
    if array is None and len(values) > MOST_LISTED:
        array = literal(list(values), TEXTS)
    found: ColumnElement[bool] = column.in_(values) if array is None else column == any_(array)
    return found


def array_in(values: Collection[Any]) -> ColumnElement[Any] | None:
    """Return the parameter that stands for a whole list of values, or None where each is given."""
    first = next(iter(values), None)
    is_array = isinstance(first, ColumnElement) and isinstance(first.type, ARRAY)
    return first if is_array else None
