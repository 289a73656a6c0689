"""The shapes of questions: what is asked, without the values, so that a statement is built once.

Building a page's statement takes several times as long as answering it. Two questions of the same
shape differ only in their values, and so get the same statement with other arguments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import REAL, BindParameter, Date, DateTime, Integer, String, bindparam
from sqlalchemy.types import TypeEngine

from app.db.conditions import MOST_LISTED, TEXTS
from app.db.prepared import Prepared
from app.queries.filter import EventFilter
from app.queries.keyset import AnySelect
from app.queries.knowledge import Knowledge, Recorded
from app.queries.question import Question

_INSTANT = DateTime(timezone=True)
_LISTS = tuple(each.name for each in fields(EventFilter) if each.default == ())
# What isn't here is text.
_TYPES: dict[str, TypeEngine[Any]] = {
    "date_from": Date(),
    "date_to": Date(),
    "updated_since": _INSTANT,
    "known_at": _INSTANT,
    "rank": REAL(),
    "latest": Date(),
    "earliest": Date(),
    "updated_at": _INSTANT,
    # What stands for a whole list.
    **dict.fromkeys(_LISTS, TEXTS),
}
_SINGLE = ("date_from", "date_to", "updated_since", "text")
_SHAPES_KEPT = 256
# Of longer lists there are too many shapes to keep them.
_VALUES_IN_KEPT = 50

Build = Callable[..., AnySelect]
"""Builds a statement from a question, where its page begins, and numbers by their names."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement and the values that it is asked with."""

    prepared: Prepared
    values: dict[str, Any]


def asked(
    build: Build,
    question: Question,
    after: Sequence[Any] | None,
    *,
    planned_once: Callable[[Question], bool] = lambda _: False,
    **numbers: int,
) -> Asked:
    """Return the statement of a question's shape, built if there is none yet, and the values.

    Args:
        build: what builds it.
        question: what is asked.
        after: where the page begins; None at the beginning.
        planned_once: tells of a shape whether one plan is good for all its values.
        numbers: further values.

    """
    values: dict[str, Any] = {**numbers}
    shape = replace(
        question,
        wanted=_named(question.wanted, values),
        knowledge=_known(question.knowledge, "known_at", values),
    )
    if after is not None:
        values.update(zip(question.order.columns, after, strict=True))
    made = _made if len(values) <= _VALUES_IN_KEPT else _made.__wrapped__
    prepared = made(build, shape, *numbers, continued=after is not None, planned_once=planned_once)
    return Asked(prepared, values)


@lru_cache(_SHAPES_KEPT)
def _made(
    build: Build,
    shape: Question,
    *numbers: str,
    continued: bool,
    planned_once: Callable[[Question], bool],
) -> Prepared:
    """Return the statement for a question that has names in place of its values."""
    question = replace(
        shape,
        wanted=_placed(shape.wanted),
        knowledge=_known(shape.knowledge, _placeholder("known_at"), {}),
    )
    after = [_placeholder(column) for column in shape.order.columns] if continued else None
    placed = {name: bindparam(name, type_=Integer()) for name in numbers}
    statement = build(question, after, **placed)
    return Prepared(statement, planned_once=planned_once(question))


def _named(wanted: EventFilter, values: dict[str, Any]) -> EventFilter:
    """Return the filter with a name for each value or long list, and note what has the name."""
    names: dict[str, Any] = {}
    for name in _LISTS:
        given = getattr(wanted, name)
        if len(given) > MOST_LISTED:
            names[name], values[name] = (name,), list(given)
        elif given:
            names[name] = tuple([f"{name}_{number}" for number in range(len(given))])
            values.update(zip(names[name], given, strict=True))
    for name in _SINGLE:
        if (value := getattr(wanted, name)) is not None:
            names[name], values[name] = name, value
    return replace(wanted, **names)


def _placed(names: EventFilter) -> EventFilter:
    """Return the filter with a placeholder for each name."""
    placed: dict[str, Any] = {
        name: tuple(_placeholder(each) for each in getattr(names, name)) for name in _LISTS
    }
    for name in _SINGLE:
        if getattr(names, name) is not None:
            placed[name] = _placeholder(name)
    return replace(names, **placed)


def _known(knowledge: Knowledge, instant: Any, values: dict[str, Any]) -> Knowledge:
    """Return the knowledge with something else in place of its instant, if it has one."""
    if not isinstance(knowledge, Recorded):
        return knowledge
    values["known_at"] = knowledge.instant
    return Recorded(instant)


def _placeholder(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=_TYPES.get(name, String()))
