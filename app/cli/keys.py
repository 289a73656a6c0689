"""Editors' keys on the command line: make one, list them, revoke one."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.cli.database import addressed, run, with_database
from app.commands.keys import create_key, revoke_key
from app.db.engine import Database
from app.domain.errors import Fault, RefusedError
from app.domain.keys import KeyInfo, Scope
from app.domain.text import Line
from app.queries.keys import keys as all_keys

commands = typer.Typer(help="Make, list and revoke the keys of editors.", no_args_is_help=True)

_LINE: TypeAdapter[str] = TypeAdapter(Line)
_PERIOD = re.compile("([1-9][0-9]{0,3})([hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_HEADINGS = ("id", "name", "scopes", "created", "expires", "last used", "revoked")


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will have it, or what for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="What it allows: edit or admin; may be given twice.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: 12h, 90d or 52w from now. Never, if left out.")
    ] = None,
) -> None:
    """Make a key and print it, this once: only a digest of it is kept."""
    wanted = _name(name), _scopes(scope or []), _period(expires)

    async def make(database: Database) -> tuple[str, KeyInfo]:
        async with database.writing() as connection:
            return await create_key(connection, *wanted)

    with addressed() as (_, url):
        key, info = run(with_database(url, make))
    end = f"expires {_minute(info.expires_at)}" if info.expires_at else "doesn't expire"
    typer.echo(
        f"Key {info.id} for {info.name} ({', '.join(info.scopes)}; {end}). Keep it now: it can't "
        "be shown again.",
        err=True,
    )
    # Alone on standard output, so that it can go straight into a file or a variable.
    typer.echo(key)


@commands.command("list")
def list_keys() -> None:
    """List the keys, newest first: what is known of them, never the keys themselves."""

    async def look(database: Database) -> Sequence[KeyInfo]:
        async with database.reading() as connection:
            return await all_keys(connection)

    with addressed() as (_, url):
        found = run(with_database(url, look))
    rows = [_HEADINGS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


@commands.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as listed.")],
) -> None:
    """Revoke a key, at once and for ever."""

    async def end(database: Database) -> None:
        async with database.writing() as connection:
            await revoke_key(connection, key_id)

    with addressed() as (_, url):
        run(with_database(url, end))
    typer.echo(f"Key {key_id} is revoked.")


def _name(text: str) -> str:
    try:
        return _LINE.validate_python(text)
    except ValidationError as error:
        message = "Name the key after who will have it: some text, at most 500 characters."
        raise RefusedError(Fault("option", "name", "invalid_name", message)) from error


def _scopes(words: list[str]) -> list[Scope]:
    if not words or not set(words) <= set(Scope):
        message = "Say what the key allows: --scope edit, --scope admin, or both."
        raise RefusedError(Fault("option", "scope", "unknown_value", message))
    return [Scope(word) for word in words]


def _period(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = _PERIOD.fullmatch(text)
    if found is None:
        message = "Write --expires as a number of hours, days or weeks: 12h, 90d or 52w."
        raise RefusedError(Fault("option", "expires", "invalid_period", message))
    return int(found[1]) * _UNITS[found[2]]


def _row(info: KeyInfo) -> tuple[str, ...]:
    instants = (info.created_at, info.expires_at, info.last_used_at, info.revoked_at)
    # A name may have line breaks, a row of a table may not.
    name = " ".join(info.name.split())
    return (info.id, name, ",".join(info.scopes), *map(_minute, instants))


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else "-"
