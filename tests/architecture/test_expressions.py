"""No regular expression takes longer than in proportion to the text, whatever the text is."""

import re
import time
from contextlib import suppress
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic.types import StringConstraints

from app.domain.discretion import discreet
from tests.support.expressions import Expression, expressions, pydantic_patterns, worst_cases

LONG = 100_000
# Of processor time, so that others on the machine don't count. What is linear takes a hundredth of
# it; what grows with the square takes a hundred times as long.
BOUND_S = 1.0
EXPRESSIONS = expressions()


def slowest(expression: Expression, length: int) -> float:
    """Return how many seconds of the processor the worst of the worst cases takes.

    It ends with the first that takes too long, and tries short texts before long ones.
    """
    slowest_s = 0.0
    for text in worst_cases(expression.pattern, length):
        for method in expression.methods:
            began = time.process_time()
            use(expression.pattern, method, text)
            slowest_s = max(slowest_s, time.process_time() - began)
            if slowest_s > BOUND_S:
                return slowest_s
    return slowest_s


def use(pattern: re.Pattern[Any], method: str, text: Any) -> None:
    if method == "sub":
        pattern.sub(text[:0], text)
    elif method == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, method)(text)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda each: each.name)
def test_an_expression_is_linear_in_its_worst_case(expression: Expression) -> None:
    for length in (1_000, 10_000, LONG):
        assert slowest(expression, length) < BOUND_S, (expression.pattern.pattern, length)


@pytest.mark.parametrize("pattern", pydantic_patterns())
def test_a_pattern_of_pydantics_is_linear_in_its_worst_case(pattern: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    for text in worst_cases(re.compile(pattern), LONG):
        began = time.process_time()
        with suppress(ValidationError):
            adapter.validate_python(text)
        assert time.process_time() - began < BOUND_S


def test_all_expressions_are_found() -> None:
    assert len(pydantic_patterns()) >= 5
    names = {each.name for each in EXPRESSIONS}
    assert len(names) >= 30
    assert {"app.domain.search._TERM", "app.domain.discretion._SECRETS"} <= names
    assert {"app.domain.dates._POINT", "app.api.layers.compression._GZIP"} <= names


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"(://[^\s:/@]*):\S*@", "sub"),
        (r"[a-z]*@", "search"),
        (r"\s*,\s*;", "search"),
    ],
)
def test_what_is_not_linear_is_found(pattern: str, method: str) -> None:
    expression = Expression("tried", re.compile(pattern), (method,))
    assert slowest(expression, LONG) > BOUND_S


def test_redaction_is_linear() -> None:
    for text in ("/" + "://a:" * 20_000, "@" * LONG, "://a:" * 20_000 + "@", "bearer " * 14_000):
        began = time.process_time()
        discreet(text)
        assert time.process_time() - began < BOUND_S
