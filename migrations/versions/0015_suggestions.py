"""Suggestions: names in the order of their letters, from the start and from the end.

What an unknown name may have been meant for is looked for among its neighbours in these indexes, so
that it takes as long in a large register as in a small one. They are made beside those who write;
where that was cut off, it begins again.
"""

from alembic import op
from sqlalchemy import text

revision = "0015"
down_revision = "0014"

# Index, what it is on, which rows are in it.
INDEXES = (
    ("ix_party_name_now", "party_name (folded)", "WHERE known_to IS NULL"),
    (
        "ix_party_name_now_reversed",
        'party_name ("left"(reverse(folded), 80))',
        "WHERE known_to IS NULL",
    ),
    ("ix_regime_code_lower", "regime (lower(code))", ""),
    ("ix_regime_code_reversed", "regime (reverse(lower(code)))", ""),
    (
        "ix_event_count_measure_reversed",
        "event_count (reverse(value))",
        "WHERE counted_by = 'measure'",
    ),
)
INCOMPLETE = """
    SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns, rows in INDEXES:
            if _is_incomplete(name):
                op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns} {rows}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, _, _ in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def _is_incomplete(index: str) -> bool:
    """Tell whether making an index was cut off, which leaves one that nothing uses."""
    return not op.get_context().as_sql and bool(
        op.get_bind().scalar(text(INCOMPLETE), {"name": index})
    )
