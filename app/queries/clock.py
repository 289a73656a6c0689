"""The database's clock: it alone says what is past, and how far the register's stamps are ahead.

Stamps never go back. So after that clock ran ahead and was set right, the newest of them lie in its
future, and new ones a microsecond after each other behind them, until it has caught up.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, cast, extract, func, literal, select, text

from app.db.connections import ReadConnection
from app.db.locks import JOURNAL
from app.db.prepared import Prepared
from app.db.tables import EventRevision, ReferenceRevision
from app.domain.document import instant as written
from app.domain.errors import Fault, RefusedError

# Nobody holds the journal's lock longer: the timeouts of a session end it before.
_LONGEST_WRITE = timedelta(minutes=5)
# By so much our clock isn't ahead of the database's: what is older is past without asking.
_SURELY_PAST = timedelta(days=1)

# The columns are computed in their order: who stamps after the first lies after the instant.
_LOOK = """
    SELECT clock_timestamp() AS now, CASE
        WHEN CAST(:instant AS timestamptz) < clock_timestamp()
            AND CAST(:instant AS timestamptz) > clock_timestamp() - CAST(:longest AS interval)
        THEN {waits}
    END
"""
_LOOK_ONLY = text(_LOOK.format(waits="true"))
_LOOK_AND_WAIT = text(_LOOK.format(waits=f"pg_advisory_xact_lock_shared({JOURNAL}) IS NULL"))


def newest_stamp() -> ColumnElement[Any]:
    """Return when the register last changed, NULL where it never did."""
    newest = (
        select(table.recorded_at).order_by(table.seq.desc()).limit(1).scalar_subquery()
        for table in (EventRevision, ReferenceRevision)
    )
    return func.greatest(*newest)


SECONDS_AHEAD = Prepared(
    select(
        func.greatest(
            cast(extract("epoch", newest_stamp() - func.clock_timestamp()), Float),
            literal(0.0, Float()),
        )
    ),
    planned_once=True,
)
"""By how many seconds the newest stamp lies ahead of the database's clock; 0 where it doesn't."""


async def check_past(connection: ReadConnection, instant: datetime, *, waits: bool) -> None:
    """Make sure that an instant is past by the database's clock.

    Args:
        connection: one that reads, each statement by itself.
        instant: what is asked about.
        waits: whether to wait as well until every write that is stamped with the instant or before
            is visible. Whoever writes holds the journal's lock from before the instant of the stamp
            until the commit, so an answer for an instant just past could gain an event afterwards.

    Raises:
        RefusedError: it is not past yet.

    """
    if datetime.now(UTC) - instant > _SURELY_PAST:
        return
    look = _LOOK_AND_WAIT if waits else _LOOK_ONLY
    given = {"instant": instant, "longest": _LONGEST_WRITE}
    now: datetime = (await connection.execute(look, given)).one().now
    if instant >= now:
        raise RefusedError(await _in_the_future(connection, instant, now))


async def _in_the_future(connection: ReadConnection, instant: datetime, now: datetime) -> Fault:
    newest: datetime | None = await connection.scalar(select(newest_stamp()))
    message = (
        f"{written(instant)} is not over yet: write an instant of the past, at the latest "
        f"{written(now)}."
    )
    if newest is not None and newest > now:
        message += (
            f" The register's newest changes are stamped with instants up to {written(newest)}, "
            "because its database's clock ran ahead when they were recorded: until then they can "
            "only be seen without known_at."
        )
    return Fault("query", "known_at", "in_the_future", message)
