"""A fingerprint of a schema, taken from the catalog: it sees what comparing metadata misses.

Alembic's own comparison passes over changed CHECK predicates, partial indexes, triggers and
functions; PostgreSQL's definitions of all of them are compared here as text.
"""

from sqlalchemy import text

from app.db.engine import Database

_PARTS = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            coalesce(pg_get_expr(d.adbin, d.adrelid), ''), coalesce(l.collname, '')
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    """,
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "functions": """
        SELECT proname, regexp_replace(pg_get_functiondef(oid), '\\s+', ' ', 'g')
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    """,
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'",
}
_NOT_OURS = "alembic_version"


async def fingerprint(url: str) -> dict[str, list[str]]:
    """Return the definitions of everything in the schema, part by part, in a fixed order."""
    async with Database(url) as database, database.reading() as connection:
        return {
            part: sorted(
                " | ".join(str(value) for value in row)
                for row in await connection.execute(text(statement))
                if _NOT_OURS not in str(row)
            )
            for part, statement in _PARTS.items()
        }
