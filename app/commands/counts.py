"""How many live events there are of each sort, kept with every write.

To count a million events takes longer than a page may, so the counts over everything are kept as
events come and go. All who put them hold the journal's lock; a large import notes its own before.
They are what `facets` would find without a filter, and a test holds the two together.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import CursorResult, Row, text

from app.db.connections import ReadConnection, WriteConnection
from app.domain.territories import memberships

# Those who take part together are counted first, so that an event counts once for their bloc.
# The two texts of a year differ where one of the days is another year's or open.
_COUNTED = """
    WITH counted AS MATERIALIZED (
        SELECT id, kind, status, verification, regime, measure, countries, earliest, latest
        FROM event {which}
    ), taking_part AS (
        SELECT event, party, role FROM event_party JOIN counted ON id = event
    ), together AS (
        SELECT string_to_array(countries, ' ') AS countries, count(*) AS events
        FROM counted GROUP BY countries
    ), belongs AS (
        SELECT * FROM unnest(
            CAST(:members AS text[]), CAST(:blocs AS text[])
        ) belongs (country, bloc)
    )
    SELECT counted_by, value, count(*) AS events
    FROM counted, LATERAL (VALUES
        ('total', ''), ('kind', kind), ('status', status), ('verification', verification),
        ('regime', regime), ('measure', measure),
        ('year', CASE WHEN to_char(earliest, 'YYYY') = to_char(latest, 'YYYY')
            THEN to_char(earliest, 'YYYY') ELSE '' END),
        ('month', CASE WHEN to_char(earliest, 'YYYY-MM') = to_char(latest, 'YYYY-MM')
            THEN to_char(earliest, 'YYYY-MM') ELSE '' END)
    ) each (counted_by, value)
    WHERE value IS NOT NULL GROUP BY counted_by, value
    UNION ALL
    SELECT 'country', country, sum(events) FROM together, unnest(countries) country
    GROUP BY country
    UNION ALL
    SELECT 'bloc', bloc, sum(events) FROM (
        SELECT DISTINCT countries, bloc, events
        FROM together, unnest(countries) country JOIN belongs USING (country)
    ) by_blocs GROUP BY bloc
    UNION ALL
    SELECT 'party', party, count(DISTINCT event) FROM taking_part GROUP BY party
    UNION ALL
    SELECT role, party, count(DISTINCT event) FROM taking_part
    WHERE role IN ('actor', 'subject') GROUP BY role, party
"""
_PUT = """
    INSERT INTO event_count AS counted (counted_by, value, events)
    {counts}
    ON CONFLICT (counted_by, value) DO UPDATE SET events = counted.events + excluded.events
"""
# They lie there until the lock is held; see staging.py.
_STAGE = "INSERT INTO import_count (counted_by, value, events) {counts}"
_STAGED = "SELECT counted_by, value, sum(events) FROM import_count GROUP BY counted_by, value"
_DIFFERENCES = """
    SELECT counted_by, value,
        coalesce(stored.events, 0) AS events, coalesce(recount.events, 0) AS counted
    FROM event_count stored FULL JOIN ({counts}) recount USING (counted_by, value)
    WHERE coalesce(stored.events, 0) <> coalesce(recount.events, 0)
    ORDER BY counted_by, value
"""
_THESE = "WHERE id = ANY(:events)"
_IMPORTED = "WHERE id IN (SELECT id FROM import_change WHERE changed)"


def _counts(which: str = "", sign: str = "") -> str:
    counted = _COUNTED.format(which=which)
    return f"SELECT counted_by, value, {sign} events FROM ({counted}) found"  # noqa: S608


async def add(connection: WriteConnection, events: Collection[str]) -> None:
    """Count those of these events that are live now."""
    await _execute(connection, _PUT.format(counts=_counts(_THESE)), events=list(events))


async def take(connection: WriteConnection, events: Collection[str]) -> None:
    """Count those of these events that are live now no more, before they are changed."""
    await _execute(connection, _PUT.format(counts=_counts(_THESE, "-")), events=list(events))


async def stage_add(connection: WriteConnection, events: Collection[str]) -> None:
    """Note what `add` would count, to be counted by `put_staged`."""
    await _execute(connection, _STAGE.format(counts=_counts(_THESE)), events=list(events))


async def stage_take(connection: WriteConnection, events: Collection[str]) -> None:
    """Note what `take` would count, to be counted by `put_staged`."""
    await _execute(connection, _STAGE.format(counts=_counts(_THESE, "-")), events=list(events))


async def stage_added(connection: WriteConnection) -> None:
    """Note what an import has added."""
    await _execute(connection, _STAGE.format(counts=_counts(_IMPORTED)))


async def stage_taken(connection: WriteConnection) -> None:
    """Note what an import is about to replace."""
    await _execute(connection, _STAGE.format(counts=_counts(_IMPORTED, "-")))


async def put_staged(connection: WriteConnection) -> None:
    """Count what was noted."""
    await connection.execute(text(_PUT.format(counts=_STAGED)))


async def recount(connection: WriteConnection) -> None:
    """Count everything anew; this takes about half a minute for a million events."""
    await connection.execute(text("SET LOCAL statement_timeout = '120s'"))
    await connection.execute(text("DELETE FROM event_count"))
    await _execute(connection, _PUT.format(counts=_counts()))


async def fetch_differences(connection: ReadConnection) -> Sequence[Row[Any]]:
    """Return the counts that aren't what a recount comes to, with it as `counted`."""
    return (await _execute(connection, _DIFFERENCES.format(counts=_counts()))).all()


async def _execute(
    connection: ReadConnection, statement: str, **given: Any
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement that counts, with the blocs' members of this release."""
    members, blocs = zip(*memberships(), strict=True)
    belongs = {"members": list(members), "blocs": list(blocs)}
    return await connection.execute(text(statement), belongs | given)
