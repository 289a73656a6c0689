"""Counts: how many events there are of each sort, and how often anything was changed.

The counts, and the countries that each event is about, are made from the revisions, so `chancery
migrate` rebuilds the projections where there is anything to rebuild.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    "ALTER TABLE event ADD COLUMN countries TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE past_event ADD COLUMN countries TEXT DEFAULT '' NOT NULL",
    """
    CREATE TABLE event_count (
        counted_by TEXT COLLATE "C" NOT NULL,
        value TEXT COLLATE "C" NOT NULL,
        events BIGINT NOT NULL,
        CONSTRAINT pk_event_count PRIMARY KEY (counted_by, value)
    )
    """,
    """
    CREATE TABLE change_number (
        number BIGINT NOT NULL,
        CONSTRAINT pk_change_number PRIMARY KEY (number)
    )
    """,
    "INSERT INTO change_number VALUES (1)",
    "GRANT SELECT ON event_count, change_number TO chancery_reader, chancery_writer",
    "GRANT INSERT, UPDATE, DELETE ON event_count TO chancery_writer",
    "GRANT UPDATE ON change_number TO chancery_writer",
    "UPDATE projection_state SET stale = EXISTS (SELECT FROM party_revision)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE change_number, event_count")
    op.execute("ALTER TABLE past_event DROP COLUMN countries")
    op.execute("ALTER TABLE event DROP COLUMN countries")
