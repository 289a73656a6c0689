"""Related: what each event bears on, so that the other one can say what bears on it.

It is made from the revisions, so `chancery migrate` rebuilds the projections where there is
anything to rebuild.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """ALTER TABLE event ADD COLUMN related TEXT[] COLLATE "C" DEFAULT '{}' NOT NULL""",
    """ALTER TABLE past_event ADD COLUMN related TEXT[] COLLATE "C" DEFAULT '{}' NOT NULL""",
    "CREATE INDEX ix_event_related ON event USING gin (related)",
    "CREATE INDEX ix_past_event_related ON past_event USING gin (related)",
    "UPDATE projection_state SET stale = EXISTS (SELECT FROM party_revision)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE past_event DROP COLUMN related")
    op.execute("ALTER TABLE event DROP COLUMN related")
