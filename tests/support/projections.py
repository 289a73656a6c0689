"""Everything that is read, as it lies in the database."""

from typing import Any

from sqlalchemy import text

from app.commands.projection_check import check_projections
from app.commands.rebuild import rebuild
from app.db.engine import Database

_STATEMENTS = {
    "party": "SELECT * FROM party ORDER BY id",
    "regime": "SELECT * FROM regime ORDER BY code",
    "event": "SELECT * FROM event ORDER BY id",
    "event_party": "SELECT * FROM event_party ORDER BY event, position",
    "past_event": "SELECT * FROM past_event ORDER BY id, known_from",
    "past_event_party": "SELECT * FROM past_event_party ORDER BY event, known_from, position",
    "event_pair": "SELECT * FROM event_pair ORDER BY event, actor, subject",
    "past_event_pair": "SELECT * FROM past_event_pair ORDER BY event, known_from, actor, subject",
    "event_count": "SELECT * FROM event_count WHERE events <> 0 ORDER BY counted_by, value",
    "party_name": "SELECT * FROM party_name ORDER BY folded, party, known_from",
    "party_words": "SELECT * FROM party_words ORDER BY party, known_from",
}
Projections = dict[str, list[dict[str, Any]]]


async def projections(database: Database) -> Projections:
    """Return the rows of every projection, with the columns' names."""
    async with database.reading() as connection:
        return {
            name: [dict(row) for row in (await connection.execute(text(statement))).mappings()]
            for name, statement in _STATEMENTS.items()
        }


async def rebuilt(database: Database) -> int:
    """Rebuild everything, and return how many events that were."""
    return sum([count async for count in rebuild(database)])


async def check(database: Database) -> list[int]:
    """Compare everything with the revisions, and return how many ids each batch had.

    Raises:
        TamperedError: something differs.

    """
    async with database.streaming() as connection:
        return [count async for count in check_projections(connection)]


async def check_rebuild(database: Database) -> None:
    """Make sure that a rebuild leaves every projection as it is."""
    before = await projections(database)
    await rebuilt(database)
    assert await projections(database) == before
