"""What is done with staged events: compared with what is there, and written."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, literal_column, select, text

from app.commands import counts, journal
from app.commands.journal import Place
from app.commands.projection import archive
from app.commands.revise import Author
from app.commands.staging import (
    CHANGE,
    EVENT_COLUMNS,
    MAX_FAULTS,
    PAIR_COLUMNS,
    PARTY_COLUMNS,
    Faults,
)
from app.db.chain import LEAF, LEAVES_TOGETHER
from app.db.connections import WriteConnection
from app.db.projections import Event
from app.domain.errors import ConflictError
from app.domain.history import GONE
from app.domain.rows import fault_at

_CONTRADICTIONS = f"""
    WITH twice AS (
        SELECT line, min(line) OVER (PARTITION BY id) AS first FROM import_line
    ), latest AS (
        SELECT DISTINCT ON (event) event, action, line
        FROM event_revision JOIN import_line ON id = event
        ORDER BY event, revision DESC, line
    ), found AS (
        SELECT line, 'id' AS field, 'id_twice' AS code,
            'Line ' || first || ' has the same id.' AS message
        FROM twice WHERE line > first
        UNION ALL
        SELECT line, 'id', action, 'This event is no longer there: its latest action is ' || action
            || '.'
        FROM latest WHERE action = ANY(:gone)
        UNION ALL
        SELECT line, 'relations.' || place || '.event', 'unknown_reference',
            'There is no event ' || event || '.'
        FROM import_relation related
        WHERE NOT EXISTS (SELECT FROM import_line WHERE id = related.event)
            AND NOT EXISTS (
                SELECT FROM event_revision WHERE event = related.event AND revision = 1
            )
    )
    SELECT *, count(*) OVER () AS total FROM found ORDER BY line, field LIMIT {MAX_FAULTS}
"""  # noqa: S608 - Put together from constants of ours.
_COMPARE = """
    INSERT INTO import_change (id, place, was, changed, first_recorded_at)
    WITH latest AS (
        SELECT DISTINCT ON (event) event, revision, revised.facts
        FROM event_revision revised JOIN import_event ON id = event
        ORDER BY event, revision DESC
    ), compared AS (
        SELECT id, line, coalesce(latest.revision, 0) AS was, first.recorded_at,
            latest.facts IS DISTINCT FROM import_event.facts AS changed
        FROM import_event
        LEFT JOIN latest ON latest.event = id
        LEFT JOIN event_revision first ON first.event = id AND first.revision = 1
    )
    SELECT id, row_number() OVER (PARTITION BY changed ORDER BY line) - 1, was, changed, recorded_at
    FROM compared
"""
_COUNT = """
    SELECT count(*) FILTER (WHERE changed AND was = 0) AS recorded,
        count(*) FILTER (WHERE changed AND was > 0) AS corrected,
        count(*) FILTER (WHERE NOT changed) AS unchanged
    FROM import_change
"""
_OUTCOMES = """
    SELECT line, id,
        CASE WHEN NOT changed THEN 'unchanged' WHEN was = 0 THEN 'recorded' ELSE 'corrected' END,
        CASE WHEN changed THEN was + 1 ELSE was END
    FROM import_change JOIN import_event USING (id) ORDER BY line
"""
# So many keep the event loop for some 5 ms.
_BATCH = 2_000
_REVISED_SINCE = """
    SELECT EXISTS (
        SELECT FROM event_revision JOIN import_change ON id = event
        WHERE seq > :seen AND seq < :first
    ) OR EXISTS (
        SELECT FROM reference_revision revised
        WHERE type = 'party' AND recorded_at > :began AND EXISTS (
            SELECT FROM import_party
            WHERE party = revised.id AND country IS DISTINCT FROM revised.facts->>'country'
        )
    )
"""
_INSTANT = "CAST(:instant AS timestamptz) + place * interval '1 microsecond'"
_RFC_3339 = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
# Nothing below is sorted: that would take longer than the indexes gain by it.
_CHANGED = f"""
    (
        SELECT *, was + 1 AS revision, {_INSTANT} AS recorded,
            coalesce(first_recorded_at, {_INSTANT}) AS first_recorded
        FROM import_change WHERE changed
    ) changed
"""  # noqa: S608 - Put together from constants of ours.
_REVISIONS = f"""
    WITH written AS (
        INSERT INTO event_revision (event, revision, seq, recorded_at, action, by, note, facts)
        SELECT id, revision, CAST(:seq AS bigint) + place, recorded,
            CASE WHEN was = 0 THEN 'record' ELSE 'correct' END, :by, coalesce(note, :note), facts
        FROM {_CHANGED} JOIN import_event USING (id)
        RETURNING seq, {LEAF} AS leaf
    )
    SELECT {LEAVES_TOGETHER} FROM written
"""  # noqa: S608 - Put together from constants of ours.
_EVENTS = f"""
    INSERT INTO event ({", ".join(EVENT_COLUMNS)},
        revision, recorded_at, updated_at, known_from, document)
    SELECT {", ".join(EVENT_COLUMNS)}, revision, first_recorded, recorded, recorded,
        head || ',"revision":' || revision
            || ',"recorded_at":"' || {_RFC_3339.format("first_recorded")}
            || '","updated_at":"' || {_RFC_3339.format("recorded")} || '"}}'
    FROM {_CHANGED} JOIN import_event USING (id)
