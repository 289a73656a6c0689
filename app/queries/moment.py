"""The present as an instant: what is seen now can be asked for again, for ever."""

from datetime import datetime

from sqlalchemy import func, select

from app.db.engine import ReadConnection
from app.db.tables import EventRevision, PartyRevision, RegimeRevision


async def newest_change(connection: ReadConnection) -> datetime:
    """Return when the register last changed: as known at that instant it is what it is now.

    Stamps grow with the numbers of the journal. The connection must see one moment, so that what
    is read beside this is neither older nor newer.
    """
    event = select(EventRevision.recorded_at).order_by(EventRevision.seq.desc()).limit(1)
    others = (select(func.max(t.recorded_at)) for t in (PartyRevision, RegimeRevision))
    newest = func.greatest(*(each.scalar_subquery() for each in (event, *others)))
    # Where nothing was ever recorded, nothing was known at any instant.
    instant: datetime = (
        await connection.execute(select(func.coalesce(newest, func.now())))
    ).scalar_one()
    return instant
