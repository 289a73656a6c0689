"""A large register in little time: what is there, again and again under other ids and days."""

from app.db.projections import Event, EventPair, EventParty
from app.db.tables import EventRevision, Table
from tests.support.database import execute

# What becomes of a column in a copy; all others stay as they are.
_DAYS = ("earliest", "latest", "first", "last", "until_first", "until_last", "told")
_OTHERWISE = {
    "id": "id || '-' || n",
    "event": "event || '-' || n",
    "seq": "n * newest + seq",
    "recorded_at": "recorded_at + n * interval '1 millisecond'",
    "updated_at": "updated_at + n * interval '1 millisecond'",
    "document": "'{{\"id\":\"' || id || '-' || n || substring(document FROM 8 + length(id))",
    **{day: f"{day} + n % {{days}}" for day in _DAYS},
}


# Nothing is checked that was checked of the originals, and indexes are made at the end.
_QUICKLY = (
    "SET statement_timeout = 0",
    "SET session_replication_role = replica",
    """
    DO $$ DECLARE each record; BEGIN
        CREATE TEMPORARY TABLE made_again AS
            SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition
            FROM pg_index WHERE NOT indisunique AND indrelid IN ('event'::regclass,
                'event_party'::regclass, 'event_pair'::regclass, 'event_revision'::regclass);
        FOR each IN SELECT * FROM made_again LOOP EXECUTE 'DROP INDEX ' || each.name; END LOOP;
    END $$
    """,
)
_INDEX = """
    DO $$ DECLARE each record; BEGIN
        FOR each IN SELECT * FROM made_again LOOP EXECUTE each.definition; END LOOP;
    END $$
"""


async def multiply(url: str, copies: int, days: int = 1) -> None:
    """Add so many copies of every event, spread over so many days from the day of each."""
    statements = [
        _copied(table).format(copies=copies, days=days)
        for table in (EventRevision, Event, EventParty, EventPair)
    ]
    await execute(url, *_QUICKLY, *statements, _INDEX, "VACUUM ANALYZE")


def _copied(table: type[Table]) -> str:
    columns = [f'"{column.name}"' for column in table.__table__.columns]
    values = [_OTHERWISE.get(column.name, f'"{column.name}"') for column in table.__table__.columns]
    return f"""
        INSERT INTO {table.__tablename__} ({", ".join(columns)}) SELECT {", ".join(values)}
        FROM {table.__tablename__}, generate_series(1, {{copies}}) n,
            (SELECT max(seq) AS newest FROM event_revision) AS journal
    """
