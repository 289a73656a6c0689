"""Related: what each event bears on, so that the other one can say what bears on it.

It is made from the revisions, so `chancery migrate` rebuilds the projections where there is
anything to rebuild.

The indexes are made beside those who write. Where that was cut off, it begins anew.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

COLUMN = """related TEXT[] COLLATE "C" DEFAULT '{}' NOT NULL"""
STATEMENTS = (
    f"ALTER TABLE event ADD COLUMN IF NOT EXISTS {COLUMN}",
    f"ALTER TABLE past_event ADD COLUMN IF NOT EXISTS {COLUMN}",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_event_related",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_event_related ON event USING gin (related)",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_past_event_related",
    """
    CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_past_event_related
        ON past_event USING gin (related)
    """,
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in STATEMENTS:
            op.execute(statement)
    op.execute("UPDATE projection_state SET stale = EXISTS (SELECT FROM party_revision)")


def downgrade() -> None:
    op.execute("ALTER TABLE past_event DROP COLUMN related")
    op.execute("ALTER TABLE event DROP COLUMN related")
