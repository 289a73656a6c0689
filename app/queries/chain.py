"""Whether the journal still is what was linked: the audit chain, followed to its end."""

from collections.abc import AsyncGenerator
from typing import Any

from sqlalchemy import text

from app.db.chain import LEAVES
from app.db.connections import ReadConnection
from app.domain.chain import LEAF_BYTES, Chain
from app.domain.errors import TamperedError

BATCH = 5_000
# Batches by number keep the memory flat; a join in one piece would be sorted on disk.
_REVISIONS = f"""
    WITH revised AS MATERIALIZED (
        SELECT seq, leaf FROM ({LEAVES}) journal
        WHERE seq > :after ORDER BY seq LIMIT CAST(:batch AS int)
    ), link AS (
        SELECT * FROM journal_link
        WHERE seq > :after AND seq <= (SELECT max(seq) FROM revised)
    )
    SELECT seq, leaf, digest, head, leaves IS NULL OR sha256(leaves) = digest AS leaves_fit
    FROM revised FULL JOIN link USING (seq) ORDER BY seq
"""  # noqa: S608 - Put together from constants of ours.
_REVISIONS_OF_LINK = f"""
    SELECT seq, leaf FROM ({LEAVES}) journal
    WHERE seq > :after AND seq <= :link ORDER BY seq LIMIT CAST(:batch AS int)
"""  # noqa: S608 - Put together from constants of ours.
_HAS_LEAVES = "SELECT sha256(leaves) = digest FROM journal_link WHERE seq = :link"
_SOME_LEAVES = """
    SELECT substring(leaves FROM CAST(:offset AS int) + 1 FOR CAST(:bytes AS int))
    FROM journal_link WHERE seq = :link
"""
_HAS_LEAF = (
    "SELECT position(CAST(:leaf AS bytea) IN leaves) > 0 FROM journal_link WHERE seq = :link"
)
_UNLINKED = f"""
    SELECT count(*) FROM ({LEAVES}) journal
    WHERE seq > coalesce((SELECT max(seq) FROM journal_link), 0)
"""  # noqa: S608 - Put together from constants of ours.


async def count_revisions(connection: ReadConnection) -> int:
    """Return how many revisions the journal has, that of an older release as well.

    Up to migration 0012 it held events alone.
    """
    count = 0
    for table in ("event_revision", "reference_revision"):
        if await connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}):
            count += await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608
    return count


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
    while True:
        given = {"after": after, "batch": BATCH}
        if not (rows := (await connection.execute(text(_REVISIONS), given)).all()):
            break
        for row in rows:
            if row.leaf is not None:
                chain.add(row.leaf)
            if row.head is not None:
                await _check_link(connection, chain, row)
                chain.close(row.seq, row.head)
        after = rows[-1].seq
        yield len(rows)
    chain.end(newest or 0)


async def _check_link(connection: ReadConnection, chain: Chain, link: Any) -> None:
    """Make sure that the revisions since the link before are those that were linked.

    Raises:
        TamperedError: they aren't, or what the link holds of them isn't what it was.

    """
    if link.digest != chain.digest:
        first, last = await _locate_difference(connection, chain.seq, link.seq)
        numbers = f"number {first}" if first == last else f"the numbers {first} to {last}"
        raise TamperedError(
            f"What the journal holds under {numbers} isn't what was recorded: there something was "
            "changed, removed or added."
        )
    if not link.leaves_fit:
        raise TamperedError(
            f"The link at number {link.seq} isn't what it was: the leaves in it were changed."
        )


async def _locate_difference(connection: ReadConnection, before: int, link: int) -> tuple[int, int]:
    """Return between which numbers the first difference is: mostly a number and itself.

    Args:
        connection: in the transaction in which the chain is followed.
        before: the number of the link before.
        link: the number of the link that covers other revisions than it did.

    """
    # What was linked by earlier releases has no leaves.
    if not await connection.scalar(text(_HAS_LEAVES), {"link": link}):
        return before + 1, link
    offset, after = 0, before
    while True:
        given = {"after": after, "link": link, "batch": BATCH}
        rows = (await connection.execute(text(_REVISIONS_OF_LINK), given)).all()
        if not rows:
            return after + 1, link
        some = {"link": link, "offset": offset, "bytes": len(rows) * LEAF_BYTES}
        leaves = await connection.scalar(text(_SOME_LEAVES), some)
        for place, row in enumerate(rows):
            if row.leaf != leaves[place * LEAF_BYTES : (place + 1) * LEAF_BYTES]:
                # If it comes later in the link, what came before it was removed.
                found = {"link": link, "leaf": row.leaf}
                removed = await connection.scalar(text(_HAS_LEAF), found)
                return (after + 1, row.seq - 1) if removed else (row.seq, row.seq)
            after = row.seq
        offset += some["bytes"]


async def place_of(connection: ReadConnection, head: bytes) -> int | None:
    """Return the number of the link that has this head, None where none has."""
    statement = text("SELECT seq FROM journal_link WHERE head = :head")
    seq: int | None = await connection.scalar(statement, {"head": head})
    return seq
