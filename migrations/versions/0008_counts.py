"""Counts: how many events there are of each sort, and how often anything was changed.

What is filtered and counted by lies in the index beside the order of the days, so that neither has
to look at the rows. The counts, and the countries that each event is about, are made from the
revisions, so `chancery migrate` rebuilds the projections where there is anything to rebuild.

The indexes are made beside those who write, and take their places when they are complete. Where
that was cut off, it begins anew.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

COUNTED = "kind, family, status, verification, direction, regime, measure, countries"
# Table, index, its columns, what lies beside them in it.
INDEXES = (
    ("event", "ix_event_newest", "latest, earliest, id", f"{COUNTED}, known_from"),
    (
        *("event", "ix_event_measure", "measure, latest, earliest, id"),
        "status, verification, announced, known_from",
    ),
    (
        *("past_event", "ix_past_event_newest", "latest, earliest, id"),
        f"{COUNTED}, known_from, known_to",
    ),
)
STATEMENTS = (
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
    "UPDATE projection_state SET stale = EXISTS (SELECT FROM party_revision)",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table in ("event", "past_event"):
            added = "countries TEXT DEFAULT '' NOT NULL"
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {added}")
        for table, index, columns, beside in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}_next")
            made = f"{index}_next ON {table} ({columns}) INCLUDE ({beside})"
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {made}")
    _exchange()
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for table, index, columns, _ in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}_next")
            made = f"{index}_next ON {table} ({columns})"
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {made}")
    _exchange()
    op.execute("ALTER TABLE projection_state DROP COLUMN memberships")
    op.execute("DROP TABLE change_number, event_count")
    op.execute("ALTER TABLE past_event DROP COLUMN countries")
    op.execute("ALTER TABLE event DROP COLUMN countries")


def _exchange() -> None:
    """Put each new index in the place of the one before; both take a moment only."""
    for _, index, _, _ in INDEXES:
        op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {index}")
        renamed = f"ALTER INDEX {index}_next RENAME TO {index}"
        op.execute(f"-- squawk-ignore renaming-object\n{renamed}")
