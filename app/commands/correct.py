"""Correct an event: put other facts in place of those that were stated, as a new revision."""

from enum import StrEnum
from typing import Any

from app.commands import journal
from app.commands.record import record
from app.commands.references import check_references
from app.commands.revise import Author, Change, State, Tags, add_revisions, existing, state
from app.db.connections import WriteConnection
from app.domain.errors import PreconditionFailedError
from app.domain.event import EventFacts
from app.domain.merge_patch import merge_patch


class Outcome(StrEnum):
    """What a write has done."""

    RECORDED = "recorded"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"


async def put(
    connection: WriteConnection,
    event: str,
    facts: EventFacts,
    tags: Tags,
    author: Author,
    *,
    unless: Tags = None,
) -> Outcome:
    """Record an event under the client's own id, or replace it unless it is in a certain state.

    Raises:
        PreconditionRequiredError: it exists with other facts, and no tag was sent.
        PreconditionFailedError: the tags are of another state, or there is no state at all; or it
            is in a state that is ruled out, `*` for any.
        GoneError, MergedError: it is no longer there to be replaced.
        RefusedError: the facts name something that doesn't exist.

    """
    await journal.lock(connection)
    found = await state(connection, event)
    if found is None:
        if tags is not None:
            raise PreconditionFailedError(None)
        await record(connection, event, facts, author)
        return Outcome.RECORDED
    if unless is not None and found.is_one_of(unless):
        raise PreconditionFailedError(found.shown)
    found.check_live()
    if tags is not None or facts != found.revision.facts:
        found.check(tags)
    return await _correct(connection, found, facts, author)


async def patch(
    connection: WriteConnection, event: str, changes: Any, tags: Tags, author: Author
) -> Outcome:
    """Correct an event by a JSON merge patch (RFC 7396) of its facts.

    Raises:
        NotFoundError, GoneError, MergedError: there is nothing to correct.
        PreconditionRequiredError, PreconditionFailedError: no tag was sent, or another state's.
        ValidationError: the corrected facts don't hold together.
        RefusedError: the facts name something that doesn't exist.

    """
    found = await existing(connection, event)
    found.check_live()
    found.check(tags)
    stated = found.revision.facts.model_dump(mode="json", exclude_none=True)
    facts = EventFacts.model_validate(merge_patch(stated, changes))
    return await _correct(connection, found, facts, author)


async def _correct(
    connection: WriteConnection, found: State, facts: EventFacts, author: Author
) -> Outcome:
    before = found.revision
    if facts == before.facts:
        return Outcome.UNCHANGED
    await check_references(connection, {before.event: facts})
    await add_revisions(connection, [Change(before.event, "correct", facts, before)], author)
    return Outcome.CORRECTED
