"""The journal's order: one writer at a time draws numbers and stamps the time.

A number drawn from a sequence follows the order of insertion, not of commit, so a reader that has
seen 7 may never be shown 6. The lock is taken before the number is drawn and held until the
commit, so numbers and instants become visible in their own order, and an answer given for an
instant never gains an event afterwards. Nothing long may happen under it: what takes long is
written before, with numbers far enough on and an instant that is still to come (appointment.py).
So numbers grow, but needn't follow each other: before a large import there is a gap.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from app.db.channels import CHANGES
from app.db.connections import WriteConnection
from app.db.locks import JOURNAL

LONGEST_WAIT_UNDER_IT = "250ms"
_CHANGE = "chancery.change"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the journal: a number and the instant that goes with it."""

    seq: int
    recorded_at: datetime

    def plus(self, count: int) -> "Place":
        """Return the place so many further on; instants grow with the numbers."""
        return Place(self.seq + count, self.recorded_at + timedelta(microseconds=count))


async def lock(connection: WriteConnection) -> None:
    """Keep every other writer out until this transaction ends.

    Whatever this one waits for from now on, all others wait for with it, so it gives up soon: a
    large import may just be writing the same event.
    """
    # Columns are computed in their order, so this lock itself is waited for as long as any other.
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(:key), set_config('lock_timeout', :longest, true)"),
        {"key": JOURNAL, "longest": LONGEST_WAIT_UNDER_IT},
    )


_NEWEST = """
    (SELECT seq, recorded_at FROM event_revision ORDER BY seq DESC LIMIT 1)
    UNION ALL
    (SELECT seq, recorded_at FROM reference_revision ORDER BY seq DESC LIMIT 1)
"""
_NEXT_PLACE = f"""
    SELECT coalesce(max(seq), 0) + 1,
        greatest(clock_timestamp(), max(recorded_at) + interval '1 microsecond')
    FROM ({_NEWEST}) newest
"""  # noqa: S608 - Put together from constants of ours.
_LATER_PLACE = f"""
    SELECT coalesce(max(seq), 0) + 1 + CAST(:gap AS bigint),
        clock_timestamp() + CAST(:ahead AS interval)
    FROM ({_NEWEST}) newest
"""  # noqa: S608 - Put together from constants of ours.


async def next_place(connection: WriteConnection) -> Place:
    """Return the next free place, and count the change; the lock must be held.

    The clock may stand still or step back, so the instant is at least a microsecond after the
    last one, be it of an event, a party or a regime.
    """
    await count_change(connection)
    return Place(*(await connection.execute(text(_NEXT_PLACE))).one())


async def count_change(connection: WriteConnection) -> None:
    """Let no answer that was kept be given any more, once this transaction has committed.

    The lock must be held: the number's row would keep every other writer waiting as well.
    """
    statement = text("UPDATE change_number SET number = number + 1 RETURNING number")
    connection.info[_CHANGE] = await connection.scalar(statement)


async def repeat_change(connection: WriteConnection) -> None:
    """Have what repeats an earlier write name a change by which that one can be seen.

    The lock must be held: the newest number is then the one that everything has.
    """
    connection.info[_CHANGE] = await connection.scalar(text("SELECT number FROM change_number"))


def forget_change(connection: WriteConnection) -> None:
    """Begin to write: the connection may have been another transaction's before."""
    connection.info.pop(_CHANGE, None)


def change_of(connection: WriteConnection) -> int | None:
    """Return the number of the change that this transaction makes, None where it makes none."""
    number: int | None = connection.info.get(_CHANGE)
    return number


async def later_place(connection: WriteConnection, ahead: timedelta, gap: int) -> Place:
    """Return a place that is so far ahead of the clock and of the newest number."""
    row = (await connection.execute(text(_LATER_PLACE), {"gap": gap, "ahead": ahead})).one()
    return Place(*row)


async def announce(connection: WriteConnection) -> None:
    """Wake those who wait for changes, once this transaction has committed."""
    await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANGES})
