"""The state of the schema: which migration a database is at, and bringing it to the newest."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.db.connections import ReadConnection, lent
from app.db.engine import driver_url, engine
from app.db.locks import SCHEMA
from app.domain.errors import UnmigratedError
from app.domain.territories import memberships_digest

_LOCK_TIMEOUT_MS = 4_000
_STATEMENT_TIMEOUT_MS = 60_000
_WAIT_FOR_OTHERS_MS = 600_000


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
            await connection.run_sync(_migrate_alone, target)
    finally:
        await maintenance.dispose()


def _migrate_alone(connection: Connection, target: str) -> None:
    """Run the migrations under a session's advisory lock, each in a transaction of its own.

    The lock is a session's and not a transaction's, so that it spans them all.
    """
    _set(connection, "statement_timeout", _WAIT_FOR_OTHERS_MS)
    _set(connection, "lock_timeout", _WAIT_FOR_OTHERS_MS)
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": SCHEMA})
    _set(connection, "statement_timeout", _STATEMENT_TIMEOUT_MS)
    _set(connection, "lock_timeout", _LOCK_TIMEOUT_MS)
    connection.commit()
    config = configuration()
    config.attributes["connection"] = connection
    if target == "head":
        command.upgrade(config, target)
    else:
        command.downgrade(config, target)
    if target == "head":
        # Where there is something to count again, the migration has said so.
        statement = "UPDATE projection_state SET memberships = :digest WHERE memberships IS NULL"
        connection.execute(text(statement), {"digest": memberships_digest()})
    connection.commit()
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": SCHEMA})


def _set(connection: Connection, setting: str, milliseconds: int) -> None:
    connection.execute(
        text("SELECT set_config(:setting, :value, false)"),
        {"setting": setting, "value": str(milliseconds)},
    )


async def is_stale(connection: ReadConnection) -> bool:
    """Tell whether the projections lack what this release reads, so that answers would, too."""
    statement = "SELECT stale OR memberships IS DISTINCT FROM :digest FROM projection_state"
    found = await connection.execute(text(statement), {"digest": memberships_digest()})
    stale: bool = found.scalar_one()
    return stale


async def check_schema(connection: ReadConnection) -> None:
    """Make sure that the database is as this release needs it.

    Raises:
        UnmigratedError: it is at another migration, or its projections are stale.

    """
    current = await current_revision(connection)
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
