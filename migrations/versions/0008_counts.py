"""Counts: how many events there are of each sort, and how often anything was changed.

What is filtered and counted by lies in the index beside the order of the days, so that neither has
to look at the rows. The counts, and the countries that each event is about, are made from the
revisions, so `chancery migrate` rebuilds the projections where there is anything to rebuild.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

COUNTED = "kind, family, status, verification, direction, regime, measure, countries"
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
    "ALTER TABLE projection_state ADD COLUMN memberships TEXT",
    "DROP INDEX ix_event_newest",
    f"""
    CREATE INDEX ix_event_newest ON event (latest, earliest, id)
        INCLUDE ({COUNTED}, known_from)
    """,
    "DROP INDEX ix_event_measure",
    """
    CREATE INDEX ix_event_measure ON event (measure, latest, earliest, id)
        INCLUDE (status, verification, announced, known_from)
    """,
    "DROP INDEX ix_past_event_newest",
    f"""
    CREATE INDEX ix_past_event_newest ON past_event (latest, earliest, id)
        INCLUDE ({COUNTED}, known_from, known_to)
    """,
    "GRANT SELECT ON event_count, change_number TO chancery_reader, chancery_writer",
    "GRANT INSERT, UPDATE, DELETE ON event_count TO chancery_writer",
    "GRANT UPDATE ON change_number TO chancery_writer",
    "UPDATE projection_state SET stale = EXISTS (SELECT FROM party_revision)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("event", "past_event"):
        op.execute(f"DROP INDEX ix_{table}_newest")
        op.execute(f"CREATE INDEX ix_{table}_newest ON {table} (latest, earliest, id)")
    op.execute("DROP INDEX ix_event_measure")
    op.execute("CREATE INDEX ix_event_measure ON event (measure, latest, earliest, id)")
    op.execute("ALTER TABLE projection_state DROP COLUMN memberships")
    op.execute("DROP TABLE change_number, event_count")
    op.execute("ALTER TABLE past_event DROP COLUMN countries")
    op.execute("ALTER TABLE event DROP COLUMN countries")