"""  # noqa: S608 - Put together from constants of ours.
_PARTIES = f"""
    INSERT INTO event_party ({", ".join(PARTY_COLUMNS)})
    SELECT {", ".join(PARTY_COLUMNS)}
    FROM import_party JOIN import_change ON id = event WHERE changed
"""  # noqa: S608 - Put together from constants of ours.
_PAIRS = f"""
    INSERT INTO event_pair ({", ".join(PAIR_COLUMNS)})
    SELECT {", ".join(PAIR_COLUMNS)}
    FROM import_pair JOIN import_change ON id = event WHERE changed
"""  # noqa: S608 - Put together from constants of ours.


@dataclass(frozen=True, slots=True)
class Basis:
    """What would become of the staged events, and which state of the register that goes by.

    `began` is the instant of the newest change to a party when the first row was read.
    """

    recorded: int
    corrected: int
    unchanged: int
    seen: int
    began: datetime

    @property
    def changes(self) -> int:
        """How many revisions are to be written."""
        return self.recorded + self.corrected


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a row: in which line it stands, and which revision of its event is as it."""

    line: int
    id: str
    outcome: str
    revision: int


async def contradictions(connection: WriteConnection, faults: Faults) -> None:
    """Find ids given twice, events that are gone, and relations that lead nowhere."""
    rows = await connection.execute(text(_CONTRADICTIONS), {"gone": list(GONE)})
    total = 0
    for row in rows:
        total = row.total
        faults.add(row.line, fault_at(row.line, row.field, row.code, row.message))
    faults.count += max(0, total - MAX_FAULTS)


async def last_change_of_parties(connection: WriteConnection) -> datetime:
    """Return the instant of the newest change to a party that can be seen."""
    newest = "SELECT coalesce(max(recorded_at), '-infinity') FROM party_revision"
    instant: datetime = (await connection.execute(text(newest))).scalar_one()
    return instant


async def compare(connection: WriteConnection, began: datetime) -> Basis:
    """Find out what is new, what differs and what is there already.

    Args:
        connection: in the transaction in which all was staged.
        began: the instant of the newest change to a party when the first row was read.

    """
    # Numbers become visible in their order, so what is seen below includes all up to this one.
    seen = await connection.scalar(text("SELECT coalesce(max(seq), 0) FROM event_revision"))
    await connection.execute(text(_COMPARE))
    await connection.execute(text("CREATE INDEX ON import_change (id)"))
    await connection.execute(text("ANALYZE import_change"))
    counts = (await connection.execute(text(_COUNT))).one()
    return Basis(counts.recorded, counts.corrected, counts.unchanged, seen or 0, began)


async def outcomes(connection: WriteConnection) -> AsyncIterator[Sequence[Outcome]]:
    """Return batch by batch what becomes of each row, in the order of the file."""
    found = await connection.stream(text(_OUTCOMES))
    async for rows in found.partitions(_BATCH):
        yield [Outcome(*row) for row in rows]


async def check_unchanged(connection: WriteConnection, basis: Basis, first: Place) -> None:
    """Make sure that the staged events still are what they were staged as; under the lock.

    Args:
        connection: in the transaction in which they were compared.
        basis: what they were compared with.
        first: where they begin in the journal; they may have been written already.

    Raises:
        ConflictError: one of them was changed since, or the country of a party in one of them.

    """
    given = {"seen": basis.seen, "first": first.seq, "began": basis.began}
    if await connection.scalar(text(_REVISED_SINCE), given):
        raise ConflictError(
            "Events or parties of the file were changed while it was read: send it once more."
        )


async def write(
    connection: WriteConnection, author: Author, place: Place, *, corrects: bool
) -> bytes:
    """Write what is new or different, numbered and stamped from a place in the journal onwards.

    What was written is to be linked in the audit chain by the leaves that are returned.
    """
    stamp = {"seq": place.seq, "instant": place.recorded_at}
    by = {"by": author.name, "note": author.note}
    leaves: bytes = (await connection.execute(text(_REVISIONS), stamp | by)).scalar_one()
    if corrects:
        await counts.stage_taken(connection)
        await _archive(connection, place)
    await connection.execute(text(_EVENTS), {"instant": place.recorded_at})
    await connection.execute(text(_PARTIES))
    await connection.execute(text(_PAIRS))
    await counts.stage_added(connection)
    await journal.announce(connection)
    return leaves


async def _archive(connection: WriteConnection, place: Place) -> None:
    """Move what the corrected events were to the past, each until its own instant."""
    corrected = select(CHANGE.c.id).where(CHANGE.c.changed, CHANGE.c.was > 0)
    microseconds = CHANGE.c.place * literal_column("interval '1 microsecond'")
    until = select(literal(place.recorded_at) + microseconds).where(CHANGE.c.id == Event.id)
    await archive(connection, Event.id.in_(corrected), until.scalar_subquery())
