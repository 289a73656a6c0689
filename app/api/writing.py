"""The transaction of an editor's write, which is counted: a key may write so often a minute."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from app.commands.keys import count_write
from app.db.engine import Database, WriteConnection
from app.domain.keys import Identity
from app.settings import Settings


@asynccontextmanager
async def writing(request: Request, editor: Identity) -> AsyncIterator[WriteConnection]:
    """Lend a connection in a transaction in which the key is valid from beginning to end.

    A revocation that comes meanwhile waits for this write; one that came before refuses it. A
    write that fails isn't counted.

    Raises:
        UnauthenticatedError: the key was revoked or has expired since it was looked at.
        QuotaError: the key has written as often as it may in a minute.

    """
    register: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    async with register.writing() as connection:
        await count_write(connection, editor.key_id, settings.writes_a_minute)
        yield connection
