"""Import events from a file: those with unseen ids are recorded, those with other facts corrected.

Everything that takes time is done without the journal's lock: reading, checking, rendering,
comparing with what is there, and the writing itself where it is much. Under the lock it is only
looked whether that still holds. It is one transaction, so an import that is interrupted, in
whatever way, leaves nothing behind.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import IO

from sqlalchemy import text

from app.commands import appointment, chain, counts, journal, staged, staging
from app.commands.appointment import Written
from app.commands.journal import Place
from app.commands.revise import Author
from app.commands.staged import Basis, Outcome
from app.commands.staging import Faults
from app.db.connections import WriteConnection
from app.db.engine import Database
from app.db.suggestions import add_suggestions
from app.domain.errors import FaultyImportError
from app.domain.rows import Form, Row, rows

# To send so many to the database keeps the event loop for some 10 ms.
BATCH = 200
# So many changes are written under the lock, which takes less than a second.
AT_ONCE = 1_000
# One statement on a hundred thousand rows takes longer than any statement of a reader may.
_SETTINGS = (
    "SET LOCAL statement_timeout = '120s'",
    "SET LOCAL idle_in_transaction_session_timeout = '120s'",
    "SET LOCAL work_mem = '64MB'",
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has done, or would do, and the number of the change; None for none."""

    recorded: int
    corrected: int
    unchanged: int
    change: int | None = field(default=None, compare=False)

    @property
    def rows(self) -> int:
        """How many events the file holds."""
        return self.recorded + self.corrected + self.unchanged


async def _agreed(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is asked while an import goes on; an error that they raise ends it.

    `progress` is told now and then how many bytes of the file were read, `outcomes` batch by batch
    what becomes of the rows, before anything is written; `permitted` is called at the end of the
    transaction, under the lock if anything was written.
    """

    progress: Callable[[int], Awaitable[None]] = _agreed
    outcomes: Callable[[Sequence[Outcome]], Awaitable[None]] = _agreed
    permitted: Callable[[WriteConnection], Awaitable[None]] = _agreed


_UNWATCHED = Watch()


async def import_events(
    database: Database,
    file: IO[bytes],
    form: Form,
    *,
    author: Author,
    dry_run: bool = False,
    watch: Watch = _UNWATCHED,
) -> Imported:
    """Import a file of events, all of them or none.

    Raises:
        FaultyImportError: rows are faulty; nothing was written.
        ConflictError: the register has changed in between what the file touches.
        BusyError: another large import is being written, or too much else is.

    """
    try:
        return await _import(database, file, form, author, watch, dry_run=dry_run)
    except FaultyImportError as error:
        async with database.reading() as connection:
            faults = await add_suggestions(connection, error.faults)
        raise FaultyImportError(error.count, faults) from error


async def _import(
    database: Database,
    file: IO[bytes],
    form: Form,
    author: Author,
    watch: Watch,
    *,
    dry_run: bool,
) -> Imported:
    async with database.writing() as connection:
        for setting in _SETTINGS:
            await connection.execute(text(setting))
        began = time.monotonic()
        parties_changed = await staged.last_change_of_parties(connection)
        await _stage(connection, file, form, watch)
        basis = await staged.compare(connection, parties_changed)
        done = Imported(basis.recorded, basis.corrected, basis.unchanged)
        pause = partial(watch.progress, file.tell())
        async for rows in staged.outcomes(connection):
            await watch.outcomes(rows)
        await pause()
        if not dry_run and basis.changes > AT_ONCE:
            # To write a row takes less long than it took to read and check it.
            ahead = (time.monotonic() - began) * basis.changes / done.rows
            await appointment.write(connection, _Import(basis, author, pause), ahead)
        elif not dry_run and basis.changes:
            await _write_at_once(connection, author, basis)
        await watch.permitted(connection)
        return replace(done, change=journal.change_of(connection))


@dataclass(frozen=True, slots=True)
class _Import:
    """The staged events, to be written without keeping anybody waiting."""

    basis: Basis
    author: Author
    pause: Callable[[], Awaitable[None]]

    async def write(self, connection: WriteConnection, first: Place) -> Written:
        corrects = self.basis.corrected > 0
        leaves = await staged.write(connection, self.author, first, corrects=corrects)
        return Written(first.plus(self.basis.changes - 1), leaves)

    async def wait(self, _: WriteConnection, __: Place) -> None:
        await self.pause()

    async def finish(self, connection: WriteConnection, first: Place) -> None:
        await staged.check_unchanged(connection, self.basis, first)


async def _write_at_once(connection: WriteConnection, author: Author, basis: Basis) -> None:
    await journal.lock(connection)
    place = await journal.next_place(connection)
    await staged.check_unchanged(connection, basis, place)
    leaves = await staged.write(connection, author, place, corrects=basis.corrected > 0)
    last = place.plus(basis.changes - 1)
    await chain.link_written(connection, place.seq, last.seq, leaves)
    await counts.put_staged(connection)


async def _stage(connection: WriteConnection, file: IO[bytes], form: Form, watch: Watch) -> None:
    """Read and check the file row by row, and keep what is in order in the staging tables.

    Raises:
        FaultyImportError: some rows are not in order, or contradict each other or what is there.

    """
    await staging.create(connection)
    faults = Faults()
    unread = rows(file, form)
    # Threads keep the event loop free: a server answers others meanwhile.
    while read := await asyncio.to_thread(_next, unread):
        references = await staging.load_references(connection, read)
        batch = await asyncio.to_thread(staging.prepared, read, references)
        await staging.stage(connection, batch)
        for row in batch.faulty:
            faults.add(row.line, *row.faults)
        await watch.progress(file.tell())
    await staging.index(connection)
    await staged.contradictions(connection, faults)
    if faults.count:
        raise FaultyImportError(faults.count, faults.first())


def _next(unread: Iterator[Row]) -> list[Row]:
    return list(islice(unread, BATCH))
