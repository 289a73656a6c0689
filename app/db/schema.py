"""The state of the schema: which migration a database is at, and bringing it to the newest."""

import asyncio
import time
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.connections import ReadConnection, lent
from app.db.engine import engine
from app.db.failures import LockedError, contending
from app.db.locks import JOURNAL, SCHEMA
from app.db.rights import grant_rights
from app.db.url import driver_url
from app.domain.errors import UnavailableError, UnmigratedError
from app.domain.territories import memberships_digest

# Whoever asks for a table stands in line behind a migration that waits for it, so that must not
# wait long; it is tried again, for as long as others may be expected to hold what it needs: a try
# that fails takes the better part of a second, besides what it gets done.
_LOCK_TIMEOUT_MS = 500
_TRIES = 400
_PAUSE_S = 0.3
_STATEMENT_TIMEOUT_MS = 600_000
_WAIT_FOR_OTHERS_S = 900


def configuration() -> Config:
    """Return Alembic's configuration, wherever the migrations are installed."""
    package = Path(__file__).parents[1]
    # In a checkout the migrations lie beside the package, in a wheel within it.
    places = (package / "migrations", package.parent / "migrations")
    config = Config()
    config.set_main_option("script_location", str(next(p for p in places if p.is_dir())))
    config.set_main_option("path_separator", "os")
    return config


@cache
def newest_revision() -> str:
    """Return the migration that this release works on."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    assert head is not None  # noqa: S101 - The package ships migrations.
    return head


@cache
def is_known(revision: str | None) -> bool:
    """Tell whether a migration is one of this release's."""
    known = ScriptDirectory.from_config(configuration()).walk_revisions()
    return any(script.revision == revision for script in known)


async def current_revision(connection: ReadConnection) -> str | None:
    """Return the migration that the database is at, or None where there was none."""
    exists = await connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    if not exists:
        return None
    revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


async def migrate(url: str, target: str = "head") -> None:
    """Bring a database to the newest migration; of several processes one does it, others wait.

    A target other than `head` is one to go back to.

    Raises:
        UnavailableError: the database can't be reached.

    """
    maintenance = engine(driver_url(url), read_only=False)
    try:
        async with lent(maintenance.connect()) as connection:
            await _wait_for_others(connection)
            await _set(connection, "statement_timeout", _STATEMENT_TIMEOUT_MS)
            await _set(connection, "lock_timeout", _LOCK_TIMEOUT_MS)
            await connection.commit()
            await _run_migrations(connection, target)
            if target == "head":
                await _grant_rights(connection)
                await _note_memberships(connection)
    finally:
        await maintenance.dispose()


async def _wait_for_others(connection: AsyncConnection) -> None:
    """Take the lock that only one who migrates holds, until the connection is closed.

    It is a session's and not a transaction's, so that it spans all migrations. It is asked for
    again and again, because an index that is made beside others waits for every transaction that
    is open, also for one that waits for the lock.

    Raises:
        UnavailableError: another one takes too long.

    """
    deadline = time.monotonic() + _WAIT_FOR_OTHERS_S
    while not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": SCHEMA}):
        await connection.rollback()
        if time.monotonic() > deadline:
            raise UnavailableError
        await asyncio.sleep(_PAUSE_S)


async def _run_migrations(connection: AsyncConnection, target: str) -> None:
    """Run each migration in a transaction; what others are in the way of is tried again.

    Raises:
        UnavailableError: they are in the way for too long.

    """
    for _ in range(_TRIES):
        try:
            with contending():
                await connection.run_sync(_migrate, target)
        except LockedError:
            await connection.rollback()
            await asyncio.sleep(_PAUSE_S)
        else:
            return
    raise UnavailableError


def _migrate(connection: Connection, target: str) -> None:
    """Run the migrations; each transaction of theirs is a writer among the others.

    Under the journal's lock an edit waits for hardly anything, so it must not come upon a table
    that a migration has locked, or waits for. Before that lock it waits for two seconds.
    """
    event.listen(connection, "begin", _lock_journal)
    try:
        _run(connection, target)
    finally:
        event.remove(connection, "begin", _lock_journal)


def _lock_journal(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": JOURNAL})


def _run(connection: Connection, target: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    if target == "head":
        command.upgrade(config, target)
    else:
        command.downgrade(config, target)


async def _grant_rights(connection: AsyncConnection) -> None:
    # A database that was restored, or whose roles came later, lacks them without any migration.
    await connection.run_sync(grant_rights)
    await connection.commit()


async def _note_memberships(connection: AsyncConnection) -> None:
    # Where there is something to count again, the migration has said so.
    statement = "UPDATE projection_state SET memberships = :digest WHERE memberships IS NULL"
    await connection.execute(text(statement), {"digest": memberships_digest()})
    await connection.commit()


async def _set(connection: AsyncConnection, setting: str, milliseconds: int) -> None:
    await connection.execute(
        text("SELECT set_config(:setting, :value, false)"),
        {"setting": setting, "value": str(milliseconds)},
    )


async def is_stale(connection: ReadConnection) -> bool:
    """Tell whether the projections lack what this release reads, so that answers would, too."""
    statement = "SELECT stale OR memberships IS DISTINCT FROM :digest FROM projection_state"
    found = await connection.execute(text(statement), {"digest": memberships_digest()})
    stale: bool = found.scalar_one()
    return stale


async def check_schema(connection: ReadConnection, *, newer_will_do: bool = False) -> None:
    """Make sure that the database is as this release needs it.

    A newer release leaves what this one needs until nobody uses it any more (expand and contract),
    so this one can go on answering beside it, unless that migration says to stop it first.

    Raises:
        UnmigratedError: it is at another migration, or its projections are stale.

    """
    current = await current_revision(connection)
    if current is not None and not is_known(current):
        if newer_will_do:
            return
        raise UnmigratedError(
            f"The database's schema is at {current}, which this release doesn't know: use the "
            "release that has brought it there, or a newer one."
        )
    if current != newest_revision():
        raise UnmigratedError(
            f"The database's schema is {'empty' if current is None else f'at {current}'}, this "
            f"release works on {newest_revision()}: run `chancery migrate` and try again."
        )
    if await is_stale(connection):
        raise UnmigratedError(
            "What is read was made by an older release and has to be rebuilt: run "
            "`chancery migrate` and try again."
        )
