"""Import events from a file: those with unseen ids are recorded, those with other facts corrected.

Everything that takes time is done before the journal's lock is taken: reading, checking, rendering
and comparing with what is there. Under the lock it is only looked whether that still holds, and
then the database numbers, stamps and moves the rows. It is one transaction, so an import that is
interrupted, in whatever way, leaves nothing behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO

from sqlalchemy import text

from app.commands import journal, staged, staging
from app.commands.revise import Author
from app.commands.staging import Faults
from app.db.engine import Database, WriteConnection
from app.domain.errors import FaultyImportError
from app.domain.rows import Form, Row, rows

BATCH = 500
# One statement on a hundred thousand rows takes longer than any statement of a reader may.
_SETTINGS = (
    "SET LOCAL statement_timeout = '120s'",
    "SET LOCAL idle_in_transaction_session_timeout = '120s'",
    "SET LOCAL work_mem = '64MB'",
)

Progress = Callable[[int], Awaitable[None]]
"""Is told how many bytes of the file were read; an error that it raises ends the import."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has done, or would do."""

    recorded: int
    corrected: int
    unchanged: int

    @property
    def rows(self) -> int:
        """How many events the file holds."""
        return self.recorded + self.corrected + self.unchanged


async def _unwatched(_: int) -> None:
    pass


async def import_events(
    database: Database,
    file: IO[bytes],
    form: Form,
    *,
    author: Author,
    dry_run: bool = False,
    progress: Progress = _unwatched,
) -> Imported:
    """Import a file of events, all of them or none.

    Raises:
        FaultyImportError: rows are faulty; nothing was written.
        ConflictError: the register has changed in between what the file touches.

    """
    async with database.writing() as connection:
        for setting in _SETTINGS:
            await connection.execute(text(setting))
        known = await _stage(connection, file, form, progress)
        basis = await staged.compare(connection, known)
        await progress(file.tell())
        if not dry_run and basis.recorded + basis.corrected:
            await journal.lock(connection)
            await staged.check_unchanged(connection, basis)
            await staged.write(connection, author, corrects=basis.corrected > 0)
    return Imported(basis.recorded, basis.corrected, basis.unchanged)


async def _stage(
    connection: WriteConnection, file: IO[bytes], form: Form, progress: Progress
) -> staging.Known:
    """Read and check the file row by row, and keep what is in order in the staging tables.

    Raises:
        FaultyImportError: some rows are not in order, or contradict each other or what is there.

    """
    await staging.create(connection)
    known = await staging.known(connection)
    faults = Faults()
    unread = rows(file, form)
    # Threads keep the event loop free: a server answers others meanwhile.
    while batch := await asyncio.to_thread(_next, unread, known):
        await staging.stage(connection, batch)
        for row in batch.faulty:
            faults.add(row.line, *row.faults)
        await progress(file.tell())
    await staging.index(connection)
    await staged.contradictions(connection, faults)
    if faults.count:
        raise FaultyImportError(faults.count, faults.first())
    return known


def _next(unread: Iterator[Row], known: staging.Known) -> staging.Batch | None:
    taken = list(islice(unread, BATCH))
    return staging.prepared(taken, known) if taken else None
