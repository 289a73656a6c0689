"""The disk under PostgreSQL is full for a while."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.siege import Row, besieged

SIZE = "400m"
PIECE = 1 << 20


async def run(rounds: int, place: Path) -> Row:
    """Fill the disk again and again."""
    with mounted(place / "disk") as disk:
        async with besieged(disk / "data") as siege:
            for _ in range(rounds):
                await siege.acknowledged(5)
                await asyncio.to_thread(fill, disk / "filling")
                await siege.refused(5)
                (disk / "filling").unlink()
                # Where not even the log could grow, PostgreSQL has ended itself.
                if not siege.postgres.runs:
                    await siege.postgres.start()
                await siege.back()
    return siege.row("disk full", rounds)


@contextmanager
def mounted(place: Path) -> Iterator[Path]:
    """Lend a small disk, mounted at this place."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        # What a failed test still has open there goes with its process.
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(file: Path) -> None:
    """Write until nothing more fits, ever smaller pieces in the end."""
    with file.open("wb", buffering=0) as filling:
        piece = PIECE
        while piece:
            try:
                filling.write(bytes(piece))
            except OSError:
                piece //= 2


def why_not() -> str | None:
    """Return what a full disk lacks on this machine, if anything."""
    return None if os.geteuid() == 0 else "Only root can mount."
