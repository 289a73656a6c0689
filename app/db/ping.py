"""Whether a pooled connection still leads anywhere: asked before it is lent."""

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

PING_TIMEOUT_S = 0.5
_USED = "used"


def ping_before_lending(engine: AsyncEngine, after_s: float = 0.0) -> None:
    """Have a pool replace connections that give no answer, and those that are as old with them.

    Args:
        engine: whose pool it is.
        after_s: what was given back so many seconds ago or less is lent without being asked.

    """
    doubted_since = 0.0

    # SQLAlchemy's own `pool_pre_ping` waits as long as for any statement, and twice.
    @event.listens_for(engine.sync_engine, "checkout")
    def ping(connection: Any, record: Any, _: Any) -> None:
        nonlocal doubted_since
        used = record.info.get(_USED, 0.0)
        is_fresh = used > max(doubted_since, time.time() - after_s)
        # The server's own goodbye is heard without asking.
        if is_fresh and not connection.driver_connection.is_closed():
            return
        try:
            connection.run_async(lambda driver: driver.execute("SELECT 1", timeout=PING_TIMEOUT_S))
        except Exception as error:
            connection.driver_connection.terminate()
            # What was opened before this one leads nowhere, either.
            doubted_since = time.time()
            raise InvalidatePoolError from error

    @event.listens_for(engine.sync_engine, "checkin")
    def note(_: Any, record: Any) -> None:
        record.info[_USED] = time.time()

    # SQLAlchemy would close it politely, and wait two seconds for an answer to that.
    @event.listens_for(engine.sync_engine, "close")
    def cut(connection: Any, record: Any) -> None:
        if record.starttime <= doubted_since:
            connection.driver_connection.terminate()
