"""An editor's write: its transaction, which is counted, and its answer.

A key may write so often a minute, which the database counts and so all workers together.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request, Response

from app.api.exchange import EXCHANGE
from app.commands import journal
from app.commands.keys import count_write
from app.db.connections import WriteConnection
from app.db.engine import Database
from app.db.freshness import Freshness
from app.db.suggestions import add_suggestions
from app.domain.document import tag_of_revision
from app.domain.errors import RefusedError
from app.domain.keys import Identity
from app.settings import Settings


@asynccontextmanager
async def writing(
    request: Request, editor: Identity, *, much: bool = False
) -> AsyncIterator[WriteConnection]:
    """Lend a connection in a transaction in which the key is valid from beginning to end.

    A revocation that comes meanwhile waits for this write; one that came before refuses it. A
    write that fails isn't counted. `much` is for what may take longer than an edit. The answer
    names the change that was made, if there was one, by the number that the transaction gave it.

    Raises:
        RefusedError: as raised in the block, with what unknown names may have been meant for.
        UnauthenticatedError: the key was revoked or has expired since it was looked at.
        QuotaError: the key has written as often as it may in a minute.

    """
    register: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    try:
        async with register.writing() if much else register.editing() as connection:
            journal.forget_change(connection)
            await count_write(connection, editor.key_id, settings.writes_a_minute)
            yield connection
            change = journal.change_of(connection)
    except RefusedError as error:
        # Only now, because until here the journal's lock may have been held.
        async with register.reading() as connection:
            faults = await add_suggestions(connection, error.faults)
        raise RefusedError(*faults) from error
    note_change(request, change)


def note_change(request: Request, change: int | None) -> None:
    """Name a change in the answer, and see to it that this process answers nothing older.

    Args:
        request: what has made the change.
        change: its number, which is committed; None where nothing has changed.

    """
    if change is not None:
        freshness: Freshness = request.app.state.freshness
        freshness.advance(change)
        EXCHANGE.get().change = change


def written(shown: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return what is there after a write, with the tag that the next one needs."""
    sent = {"ETag": tag_of_revision(shown), "Cache-Control": "no-store", **(headers or {})}
    return Response(shown, status, sent, "application/json")
