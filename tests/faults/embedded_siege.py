"""A service under a stream of writes and reads, with the PostgreSQL that it runs by itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from app.commands.record import record_unseen
from app.commands.revise import Author
from app.db.embedded import embedded
from app.db.engine import Database
from tests.faults.postgres import children
from tests.faults.siege import Siege, attacked, check, prepared
from tests.support.database import execute, prepare
from tests.support.factories import event
from tests.support.processes import postmasters

FIRST = "token 0"
LOOK_FOR_SERVER_S = 0.01


@asynccontextmanager
async def besieged_embedded(
    place: Path, *, workers: int = 1, parameters: Mapping[str, str] = {}
) -> AsyncIterator[Siege]:
    """Lend a besieged service on a data directory of its own; nobody else starts its server."""
    siege = Siege()
    with embedded(place) as url:
        await prepare(url, with_timeline=False)
        # In an empty register the service would load the sample.
        async with Database(url) as database, database.writing() as connection:
            await record_unseen(connection, [event("first", title=FIRST)], Author("a test"))
        siege.ledger.acknowledged[FIRST] = "first"
        for name, value in parameters.items():
            await execute(url, f"ALTER SYSTEM SET {name} = '{value}'")
        key = await prepared(url, commit_s=0)
    async with attacked(siege, key, {"CHANCERY_DATA_DIR": str(place)}, workers):
        yield siege
    with embedded(place) as url:
        await check(siege, url)


async def kill_server(place: Path) -> None:
    """Kill all processes of the server on a data directory, as soon as it runs."""
    # Nobody tells when the service has started it again.
    while not (found := postmasters(place)):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_FOR_SERVER_S)
    first = found[0]
    # Halted, it can't end its children in good order.
    os.kill(first, signal.SIGSTOP)
    for process in (*children(first), first):
        # Some may have ended by themselves.
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
