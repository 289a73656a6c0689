"""Take an event out of the register with a reason, and put it back: nothing is ever removed."""

from app.commands.revise import Author, Change, Tags, add_revisions, existing
from app.db.connections import WriteConnection
from app.domain.errors import ConflictError, MergedError


async def retract(
    connection: WriteConnection, event: str, tags: Tags, author: Author, reason: str
) -> None:
    """Retract an event for a reason, which stands in the history where there is no other note.

    Raises:
        NotFoundError, GoneError, MergedError: there is nothing to retract.
        PreconditionRequiredError, PreconditionFailedError: no tag was sent, or another state's.

    """
    found = await existing(connection, event)
    found.check_live()
    found.check(tags)
    before = found.revision
    change = Change(event, "retract", before.facts, before, reason=reason)
    noted = Author(author.name, author.note or reason)
    await add_revisions(connection, [change], noted)


async def restore(connection: WriteConnection, event: str, tags: Tags, author: Author) -> None:
    """Put a retracted event back as it was.

    Raises:
        NotFoundError: its id was never used.
        ConflictError: it is live.
        MergedError: it was merged into another one.
        PreconditionRequiredError, PreconditionFailedError: no tag was sent, or another state's.

    """
    found = await existing(connection, event)
    before = found.revision
    if before.merged_into is not None:
        raise MergedError(before.merged_into)
    if before.is_live:
        raise ConflictError("This event was not retracted: there is nothing to restore.")
    found.check(tags)
    await add_revisions(connection, [Change(event, "restore", before.facts, before)], author)
