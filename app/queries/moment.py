"""The present as an instant: what is seen now can be asked for again, for ever."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.db.connections import ReadConnection
from app.db.register import ChangeNumber
from app.queries.clock import newest_stamp
from app.queries.knowledge import Knowledge, Recorded


@dataclass(frozen=True, slots=True)
class State:
    """What the register holds between two changes, or held at an instant.

    `number` is that of the newest change, None where the question fixes the instant by itself; so
    the same question in an equal state has the same answer. `instant` is when the register last
    changed, or what is asked about; None where nothing was ever recorded.
    """

    number: int | None
    instant: datetime | None


async def newest_change(connection: ReadConnection) -> datetime:
    """Return when the register last changed: as known at that instant it is what it is now.

    Stamps grow with the numbers of the journal. The connection must see one moment, so that what
    is read beside this is neither older nor newer.
    """
    # Where nothing was ever recorded, nothing was known at any instant.
    now = select(func.coalesce(newest_stamp(), func.now()))
    instant: datetime = (await connection.execute(now)).scalar_one()
    return instant


async def state_of(connection: ReadConnection, knowledge: Knowledge) -> State:
    """Return the state that a question is about; the connection must see one moment."""
    if isinstance(knowledge, Recorded):
        return State(None, knowledge.instant)
    row = (await connection.execute(select(ChangeNumber.number, newest_stamp()))).one()
    return State(*row)
