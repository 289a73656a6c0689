"""The fault suite: `make torture` runs it all and prints the table for the README.

Every fault has a control: the same rounds with one precaution taken away, which must come out
badly, as it shows that the test would see what it looks for.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults import (
    connections_taken,
    disconnect_storm,
    disk_full,
    network_cut,
    power_cut,
    rolling_restart,
    server_frozen,
    server_killed,
    upgrades,
    worker_killed,
)
from tests.faults.siege import Row

Run = Callable[[int, Path], Awaitable[Row]]
HEADINGS = (
    *("fault", "rounds", "acknowledged", "lost", "doubled", "longest outage", "back after"),
    "control",
)


class Fault(NamedTuple):
    """A fault, how often it is caused, and its control."""

    run: Run
    rounds: int
    control: Run | None = None
    control_rounds: int = 0
    why_not: Callable[[], str | None] = lambda: None


FAULTS = {
    "worker-killed": Fault(worker_killed.run, 50, worker_killed.control, 5),
    "server-killed": Fault(server_killed.run, 50, server_killed.control, 3),
    "server-frozen": Fault(server_frozen.run, 20),
    "power-cut": Fault(power_cut.run, 20, power_cut.control, 3, power_cut.why_not),
    "network-slow": Fault(network_cut.slowed, 20),
    "network-held": Fault(network_cut.held, 20),
    "network-reset": Fault(network_cut.reset, 20),
    "network-forgotten": Fault(network_cut.forgotten, 20),
    "connections-taken": Fault(connections_taken.run, 20),
    "disk-full": Fault(disk_full.run, 5, why_not=disk_full.why_not),
    "rolling-restart": Fault(rolling_restart.run, 20),
    "disconnect-storm": Fault(disconnect_storm.run, 10_000),
    "upgrades": Fault(upgrades.run, 20, upgrades.control, 2),
}


def main() -> None:
    """Cause the faults that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--rounds-factor", type=float, default=1.0)
    options = parser.parse_args()
    if unknown := set(options.faults) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(unknown)}")
    _say(HEADINGS)
    _say(["---"] * len(HEADINGS))
    for name in options.faults or FAULTS:
        fault = FAULTS[name]
        if reason := fault.why_not():
            _say([f"{name}: not run. {reason}"] + [""] * (len(HEADINGS) - 1))
        else:
            _say(asyncio.run(measured(fault, options.rounds_factor)))


async def measured(fault: Fault, factor: float) -> list[str]:
    """Return the table's row for a fault, after its control."""
    row = await _run(fault.run, fault.rounds, factor)
    control = "none"
    if fault.control is not None:
        seen = await _run(fault.control, fault.control_rounds, factor)
        control = f"{seen.fault}, {seen.rounds} rounds: {seen.verdict}"
    return [*row.cells, control]


async def _run(run: Run, rounds: int, factor: float) -> Row:
    with tempfile.TemporaryDirectory(prefix="torture-") as place:
        return await run(max(1, round(rounds * factor)), Path(place))


def _say(cells: list[str] | tuple[str, ...]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)  # noqa: T201 - The table is what this is for.


if __name__ == "__main__":
    main()
