"""Add to the audit chain over the journal: a link for what a transaction has recorded.

The journal's lock orders links as it orders numbers. What an older release has recorded without a
link is linked by the next write along with its own, or by `chancery migrate`; never so much at once
that others would wait for it.
"""

from collections.abc import AsyncIterator

from sqlalchemy import text

from app.commands import journal
from app.db.chain import LEAVES, LEAVES_TOGETHER
from app.db.connections import WriteConnection
from app.db.engine import Database

AT_ONCE = 2_000
_END = 2**63 - 1
_UNLINKED = f"""
    SELECT count(*) AS revisions, max(seq) AS seq, {LEAVES_TOGETHER} AS leaves
    FROM (
        SELECT seq, leaf FROM ({LEAVES}) journal
        WHERE seq > coalesce((SELECT max(seq) FROM journal_link), 0)
            AND seq < CAST(:before AS bigint)
        ORDER BY seq LIMIT CAST(:most AS bigint)
    ) unlinked
"""  # noqa: S608 - Put together from constants of ours.
_ADD = """
    INSERT INTO journal_link (seq, digest, head, leaves)
    SELECT seq, sha256(leaves), sha256(
        coalesce((SELECT head FROM journal_link ORDER BY seq DESC LIMIT 1), '')
            || int8send(seq) || sha256(leaves)
    ), leaves
    FROM (SELECT CAST(:seq AS bigint), CAST(:leaves AS bytea)) added (seq, leaves)
"""


async def link(connection: WriteConnection, before: int = _END, *, whole: bool = False) -> int:
    """Link what isn't linked yet, and return how many revisions that were; under the lock.

    Args:
        connection: in the transaction that may just have recorded something.
        before: the number at which to stop.
        whole: whether it may take time, and nothing is left.

    """
    given = {"before": before, "most": None if whole else AT_ONCE}
    found = (await connection.execute(text(_UNLINKED), given)).one()
    if found.revisions:
        await _add(connection, found.seq, found.leaves)
    revisions: int = found.revisions
    return revisions


async def link_written(connection: WriteConnection, first: int, last: int, leaves: bytes) -> None:
    """Link what was written with known leaves; under the lock.

    Where too much before it isn't linked yet, it is left to those who link that.
    """
    if await link(connection, before=first) < AT_ONCE:
        await _add(connection, last, leaves)


async def link_all(database: Database) -> AsyncIterator[int]:
    """Link all that isn't linked yet, yielding after each batch how many revisions that were."""
    while True:
        async with database.writing() as connection:
            await journal.lock(connection)
            linked = await link(connection)
            if not linked:
                return
            await journal.count_change(connection)
        yield linked


async def _add(connection: WriteConnection, seq: int, leaves: bytes) -> None:
    await connection.execute(text(_ADD), {"seq": seq, "leaves": leaves})
