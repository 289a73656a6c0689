"""Compare all that is read with what the revisions make: what `chancery rebuild` would write.

Everything is read from one snapshot, batch by batch and without any lock, so that writers go on
meanwhile and a register of any size takes no more memory than a small one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import inspect, select, text

from app.commands import counts
from app.commands.names import BEFORE_ALL
from app.commands.projection_rows import (
    Batch,
    NumberedRow,
    fetch_events,
    fetch_parties,
    fetch_regimes,
)
from app.db.connections import ReadConnection
from app.db.tables import Table
from app.domain.errors import TamperedError

# PostgreSQL's -infinity comes without a zone.
_BEFORE_ALL_AS_READ = BEFORE_ALL.replace(tzinfo=None)
# The database writes the words of a text in an order of its own.
_NORMALIZE = """
    SELECT CAST(CAST(words AS tsvector) AS text)
    FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS made (words, place) ORDER BY place
"""


class Difference(NamedTuple):
    """Something that isn't what the revisions make, and the number of the one concerned."""

    number: int | None
    text: str


@dataclass(slots=True)
class Differences:
    """How many differences were found, and which one has the first number."""

    count: int = 0
    first: Difference | None = None

    def add(self, found: Sequence[Difference]) -> None:
        """Count differences; those without a number come last."""
        self.count += len(found)
        candidates = found if self.first is None else (self.first, *found)
        self.first = min(candidates, key=lambda d: (d.number is None, d.number), default=None)

    def check(self) -> None:
        """Make sure that there are none.

        Raises:
            TamperedError: there are.

        """
        if self.first is not None:
            among = "" if self.count == 1 else f" This is the first of {self.count:,} differences."
            raise TamperedError(
                f"What is read isn't what the journal makes of it: {self.first.text}.{among} "
                "`chancery rebuild` makes all of it anew."
            )


async def check_projections(connection: ReadConnection) -> AsyncIterator[int]:
    """Compare all that is read with the revisions, yielding after each batch how many ids it held.

    Args:
        connection: in a transaction that sees one moment.

    Raises:
        TamperedError: something differs, a revision can't be read, or it names what has none.

    """
    differences = Differences()
    # Whatever else differs says more than a count, so they come last.
    wrong_counts = await _compare_counts(connection)
    for fetch in (fetch_parties, fetch_regimes, fetch_events):
        after: str | None = ""
        while after is not None:
            batch = await fetch(connection, after)
            for table, rows in batch.rows.items():
                differences.add(await _compare(connection, batch, table, rows))
            yield batch.ids
            after = batch.last
    differences.add(wrong_counts)
    differences.check()


async def _compare(
    connection: ReadConnection, batch: Batch, table: type[Table], made: Sequence[NumberedRow]
) -> list[Difference]:
    """Return how the rows of a table differ in the range of a batch."""
    await _normalize_words(connection, table, made)
    keys = _keys_of(table)
    expected = {tuple(row.values[key] for key in keys): row for row in made}
    found = await connection.execute(select(table.__table__).where(batch.covers(table)))
    differences = []
    for row in found.mappings():
        values = dict(row)
        if values.get("known_from") == _BEFORE_ALL_AS_READ:
            values["known_from"] = BEFORE_ALL
        numbered = expected.pop(tuple(values[key] for key in keys), None)
        if numbered is None:
            text_ = f"{_describe(table, values)} has no revision behind it"
            differences.append(Difference(None, text_))
        elif values != numbered.values:
            text_ = f"{_describe(table, values)} isn't as number {numbered.number} makes it"
            differences.append(Difference(numbered.number, text_))
    for numbered in expected.values():
        text_ = (
            f"{_describe(table, numbered.values)}, which number {numbered.number} makes, is missing"
        )
        differences.append(Difference(numbered.number, text_))
    return differences


async def _normalize_words(
    connection: ReadConnection, table: type[Table], rows: Sequence[NumberedRow]
) -> None:
    """Write the words in rows as the database does."""
    if rows and "words" in table.__table__.c:
        given = {"words": [row.values["words"] for row in rows]}
        normalized = await connection.scalars(text(_NORMALIZE), given)
        for row, words in zip(rows, normalized, strict=True):
            row.values["words"] = words


async def _compare_counts(connection: ReadConnection) -> list[Difference]:
    """Return where events are counted otherwise than they are there."""
    return [
        Difference(
            None,
            f"event_count ({row.counted_by}, {row.value}) is {row.events:,} where {row.counted:,} "
            "are counted",
        )
        for row in await counts.fetch_differences(connection)
    ]


def _describe(table: type[Table], row: Mapping[str, Any]) -> str:
    """Return which row of a table it is."""
    keys = ", ".join(f"{key} {row[key]}" for key in _keys_of(table))
    return f"{table.__tablename__} ({keys})"


def _keys_of(table: type[Table]) -> list[str]:
    """Return the names of the columns of a table's primary key."""
    return [column.name for column in inspect(table).primary_key]
