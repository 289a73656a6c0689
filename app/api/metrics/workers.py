"""What the workers of one service tell each other: what each has counted, when one is asked.

Workers share a socket to their clients, so whoever asks meets any one of them. That one asks the
others, each of which listens on a Unix socket of its own in a folder that they have together. So
the numbers are those of this moment, counting costs no more than with one worker, and what a
worker that died had counted doesn't linger.
"""

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Self

from app.api.metrics.exposition import Sample

FOLDER_VARIABLE = "CHANCERY_WORKERS_FOLDER"
"""By this variable `chancery serve` tells its workers where to meet; it is no setting."""

LONGEST_S = 1.0
"""How long a worker is waited for: scrapers themselves wait for ten seconds or less."""


_GONE = (ConnectionRefusedError, FileNotFoundError)


class Workers:
    """The worker that this process is, and its way to the others."""

    def __init__(self, folder: Path | None, count: Callable[[], list[Sample]]) -> None:
        """Prepare to tell what was counted, in this folder where there are others."""
        self._folder = folder
        self._count = count
        self._name = str(os.getpid())
        self._server: asyncio.Server | None = None

    async def counted(self) -> dict[str, list[Sample] | None]:
        """Return by its process id what each worker has counted; None where it didn't tell."""
        counted: dict[str, list[Sample] | None] = {self._name: self._count()}
        others = [place for place in self._places() if place.name != self._name]
        told = await asyncio.gather(*map(_told, others), return_exceptions=True)
        for place, samples in zip(others, told, strict=True):
            if isinstance(samples, _GONE):
                # Killed, it couldn't take its place away.
                place.unlink(missing_ok=True)
            else:
                counted[place.name] = None if isinstance(samples, BaseException) else samples
        return counted

    def _places(self) -> list[Path]:
        return [] if self._folder is None else sorted(self._folder.iterdir())

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(self._count()).encode())
        writer.close()

    async def __aenter__(self) -> Self:
        if self._folder is not None:
            place = self._folder / self._name
            self._server = await asyncio.start_unix_server(self._tell, place)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._folder is not None and self._server is not None:
            self._server.close()
            (self._folder / self._name).unlink(missing_ok=True)


async def _told(place: Path) -> list[Sample]:
    async with asyncio.timeout(LONGEST_S):
        reader, writer = await asyncio.open_unix_connection(place)
        with closing(writer):
            return [Sample(*each) for each in json.loads(await reader.read())]
