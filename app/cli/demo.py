"""Fill an empty register with invented events on the command line."""

import sys
from typing import Annotated

import typer

from app.cli.database import addressed, run, with_database
from app.commands.demo import demo as add_invented_events
from app.db.copying import vacuum
from app.db.engine import Database

MOST_EVENTS = 5_000_000


def demo(
    events: Annotated[int, typer.Option(min=1, max=MOST_EVENTS, help="How many to invent.")],
    seed: Annotated[int, typer.Option(help="Another seed invents other events.")] = 0,
) -> None:
    """Fill a register that holds nothing but the sample timeline with invented events."""

    async def work(database: Database) -> None:
        with typer.progressbar(length=events, label="Inventing", file=sys.stderr) as bar:
            async for done in add_invented_events(database, events, seed):
                bar.update(done - bar.pos)

    with addressed() as (_, url):
        run(with_database(url, work))
        run(vacuum(url))
    typer.echo(f"Invented {events:,} events beside the sample timeline: none of them is a fact.")
