"""Import a file of events on the command line."""

import asyncio
import io
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.cli.database import addressed, run, with_database
from app.commands.import_events import Imported, Watch, import_events
from app.commands.revise import Author
from app.db.engine import Database
from app.domain.errors import FaultyImportError, MisconfiguredError
from app.domain.rows import Form
from app.domain.text import Line

FORMS = {
    ".csv": Form.CSV,
    ".jsonl": Form.JSON_LINES,
    ".ndjson": Form.JSON_LINES,
}
LONGEST_ROLLBACK_S = 10
_LINE: TypeAdapter[str] = TypeAdapter(Line)


def import_file(
    file: Annotated[
        Path, typer.Argument(help="JSON Lines (.jsonl, .ndjson) or CSV (.csv).", show_default=False)
    ],
    by: Annotated[str, typer.Option(help="Who imports it, for the history.")] = "command line",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, and write nothing.")
    ] = False,
) -> None:
    """Import events: new ones are recorded, others corrected; all of them or none."""
    form, author = _form(file), Author(_name(by))

    async def work(database: Database) -> Imported:
        return await _import(database, file, form, author, dry_run=dry_run)

    with addressed() as (_, url):
        try:
            done = run(with_database(url, work))
        except FaultyImportError as error:
            for fault in error.faults:
                meant = f" Perhaps {', '.join(fault.suggestions)}?" if fault.suggestions else ""
                typer.echo(f"{fault.field}: {fault.message}{meant}", err=True)
            raise
        except asyncio.CancelledError as stopped:
            raise KeyboardInterrupt from stopped
    typer.echo(_said(done, dry_run=dry_run))


def _form(file: Path) -> Form:
    if file.suffix.lower() not in FORMS:
        raise MisconfiguredError(f"{file.name}: name the file {', '.join(FORMS)} after its form.")
    return FORMS[file.suffix.lower()]


def _name(text: str) -> str:
    try:
        return _LINE.validate_python(text)
    except ValidationError as error:
        raise MisconfiguredError("Say who imports it in at most 500 characters.") from error


async def _import(
    database: Database, path: Path, form: Form, author: Author, *, dry_run: bool
) -> Imported:
    _stop_on_sigterm()
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        with typer.progressbar(length=size, label="Importing", file=sys.stderr) as bar:

            async def progress(read: int) -> None:
                bar.update(read - bar.pos)

            return await import_events(
                database, file, form, author=author, dry_run=dry_run, watch=Watch(progress)
            )


def _stop_on_sigterm() -> None:
    """Let SIGTERM roll the import back in order; a handler that raises could do so anywhere.

    Where that takes too long the process just ends: the server then drops what wasn't committed.
    """
    importing, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert importing is not None  # noqa: S101 - This is called by a coroutine.

    def stop() -> None:
        importing.cancel()
        loop.call_later(LONGEST_ROLLBACK_S, os._exit, 1)

    loop.add_signal_handler(signal.SIGTERM, stop)


def opened(path: Path) -> io.BufferedReader:
    """Return an open file.

    Raises:
        MisconfiguredError: it can't be read.

    """
    try:
        return path.open("rb")
    except OSError as error:
        raise MisconfiguredError(f"{path} can't be read ({error.strerror}).") from error


def _said(done: Imported, *, dry_run: bool) -> str:
    would = "Would be" if dry_run else "Done:"
    return (
        f"{would} {done.recorded:,} recorded, {done.corrected:,} corrected, "
        f"{done.unchanged:,} left alone, of {done.rows:,} rows."
    )
