"""A large register in little time: what is there, again and again under other ids."""

from tests.support.database import execute

_REVISIONS = """
    INSERT INTO event_revision
        (event, revision, seq, recorded_at, action, by, note, facts, merged_into)
    SELECT event || '-' || n, revision, n * newest + seq, recorded_at, action, by, note,
        facts, merged_into
    FROM event_revision, generate_series(1, {copies}) n,
        (SELECT max(seq) AS newest FROM event_revision) AS journal
"""
_EVENTS = """
    INSERT INTO event
        (id, revision, kind, family, status, verification, direction, regime, measure,
        earliest, latest, occurred, announced, adopted, signed, effective, effective_until,
        recorded_at, updated_at, document, known_from)
    SELECT id || '-' || n, revision, kind, family, status, verification, direction, regime, measure,
        earliest, latest, occurred, announced, adopted, signed, effective, effective_until,
        recorded_at, updated_at,
        '{{"id":"' || id || '-' || n || substring(document FROM 8 + length(id)), known_from
    FROM event, generate_series(1, {copies}) n
"""
_PARTIES = """
    INSERT INTO event_party (event, position, party, role, country, earliest, latest)
    SELECT event || '-' || n, position, party, role, country, earliest, latest
    FROM event_party, generate_series(1, {copies}) n
"""


async def multiply(url: str, copies: int) -> None:
    """Add so many copies of every event."""
    statements = [each.format(copies=copies) for each in (_REVISIONS, _EVENTS, _PARTIES)]
    await execute(url, "SET statement_timeout = 0", *statements, "VACUUM ANALYZE")
