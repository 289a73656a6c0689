"""Long: an index of what may last for more than a year.

So a question for the events up to a day begins its walk near that day, and not with the newest
events of all: whatever else overlaps the day is in this index, and is little.

The indexes are made and dropped beside those who write. Where that was cut off, it begins anew.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    "DROP INDEX CONCURRENTLY IF EXISTS ix_event_party_country_long",
    """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_event_party_country_long
        ON event_party (country, latest, earliest, event) WHERE latest > earliest + 366
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS ix_event_party_party_long",
    """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_event_party_party_long
        ON event_party (party, role, latest, earliest, event) WHERE latest > earliest + 366
    """,
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in STATEMENTS:
            op.execute(statement)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_event_party_party_long")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_event_party_country_long")
