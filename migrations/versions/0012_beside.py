"""Beside: what events are filtered and counted by stands beside those who take part in them.

So a question about a country, or a count of what there is about one, is a walk along one range of
an index, and no event is looked at that isn't shown.

The columns are filled a batch at a time, under the journal's lock, so that no writer is at the same
rows; whoever knows nothing of them yet has them filled by a trigger. The indexes are made beside
those who write, and take their places when they are complete. Where that was cut off, it goes on.
"""

from alembic import op
from sqlalchemy import text

revision = "0012"
down_revision = "0011"

NAMES = ("kind", "family", "status", "verification", "direction", "regime", "measure", "countries")
ALWAYS = tuple(name for name in NAMES if name not in {"regime", "measure"})
COUNTED = ", ".join(NAMES)
CODES = {"regime", "measure"}
COLUMNS = ", ".join(
    f"ADD COLUMN IF NOT EXISTS {name} TEXT" + (' COLLATE "C"' if name in CODES else "")
    for name in NAMES
)
FILL = f"""
    CREATE OR REPLACE FUNCTION fill_event_party() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT {COUNTED} INTO {", ".join(f"NEW.{name}" for name in NAMES)}
        FROM event WHERE id = NEW.event;
        RETURN NEW;
    END $$
"""  # noqa: S608 - Put together from constants of ours.
FILLED = """
    CREATE OR REPLACE TRIGGER filled BEFORE INSERT ON event_party
        FOR EACH ROW WHEN (NEW.kind IS NULL) EXECUTE FUNCTION fill_event_party()
"""
# Also for those who copy rows with `session_replication_role = replica`.
ALWAYS_FILLED = """
    -- squawk-ignore prefer-robust-stmts
    ALTER TABLE event_party ENABLE ALWAYS TRIGGER filled
"""
JOURNAL = 0x6A6F75726E616C
# Others may hold the journal's lock for longer than a lock is waited for elsewhere; nobody stands
# in line behind this one for long. What a writer has removed isn't there to be filled any more, and
# what it has put in its place is filled already.
BATCH = f"""
    WITH alone AS MATERIALIZED (
        SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock({JOURNAL})
    ), batch AS MATERIALIZED (
        SELECT event.* FROM alone, event WHERE id > :after ORDER BY id LIMIT 2000
    ), filled AS (
        UPDATE event_party SET {", ".join(f"{name} = batch.{name}" for name in NAMES)}
        FROM batch WHERE event_party.event = batch.id AND event_party.kind IS NULL
    )
    SELECT max(id) FROM batch
"""  # noqa: S608 - Put together from constants of ours.
# Taken before the tables' locks: writers wait 2 s for it, but only 250 ms for a table once they
# hold it, and on a busy machine the statements that exchange the indexes take longer than that.
ALONE = f"""
    SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock({JOURNAL}),
        set_config('lock_timeout', :before, true)
"""
# Index, its columns, which rows are in it.
LONG = "WHERE latest > earliest + 366"
INDEXES = (
    ("ix_event_party_country", "country, latest, earliest, event", ""),
    ("ix_event_party_party", "party, role, latest, earliest, event", ""),
    ("ix_event_party_country_long", "country, latest, earliest, event", LONG),
    ("ix_event_party_party_long", "party, role, latest, earliest, event", LONG),
)


UNCHECKED = """
    -- squawk-ignore ban-drop-constraint
    ALTER TABLE event_party DROP CONSTRAINT IF EXISTS checked
"""
CHECKED = " AND ".join(f"{name} IS NOT NULL" for name in ALWAYS)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE event_party {COLUMNS}")
        op.execute(FILL)
        op.execute(FILLED)
        op.execute(ALWAYS_FILLED)
        _fill()
        # Else an index alone couldn't answer before the server gets round to it.
        op.execute("VACUUM (ANALYZE) event_party")
        # What is checked already isn't looked at again under the lock that NOT NULL takes.
        op.execute(UNCHECKED)
        op.execute(f"ALTER TABLE event_party ADD CONSTRAINT checked CHECK ({CHECKED}) NOT VALID")
        op.execute("ALTER TABLE event_party VALIDATE CONSTRAINT checked")
        _make_indexes("next", f"INCLUDE ({COUNTED})")
    _keep_writers_out()
    for name in ALWAYS:
        op.execute(f"ALTER TABLE event_party ALTER COLUMN {name} SET NOT NULL")
    op.execute(UNCHECKED)
    _exchange("next")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _make_indexes("before", "")
    _keep_writers_out()
    _exchange("before")
    op.execute("DROP TRIGGER filled ON event_party")
    op.execute("DROP FUNCTION fill_event_party")
    op.execute(f"ALTER TABLE event_party {', '.join(f'DROP COLUMN {name}' for name in NAMES)}")


def _fill() -> None:
    after: str | None = None if op.get_context().as_sql else ""
    while after is not None:
        after = op.get_bind().scalar(text(BATCH), {"after": after})


def _keep_writers_out() -> None:
    """Hold the journal's lock until this transaction ends."""
    if not op.get_context().as_sql:
        before = op.get_bind().scalar(text("SHOW lock_timeout"))
        op.get_bind().execute(text(ALONE), {"before": before})


def _make_indexes(suffix: str, beside: str) -> None:
    for index, columns, which in INDEXES:
        name = f"{index}_{suffix}"
        if not _is_complete(name):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        made = f"{name} ON event_party ({columns}) {beside} {which}"
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {made}")


def _is_complete(index: str) -> bool:
    """Tell whether an index was made to its end, before something else cut the migration off."""
    statement = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return not op.get_context().as_sql and bool(op.get_bind().scalar(statement, {"name": index}))


def _exchange(suffix: str) -> None:
    """Put each new index in the place of the one before; both take a moment only."""
    for index, _, _ in INDEXES:
        op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {index}")
        renamed = f"ALTER INDEX {index}_{suffix} RENAME TO {index}"
        op.execute(f"-- squawk-ignore renaming-object\n{renamed}")
