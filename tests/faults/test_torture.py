"""A short round of each fault that `make torture` causes many times, and the cheap controls."""

from pathlib import Path

import pytest

from tests.faults.torture import FAULTS

SHORT = 2
STORM = 200


@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_acknowledged_is_lost_or_there_twice(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    if reason := fault.why_not():
        pytest.skip(reason)
    row = await fault.run(STORM if name == "disconnect-storm" else SHORT, tmp_path)
    assert row.acknowledged
    assert (row.lost, row.doubled) == (0, 0)


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.control])
async def test_without_the_precaution_it_shows(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    if reason := fault.why_not():
        pytest.skip(reason)
    assert fault.control is not None
    row = await fault.control(fault.control_rounds, tmp_path)
    assert row.lost + row.doubled
