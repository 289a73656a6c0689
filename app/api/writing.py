"""The transaction of an editor's write."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.commands.keys import hold_key
from app.db.engine import Database, WriteConnection
from app.domain.keys import Identity


@asynccontextmanager
async def writing(register: Database, editor: Identity) -> AsyncIterator[WriteConnection]:
    """Lend a connection in a transaction that commits only if the key is still valid at its end.

    A revocation that comes meanwhile waits for this write or refuses it: none slips through after.
    """
    async with register.writing() as connection:
        yield connection
        await hold_key(connection, editor.key_id)
