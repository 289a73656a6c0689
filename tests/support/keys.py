"""Editors' keys for tests, made as an operator makes them."""

from datetime import datetime, timedelta

from app.commands.keys import create_key
from app.db.engine import Database
from app.domain.keys import Scope


async def key_for(
    url: str, *scopes: Scope, name: str = "A test", expires: datetime | timedelta | None = None
) -> str:
    """Return a new key of the register behind this address."""
    async with Database(url) as database, database.writing() as connection:
        key, _ = await create_key(connection, name, scopes, expires)
        return key


def bearer(key: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"Authorization": f"Bearer {key}"}
