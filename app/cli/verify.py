"""Check on the command line that the journal is what was recorded, and what is read its outcome."""

import re
import sys
from typing import Annotated

import typer

from app.cli.database import addressed, run, with_database
from app.commands.projection_check import check_projections
from app.commands.projection_rows import count_ids
from app.db.connections import ReadConnection
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
    """Check that the journal is what was recorded, and that what is read is what it makes."""
    wanted = None if head is None else _hash(head)

    async def check(database: Database) -> str:
        async with database.streaming() as connection:
            chain = Chain()
            total = await chains.count_revisions(connection) + await count_ids(connection)
            with typer.progressbar(length=total, label="Verifying", file=sys.stderr) as bar:
                async for count in chains.follow(connection, chain):
                    bar.update(count)
                place = None if wanted is None else await _find(connection, wanted)
                async for count in check_projections(connection):
                    bar.update(count)
        return _summary(chain, place)

    with addressed() as (_, url):
        typer.echo(run(with_database(url, check)))


def _hash(head: str) -> bytes:
    if not _HEAD.fullmatch(head.lower()):
        raise MisconfiguredError("A head is written in 64 hexadecimal digits.")
    return bytes.fromhex(head)


async def _find(connection: ReadConnection, head: bytes) -> int:
    """Return the number of the link that has this head.

    Raises:
        TamperedError: the head isn't in the chain.

    """
    place = await chains.place_of(connection, head)
    if place is None:
        raise TamperedError(
            f"No link has the head {head.hex()}: what it stood for was cut off or made anew, or "
            "it is another register's."
        )
    return place


def _summary(chain: Chain, place: int | None) -> str:
    """Return what was found."""
    checked = f"{_counted(chain.linked, 'revision')} in {_counted(chain.links, 'link')}"
    newer = f"; {_counted(chain.unlinked, 'newer one')} not linked yet" if chain.unlinked else ""
    known = f"; the head that was given stands at number {place}" if place else ""
    newest = f" Head: {chain.seq} {chain.head.hex()}" if chain.links else ""
    return f"Checked {checked}, and what is read: all as recorded{newer}{known}.{newest}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
