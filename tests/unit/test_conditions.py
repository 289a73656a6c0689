"""Lists of values in statements: a parameter each while they are few, one for all beyond."""

from typing import Any

import pytest
from sqlalchemy import URL, String, bindparam, column

from app.db.conditions import MOST_LISTED, TEXTS, among, array_in
from tests.support.fruitless import check_can_find

DIALECT = URL.create("postgresql+asyncpg").get_dialect()()
NAME = column("name", String())


def test_few_values_are_listed() -> None:
    assert array_in(["a"]) is None
    condition = among(NAME, ["a", "b"])
    assert "IN" in str(condition.compile(dialect=DIALECT))


@pytest.mark.parametrize("count", [MOST_LISTED + 1, 100_000])
def test_many_values_are_one_parameter(count: int) -> None:
    compiled = among(NAME, [str(n) for n in range(count)]).compile(dialect=DIALECT)
    assert "= ANY" in str(compiled)
    assert [len(value) for value in compiled.params.values()] == [count]


def test_a_parameter_that_stands_for_all_is_taken_as_it_is() -> None:
    names: Any = bindparam("names", type_=TEXTS)
    assert array_in([names]) is names
    compiled = among(NAME, [names]).compile(dialect=DIALECT)
    assert "= ANY" in str(compiled)
    assert list(compiled.params) == ["names"]


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        ("SELECT 1 WHERE name IN (NULL) AND (1 != 1)", ()),
        ("SELECT 1 WHERE name = ANY ($1::VARCHAR[])", ([],)),
        ("SELECT * FROM unnest($1::VARCHAR[])", ("x", [])),
    ],
)
def test_a_statement_that_can_find_nothing_is_seen(sql: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(AssertionError, match="find nothing"):
        check_can_find(sql, arguments)


def test_an_empty_list_may_be_stored() -> None:
    check_can_find("INSERT INTO party (aliases) VALUES ($1::VARCHAR[])", ([],))
