"""The same events in SQLite for Datasette, with the indexes that fit the questions."""

import json
import sqlite3
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.projections import Event, EventParty
from app.db.url import driver_url

SCHEMA = """
CREATE TABLE event (id TEXT PRIMARY KEY, status TEXT, regime TEXT, latest TEXT, earliest TEXT,
    document TEXT);
CREATE TABLE participant (event TEXT, country TEXT, latest TEXT, earliest TEXT);
"""
INDEXES = """
CREATE INDEX by_country ON participant (country, latest DESC, earliest DESC, event DESC);
CREATE INDEX by_regime ON event (regime, status, latest DESC, earliest DESC, id DESC);
CREATE INDEX by_day ON event (latest DESC, earliest DESC, id DESC);
ANALYZE;
"""
ORDER = "ORDER BY latest DESC, earliest DESC, id DESC LIMIT 20"
PAGE = f"""
SELECT id, document FROM event JOIN (
    SELECT DISTINCT p.event, p.latest AS l, p.earliest AS e FROM participant p
    JOIN event ON event.id = p.event
    WHERE p.country = :country AND p.latest >= :date_from AND p.earliest <= :date_to
        AND status = :status
    ORDER BY p.latest DESC, p.earliest DESC, p.event DESC LIMIT 20
) found ON found.event = event.id {ORDER}
"""
RARE = f"SELECT id, document FROM event WHERE regime = :regime AND status = :status {ORDER}"
ONE = "SELECT id, document FROM event WHERE id = :id"


async def copy_to_sqlite(url: str, place: Path) -> tuple[Path, Path]:
    """Return the copy, and the metadata that names the questions."""
    database, metadata = place / "register.db", place / "metadata.json"
    queries = {"page": PAGE, "rare": RARE, "one": ONE}
    metadata.write_text(json.dumps({"databases": {"register": {"queries": queries}}}))
    engine = create_async_engine(driver_url(url))
    with sqlite3.connect(database) as copy:
        copy.executescript(SCHEMA)
        async with engine.connect() as connection:
            for into, columns in (
                ("event", ("id", "status", "regime", "latest", "earliest", "document")),
                ("participant", ("event", "country", "latest", "earliest")),
            ):
                table = Event if into == "event" else EventParty
                asked = select(*(getattr(table, name) for name in columns))
                marks = ", ".join("?" * len(columns))
                async with connection.stream(asked.execution_options(yield_per=5_000)) as rows:
                    async for part in rows.partitions():
                        texts = ([each and str(each) for each in row] for row in part)
                        copy.executemany(f"INSERT INTO {into} VALUES ({marks})", texts)
        copy.executescript(INDEXES)
    await engine.dispose()
    return database, metadata
