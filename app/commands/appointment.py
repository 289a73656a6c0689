"""Write what is long without keeping anybody waiting: by an appointment with the clock.

Changes are stamped with the instant of their commit, and writing very much takes longer than the
journal's lock may be held. So an instant that is still to come is chosen beforehand, and
numbers beyond those that others will reach until then. All is written with these stamps while
nobody waits, in a transaction that nobody sees. The lock is taken shortly before the instant and
held until it has passed and the transaction commits: so nothing was answered for that instant or
a later one without the changes. Who comes too late makes a later appointment.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import text

from app.commands import chain, counts, journal
from app.commands.journal import Place
from app.db.connections import WriteConnection
from app.db.failures import LockedError, contending
from app.db.locks import IMPORT
from app.domain.errors import BusyError

SOONEST_S = 2.0
ATTEMPTS = 3
# How long before the instant the lock is asked for, and how long it is waited for at most. Who
# waits a second for a lock makes PostgreSQL look for deadlocks, and might be the one it ends.
EARLY_S = 0.7
# Never is the lock held longer. The stamps of a million changes take a second to pass.
LONGEST_S = 1.8
# Others may record so many changes until the instant.
GAP = 1_000_000
_PAUSE_S = 1.0

_CHECK = """
    SELECT clock_timestamp() < CAST(:instant AS timestamptz) AND NOT EXISTS (
        SELECT FROM reference_revision
        WHERE recorded_at >= CAST(:instant AS timestamptz) AND seq < :seq
    ) AND CAST(:instant AS timestamptz) > ALL (
        SELECT recorded_at FROM event_revision WHERE seq < :seq ORDER BY seq DESC LIMIT 1
    )
"""
_SECONDS_UNTIL = """
    SELECT CAST(extract(epoch FROM CAST(:instant AS timestamptz) - clock_timestamp()) AS float8)
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: its last place in the journal, and the leaves of its link in the chain."""

    last: Place
    leaves: bytes


class Work(Protocol):
    """What is written in one transaction, most of it without the journal's lock."""

    async def write(self, connection: WriteConnection, first: Place) -> Written:
        """Write everything, numbered and stamped from a place onwards; nobody is kept waiting."""

    async def wait(self, connection: WriteConnection, first: Place) -> None:
        """Do what else there is to do before the instant; called about once a second."""

    async def finish(self, connection: WriteConnection, first: Place) -> None:
        """Make sure under the lock that it still holds; what takes long has no place here.

        Raises:
            ConflictError: the register has changed in between.
            MissedError: too much is left to be written; another attempt has more time.

        """


class MissedError(Exception):
    """The instant has passed, or can't be waited for under the lock."""


async def write(connection: WriteConnection, work: Work, ahead: float) -> None:
    """Write something long; the journal's lock is held afterwards, for the commit alone.

    Args:
        connection: in a transaction of its own.
        work: what is to be written.
        ahead: in how many seconds all will probably have been written.

    Raises:
        BusyError: another import is at it, or too much else is being written.
        ConflictError: the register has changed in between.

    """
    if not await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": IMPORT}):
        raise BusyError("Something large is being written: send this again when that is done.")
    await connection.execute(text(f"SET LOCAL lock_timeout = '{EARLY_S}s'"))
    for attempt in range(ATTEMPTS):
        with suppress(MissedError, LockedError), contending():
            async with connection.begin_nested():
                seconds = max(ahead, SOONEST_S) * 2**attempt
                await _attempt(connection, work, timedelta(seconds=seconds))
            return
    raise BusyError("Too much is being written at the moment: send this again later.")


async def _attempt(connection: WriteConnection, work: Work, ahead: timedelta) -> None:
    first = await journal.later_place(connection, ahead, GAP)
    written = await work.write(connection, first)
    while (left := await _seconds_until(connection, first)) > EARLY_S:
        if left > ahead.total_seconds():
            raise MissedError
        await work.wait(connection, first)
        await asyncio.sleep(min(left - EARLY_S, _PAUSE_S))
    await journal.lock(connection)
    # Numbers need no look: who had come as far as ours would have waited for them.
    given = {"instant": first.recorded_at, "seq": first.seq}
    if not await connection.scalar(text(_CHECK), given):
        raise MissedError
    await work.finish(connection, first)
    await journal.count_change(connection)
    await chain.link_written(connection, first.seq, written.last.seq, written.leaves)
    await counts.put_staged(connection)
    await _pass(connection, written.last)


async def _pass(connection: WriteConnection, last: Place) -> None:
    """Wait under the lock until the last stamp is of the past, but never for a clock set back."""
    end = time.monotonic() + LONGEST_S
    while (left := await _seconds_until(connection, last)) >= 0:
        if time.monotonic() + left > end:
            raise MissedError
        await asyncio.sleep(left)


async def _seconds_until(connection: WriteConnection, place: Place) -> float:
    """Return how long it is until the instant of a place, by the database's clock."""
    found = await connection.execute(text(_SECONDS_UNTIL), {"instant": place.recorded_at})
    seconds: float = found.scalar_one()
    return seconds
