"""A short round of each fault that `make torture` causes many times and a control."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.faults import (
    connections_taken,
    disconnect_storm,
    network_cut,
    rolling_restart,
    server_frozen,
    server_killed,
    worker_killed,
)
from tests.faults.siege import Siege, besieged
from tests.faults.torture import FAULTS

pytestmark = pytest.mark.slow

# Of these all take turns at one service, as most of the time would go into its start.
CAUSES: tuple[Callable[[Siege, int], Awaitable[None]], ...] = (
    worker_killed.cause,
    server_frozen.cause,
    network_cut.slow_down,
    network_cut.hold,
    network_cut.break_off,
    network_cut.forget,
    connections_taken.cause,
)
STORM = 200


async def test_nothing_acknowledged_is_lost_or_there_twice(tmp_path: Path) -> None:
    async with besieged(tmp_path, workers=2) as siege:
        assert await rolling_restart.cause(siege, 1) == 0
        for cause in CAUSES:
            await cause(siege, 1)
        assert await disconnect_storm.cause(siege, STORM) == 0
    row = siege.row("all of them", len(CAUSES))
    assert row.acknowledged > len(CAUSES)
    assert (row.lost, row.doubled) == (0, 0)


@pytest.mark.parametrize("name", ["server-killed", "power-cut", "disk-full", "upgrades"])
async def test_nor_by_what_needs_a_database_of_its_own(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    if reason := fault.why_not():
        pytest.skip(reason)
    row = await fault.run(1, tmp_path)
    assert row.acknowledged
    assert (row.lost, row.doubled) == (0, 0)


async def test_without_the_precaution_it_shows(tmp_path: Path) -> None:
    row = await server_killed.control(1, tmp_path)
    assert row.lost
