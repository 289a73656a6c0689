"""Record new events under an id of the client's or one made from the title and the date."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.commands import journal
from app.commands.references import check_references
from app.commands.revise import Author, Change, add_revisions
from app.db.conditions import among
from app.db.connections import WriteConnection
from app.db.tables import EventRevision
from app.domain.event import EventFacts
from app.domain.history import Revision
from app.domain.names import fold
from app.domain.text import MAX_ID_LENGTH

# Room for the number that tells apart events of one title and date.
_ROOM_FOR_NUMBER = 8


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event under the id it shall have for good."""

    id: str
    facts: EventFacts


async def record_unseen(
    connection: WriteConnection, events: Sequence[NewEvent], author: Author
) -> int:
    """Record those events whose ids were never used, and return how many that were.

    Raises:
        RefusedError: an event names a party, a regime or another event that doesn't exist.

    """
    await journal.lock(connection)
    used = await _used(connection, [event.id for event in events])
    unseen = {event.id: event.facts for event in events if event.id not in used}
    await check_references(connection, unseen, several=True)
    if unseen:
        changes = [Change(event, "record", facts) for event, facts in unseen.items()]
        await add_revisions(connection, changes, author)
    return len(unseen)


async def record(
    connection: WriteConnection, event: str, facts: EventFacts, author: Author
) -> Revision:
    """Record one event under an id that was never used; the journal's lock must be held.

    Raises:
        RefusedError: the event names something that doesn't exist.

    """
    await check_references(connection, {event: facts})
    (added,) = await add_revisions(connection, [Change(event, "record", facts)], author)
    return added


async def free_id(connection: WriteConnection, facts: EventFacts) -> str:
    """Return an unused id made from title and date; the journal's lock must be held."""
    date = "-".join(re.findall("[0-9]+", facts.date))
    stem = _slug(facts.title, MAX_ID_LENGTH - _ROOM_FOR_NUMBER - len(date) - 1)
    base = f"{stem}-{date}" if stem else f"event-{date}"
    taken = set(
        await connection.scalars(
            select(EventRevision.event)
            .where(EventRevision.event.startswith(base, autoescape=True))
            .distinct()
        )
    )
    if stem and base not in taken:
        return base
    number = 2 if stem else 1
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def _slug(title: str, longest: int) -> str:
    """Return the title's Latin words in lower case, joined by hyphens, cut at a word's end."""
    words = re.findall("[a-z0-9]+", fold(title))
    while len("-".join(words)) > longest:
        words.pop()
    return "-".join(words)


async def _used(connection: WriteConnection, ids: Collection[str]) -> set[str]:
    rows = await connection.scalars(
        select(EventRevision.event).where(among(EventRevision.event, ids)).distinct()
    )
    return set(rows)
