"""What `make test` leaves to `make test-slow`."""

from typing import Any

import pytest
from _pytest.mark import ParameterSet


def slow(*values: Any) -> list[ParameterSet]:
    """Return parameters that only `make test-slow` tries."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]
