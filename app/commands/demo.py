"""Fill a register with invented events, for demonstrations and measurements.

Rows are made by the same functions as those of events that are recorded one by one, in several
processes, and copied into the tables in one transaction. What is interrupted leaves nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import func, select, text

from app.commands import chain, counts, journal
from app.commands.journal import Place
from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.names import BEFORE_ALL
from app.commands.parties import add_parties
from app.commands.projection import rows_of
from app.commands.regimes import add_regimes
from app.commands.revise import Author, revision_row
from app.db.connections import WriteConnection
from app.db.copying import copied, copy
from app.db.engine import Database
from app.db.tables import EventRevision, Party, Table
from app.domain import invented
from app.domain.errors import ConflictError
from app.domain.history import Belonging, Revision, versions

DEMO_AUTHOR = Author("demonstration", "Invented.")
BATCH = 500
_BATCHES_AHEAD = 4
Rows = dict[type[Table], list[dict[str, Any]]]
Copied = dict[type[Table], bytes]


def _columns_of(table: type[Table]) -> list[str]:
    return [column.key for column in table.__table__.columns]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the rows of invented events follow from."""

    seed: int
    events: int
    first: Place
    belongings: Mapping[str, Sequence[Belonging]]


async def demo(database: Database, events: int, seed: int = 0) -> AsyncIterator[int]:
    """Add invented events to the sample timeline, yielding after each batch how many there are.

    Raises:
        ConflictError: there is more than the sample timeline in the register.

    """
    async with database.writing() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        plan = await _prepared(connection, events, seed)
        done = 0
        with ProcessPoolExecutor() as processes:
            async for batch, data in _made(processes, plan):
                for table, rows in data.items():
                    await copy(connection, table.__tablename__, _columns_of(table), rows)
                done += len(batch)
                yield done
        await chain.link(connection, whole=True)
        await counts.recount(connection)
        await journal.announce(connection)


async def _prepared(connection: WriteConnection, events: int, seed: int) -> _Plan:
    await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    others = select(func.count()).where(EventRevision.by != SAMPLE_AUTHOR.name)
    if await connection.scalar(others):
        raise ConflictError("Invented events don't go where others are: take an empty database.")
    await add_parties(connection, invented.organisations(), DEMO_AUTHOR)
    await add_regimes(connection, invented.regimes(), DEMO_AUTHOR)
    parties = await connection.execute(select(Party.id, Party.country))
    belongings = {row.id: [Belonging(BEFORE_ALL, row.country)] for row in parties}
    return _Plan(seed, events, await journal.next_place(connection), belongings)


async def _made(processes: ProcessPoolExecutor, plan: _Plan) -> AsyncIterator[tuple[range, Copied]]:
    """Return the rows batch by batch; some batches are made ahead while others are copied."""
    loop = asyncio.get_running_loop()
    batches = [range(n, min(n + BATCH, plan.events)) for n in range(0, plan.events, BATCH)]
    ahead: list[asyncio.Future[Copied]] = []
    waiting = iter(batches)
    for batch in batches:
        while len(ahead) < _BATCHES_AHEAD and (following := next(waiting, None)) is not None:
            ahead.append(loop.run_in_executor(processes, partial(_rows, plan, following)))
        yield batch, await ahead.pop(0)


def _rows(plan: _Plan, numbers: range) -> Copied:
    """Return the rows of these events for each table, those first that others refer to."""
    histories = [(number, list(_revisions(plan, number))) for number in numbers]
    revised: Rows = {
        EventRevision: [
            revision_row(each, _place(plan, number, each.revision).seq, DEMO_AUTHOR)
            for number, revisions in histories
            for each in revisions
        ]
    }
    made = rows_of(v for _, revisions in histories for v in versions(revisions, plan.belongings))
    return {table: copied(rows, _columns_of(table)) for table, rows in (revised | made).items()}


def _revisions(plan: _Plan, number: int) -> Iterator[Revision]:
    recorded = _place(plan, number, 1).recorded_at
    for place, facts in enumerate(invented.history(plan.seed, number), start=1):
        yield Revision(
            event=invented.event_id(number),
            revision=place,
            action="record" if place == 1 else "correct",
            facts=facts,
            first_recorded_at=recorded,
            recorded_at=_place(plan, number, place).recorded_at,
            note=DEMO_AUTHOR.note,
        )


def _place(plan: _Plan, number: int, revision: int) -> Place:
    """Return a revision's place: all events are recorded first, and corrected afterwards."""
    return plan.first.plus(number + (revision - 1) * plan.events)
