"""Check on the command line that the journal still is what was recorded."""

import re
import sys
from typing import Annotated

import typer

from app.cli.database import addressed, run, with_database
from app.db.engine import Database
from app.domain.chain import Chain
from app.domain.errors import MisconfiguredError, TamperedError
from app.queries import chain as chains

_HEAD = re.compile("[0-9a-f]{64}", re.ASCII)


def verify(
    head: Annotated[
        str | None, typer.Option(help="A head that /v1/changes gave earlier.", show_default=False)
    ] = None,
) -> None:
    """Check that nothing in the journal was changed or removed since it was recorded."""
    wanted = None if head is None else _hash(head)

    async def check(database: Database) -> str:
        async with database.streaming() as connection:
            chain, total = Chain(), await chains.count_revisions(connection)
            with typer.progressbar(length=total, label="Verifying", file=sys.stderr) as bar:
                async for count in chains.follow(connection, chain):
                    bar.update(count)
            place = None if wanted is None else await chains.place_of(connection, wanted)
        return _said(chain, head, place)

    with addressed() as (_, url):
        typer.echo(run(with_database(url, check)))


def _hash(head: str) -> bytes:
    if not _HEAD.fullmatch(head.lower()):
        raise MisconfiguredError("A head is written in 64 hexadecimal digits.")
    return bytes.fromhex(head)


def _said(chain: Chain, head: str | None, place: int | None) -> str:
    """Return what was found.

    Raises:
        TamperedError: the head isn't in the chain.

    """
    if head is not None and place is None:
        raise TamperedError(
            f"No link has the head {head.lower()}: what it stood for was cut off or made anew, or "
            "it is another register's."
        )
    checked = f"{_counted(chain.linked, 'revision')} in {_counted(chain.links, 'link')}"
    newer = f"; {_counted(chain.unlinked, 'newer one')} not linked yet" if chain.unlinked else ""
    known = f"; the head that was given stands at number {place}" if place else ""
    newest = f" Head: {chain.seq} {chain.head.hex()}" if chain.links else ""
    return f"Checked {checked}: all as recorded{newer}{known}.{newest}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
