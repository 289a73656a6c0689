"""Fold a duplicate into the event that it duplicates: its address leads there from then on."""

from app.commands.revise import Author, Change, Tags, add_revisions, existing, state
from app.db.connections import WriteConnection
from app.domain.errors import Fault, RefusedError


async def merge(
    connection: WriteConnection, event: str, into: str, tags: Tags, author: Author
) -> None:
    """Merge an event into another one.

    Raises:
        NotFoundError, GoneError, MergedError: there is nothing to merge.
        PreconditionRequiredError, PreconditionFailedError: no tag was sent, or another state's.
        RefusedError: the survivor is the event itself, or isn't live.

    """
    found = await existing(connection, event)
    found.check_live()
    found.check(tags)
    survivor = await state(connection, into)
    if into == event or survivor is None or not survivor.revision.is_live:
        message = f"{into} is no other live event: name the one that shall remain."
        raise RefusedError(Fault("body", "into", "unknown_reference", message))
    before = found.revision
    change = Change(event, "merge", before.facts, before, merged_into=into)
    await add_revisions(connection, [change], author)
