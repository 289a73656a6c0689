"""The audit chain: followed as `chancery verify` does, and broken as only the owner can."""

import json

from app.db.engine import Database
from app.domain.chain import Chain
from app.queries.chain import follow
from tests.support.database import execute
from tests.support.factories import facts

GUARDED = ("event_revision", "reference_revision", "journal_link")
# Recorded without links.
UNLINKED = f"""
    INSERT INTO event_revision (event, revision, seq, recorded_at, action, by, facts)
    SELECT 'old-' || number, 1, number + (SELECT greatest(
            (SELECT max(seq) FROM event_revision), (SELECT max(seq) FROM reference_revision)
        )),
        clock_timestamp(), 'record', 'an older release', '{json.dumps(facts())}'
    FROM generate_series(1, 5) number
"""


async def followed(database: Database) -> Chain:
    """Return the chain as it is at the end of the journal; a break of it is raised."""
    chain = Chain()
    async with database.streaming() as connection:
        async for _ in follow(connection, chain):
            pass
    return chain


async def tamper(url: str, *statements: str) -> None:
    """Change the truth as the database's owner, past the guard."""
    await execute(
        url,
        *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in GUARDED),
        *statements,
        *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in GUARDED),
    )
