"""What every command does with the database: find it, look whether it is ours, let go of it."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from app.db import schema
from app.db.connections import ReadConnection
from app.db.embedded import embedded
from app.db.engine import Database
from app.db.rights import SHARED, has_roles
from app.settings import Settings, settings_from_environment

Result = TypeVar("Result")


async def with_database(url: str, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Return what the work on a database comes to, once its schema was found to be ours."""
    async with Database(url) as database:
        async with database.reading() as connection:
            await schema.check_schema(connection)
        return await work(database)


async def warn_without_roles(connection: ReadConnection) -> None:
    """Say so where the service has all rights of the user that it logs in as."""
    if not await has_roles(connection):
        typer.echo(
            f"chancery: There are no roles {SHARED.reader} and {SHARED.writer} that this user of "
            "the database may take on, so the service has all rights of the user: reads can't "
            "write, but nothing beyond the triggers keeps it from changing revisions. README, "
            "“Rights in the database”, says how to make the roles.",
            err=True,
        )


@contextmanager
def addressed() -> Iterator[tuple[Settings, str]]:
    """Lend the database's address, with the embedded server running behind it if there is one.

    SIGTERM ends the block like any exception, so that the embedded server is stopped.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = settings_from_environment()
    if settings.database_url is not None:
        yield settings, settings.database_url
        return
    with embedded(settings.data_dir) as url:
        yield settings, url


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what the work comes to, in an event loop of its own."""
    return asyncio.run(work)
