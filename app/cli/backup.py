"""Back up the embedded register on the command line, and restore one."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from app.cli.database import run
from app.cli.import_file import opened
from app.db import schema
from app.db.backup import back_up, restored
from app.db.copying import vacuum
from app.db.engine import Database
from app.domain.errors import MisconfiguredError
from app.queries.chain import count_revisions
from app.settings import settings_from_environment


def backup(
    file: Annotated[Path, typer.Argument(help="Where to; it must be new.", show_default=False)],
) -> None:
    """Write the embedded register to a file, beside a running server."""
    size = back_up(_data_dir(), file)
    typer.echo(f"Backed up the register to {file} ({size:,} bytes).")


def restore(
    file: Annotated[Path, typer.Argument(help="What was backed up.", show_default=False)],
) -> None:
    """Make an embedded register from a backup, where there is none."""
    data_dir = _data_dir()
    with opened(file), restored(file, data_dir) as url:
        # Before that, to count takes longer than a statement may.
        run(vacuum(url))
        revisions = run(_checked(url, file))
    typer.echo(f"Restored {revisions:,} revisions from {file} to {data_dir}.")


def _data_dir() -> Path:
    """Return where the embedded register lies; from now on SIGTERM undoes what was begun."""
    settings = settings_from_environment()
    if not settings.embedded:
        raise MisconfiguredError(
            "CHANCERY_DATABASE_URL is set, and this is for the embedded database only: use "
            "PostgreSQL's own pg_dump and pg_restore, as the README shows under Backup."
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return settings.data_dir


async def _checked(url: str, file: Path) -> int:
    """Return how many revisions were restored, once this release was found to know what they are.

    Raises:
        MisconfiguredError: a newer release has made the backup.

    """
    async with Database(url) as database, database.streaming() as connection:
        if not schema.is_known(current := await schema.current_revision(connection)):
            raise MisconfiguredError(
                f"{file} was made by a newer release (its schema is at {current}): restore it with "
                "that one."
            )
        return await count_revisions(connection)
