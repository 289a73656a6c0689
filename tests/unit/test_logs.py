"""The lines of the log: whole JSON each, without the values that exceptions repeat."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.logs import Lines, configuration
from app.settings import Log


def line_of(message: str, *arguments: object, error: BaseException | None = None) -> Any:
    """Return what stands in the one line that a record makes."""
    told = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("chancery", logging.ERROR, "", 0, message, arguments, told)
    line = Lines().format(record)
    assert "\n" not in line
    return json.loads(line)


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


def test_a_line_says_when_and_how_grave_and_what() -> None:
    line = line_of("A key was refused to %s", "203.0.113.9\nforged")
    assert line["level"] == "error"
    assert line["logger"] == "chancery"
    assert line["message"] == "A key was refused to 203.0.113.9\nforged"
    age = datetime.now(UTC) - datetime.fromisoformat(line["time"])
    assert abs(age.total_seconds()) < 60
    assert "request" not in line


def test_a_fault_is_told_after_what_caused_it() -> None:
    cause = raised(KeyError("the first"))
    told = line_of("Away", error=raised(RuntimeError("the second"), cause))["traceback"]
    assert told.index("KeyError: 'the first'") < told.index("RuntimeError: the second")
    assert told.count('File "') == 2
    assert "in raised" in told


def test_a_group_tells_all_its_faults() -> None:
    one, other = raised(ValueError("one")), raised(TypeError("other"))
    group = raised(BaseExceptionGroup("two", [one, other]))
    told = line_of("Away", error=group)["traceback"]
    assert "ValueError: one\n" in told
    assert "TypeError: other\n" in told
    assert told.endswith("ExceptionGroup: two (2 sub-exceptions)\n")


def test_a_fault_that_caused_itself_has_an_end() -> None:
    first, second = raised(ValueError("first")), raised(ValueError("second"))
    first.__cause__, second.__cause__ = second, first
    assert line_of("Away", error=first)["traceback"].count("ValueError: first") == 1


def test_what_a_fault_hides_is_not_told() -> None:
    hidden = KeyError("hidden")
    try:
        try:
            raise hidden
        except KeyError:
            raise RuntimeError("shown") from None
    except RuntimeError as error:
        told = line_of("Away", error=error)["traceback"]
    assert told.endswith("RuntimeError: shown\n")
    assert "KeyError: 'hidden'" not in told


def test_the_values_in_a_fault_are_left_out() -> None:
    class Body(BaseModel):
        note: int

    with pytest.raises(ValidationError) as refused:
        Body.model_validate({"note": "swordfish"})
    database = RuntimeError("duplicate key\nDETAIL:  Key (note)=(swordfish) already exists.")
    for error in (ValueError(str(refused.value)), database):
        assert "swordfish" not in json.dumps(line_of("Away", error=error))
    assert "duplicate key" in line_of("Away", error=database)["traceback"]


def test_a_message_has_an_end() -> None:
    assert len(line_of("x" * 10_000)["message"]) < 1_000
    told = line_of("Away", error=RuntimeError("x" * 10_000))["traceback"]
    assert len(told) < 1_000


@pytest.mark.parametrize(("log", "level"), [(Log.FAULTS, "WARNING"), (Log.REQUESTS, "INFO")])
def test_libraries_are_never_asked_for_more_than_warnings(log: Log, level: str) -> None:
    described = configuration(log)
    assert described["root"]["level"] == logging.WARNING
    assert logging.getLevelName(described["loggers"]["chancery"]["level"]) == level
