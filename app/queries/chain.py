"""Whether the journal still is what was linked: the audit chain, followed to its end."""

from collections.abc import AsyncGenerator

from sqlalchemy import text

from app.db.chain import LEAVES
from app.db.connections import ReadConnection
from app.domain.chain import Chain

BATCH = 5_000
# Batches by number keep the memory flat; a join in one piece would be sorted on disk.
_REVISIONS = f"""
    WITH revised AS MATERIALIZED (
        SELECT seq, leaf FROM ({LEAVES}) journal
        WHERE seq > :after ORDER BY seq LIMIT {BATCH}
    ), link AS (
        SELECT * FROM journal_link
        WHERE seq > :after AND seq <= (SELECT max(seq) FROM revised)
    )
    SELECT seq, leaf, digest, head, leaves FROM revised FULL JOIN link USING (seq) ORDER BY seq
"""  # noqa: S608 - Put together from constants of ours.
_UNLINKED = f"""
    SELECT count(*) FROM ({LEAVES}) journal
    WHERE seq > coalesce((SELECT max(seq) FROM journal_link), 0)
"""  # noqa: S608 - Put together from constants of ours.
_COUNT = """
    SELECT (SELECT count(*) FROM event_revision) + (SELECT count(*) FROM reference_revision)
"""


async def count_revisions(connection: ReadConnection) -> int:
    """Return how many revisions the journal has."""
    return await connection.scalar(text(_COUNT)) or 0


async def count_unlinked(connection: ReadConnection) -> int:
    """Return how many revisions come after the last link."""
    return await connection.scalar(text(_UNLINKED)) or 0


async def follow(connection: ReadConnection, chain: Chain) -> AsyncGenerator[int, None]:
    """Follow the chain to its end, yielding after each batch how many revisions it held.

    The connection must be in a transaction that sees one moment.

    Raises:
        TamperedError: the journal isn't what was linked, or a link isn't what it was.

    """
    newest = await connection.scalar(text("SELECT max(seq) FROM journal_link"))
    after = 0
    while rows := (await connection.execute(text(_REVISIONS), {"after": after})).all():
        for row in rows:
            if row.leaf is not None:
                chain.add(row.seq, row.leaf)
            if row.head is not None:
                chain.close(row.seq, row.digest, row.head, row.leaves)
        after = rows[-1].seq
        yield len(rows)
    chain.end(newest or 0)


async def place_of(connection: ReadConnection, head: bytes) -> int | None:
    """Return the number of the link that has this head, None where none has."""
    statement = text("SELECT seq FROM journal_link WHERE head = :head")
    seq: int | None = await connection.scalar(statement, {"head": head})
    return seq
