"""What every route may ask for: the database of the running application, and a way to clean up."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Depends, Request

from app.db.engine import Database


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


# A route opens a connection itself, after its parameters were found to be in order, so that a
# bad request never takes one.
Register = Annotated[Database, Depends(_database)]


async def _closing() -> AsyncIterator[AsyncExitStack]:
    """Lend a stack that is closed when the answer has been sent, or its client has left."""
    async with AsyncExitStack() as stack:
        yield stack


Closing = Annotated[AsyncExitStack, Depends(_closing)]
