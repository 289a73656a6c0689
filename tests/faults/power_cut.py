"""The disk under PostgreSQL loses its power: what wasn't flushed to it is gone.

A killed process leaves the page cache, so that even a server that never flushes would pass. Here
the data lie on an ext4 of their own, which the kernel is told to shut down without flushing.
"""

import asyncio
import fcntl
import os
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.siege import Row, Siege, besieged

# _IOR('X', 125, __u32) and the flag that leaves the journal unflushed (fs/ext4/ext4.h).
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
SIZE = "1G"
UNMOUNT_S = 30


async def run(rounds: int, place: Path) -> Row:
    """Cut the power again and again."""
    with Disk(place).mounted() as disk:
        async with besieged(disk.data) as siege:
            await _cut(siege, disk, rounds)
    return siege.row("power cut (ext4 shutdown)", rounds)


async def control(rounds: int, place: Path) -> Row:
    """Do the same to a server that never flushes."""
    with Disk(place).mounted() as disk:
        async with besieged(disk.data, parameters={"fsync": "off"}) as siege:
            await _cut(siege, disk, rounds)
    return siege.row("fsync=off", rounds)


async def _cut(siege: Siege, disk: "Disk", rounds: int) -> None:
    await asyncio.to_thread(disk.flush)
    for _ in range(rounds):
        await siege.acknowledged(siege.random.randint(5, 20))
        await asyncio.sleep(siege.random.uniform(0, 0.03))
        disk.shut_down()
        await siege.postgres.kill()
        await asyncio.to_thread(disk.mount_again)
        await siege.postgres.start()
        await siege.back()


class Disk:
    """A file that is a disk, with a filesystem of its own."""

    def __init__(self, place: Path) -> None:
        """Choose the places; nothing is made yet."""
        self._image, self._mounted = place / "disk.img", place / "disk"
        self.data = self._mounted / "data"

    @contextmanager
    def mounted(self) -> "Iterator[Disk]":
        """Make it and mount it for a while."""
        self._mounted.mkdir(parents=True)
        _run("truncate", "-s", SIZE, self._image)
        _run("mkfs.ext4", "-qF", self._image)
        self._mount()
        try:
            yield self
        finally:
            self._unmount()

    def flush(self) -> None:
        """Write all that is there so far."""
        _run("sync", "-f", self._mounted)

    def shut_down(self) -> None:
        """Let nothing reach it any more."""
        folder = os.open(self._mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def mount_again(self) -> None:
        """Give it its power back."""
        self._unmount()
        self._mount()

    def _unmount(self) -> None:
        """Unmount it as soon as the last of those that were killed is gone."""
        deadline = time.monotonic() + UNMOUNT_S
        while True:
            try:
                _run("umount", self._mounted)
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def _mount(self) -> None:
        _run("mount", "-o", "loop", self._image, self._mounted)


def why_not() -> str | None:
    """Return what a power cut lacks on this machine, if anything."""
    if os.geteuid() != 0:
        return "Only root can mount."
    return None if Path("/dev/loop-control").exists() else "There are no loop devices."


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
