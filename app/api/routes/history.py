"""The history of one event: its revisions, what each has changed, and each of them whole."""

from datetime import datetime
from typing import Annotated, Any

import jsonpatch
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, TypeAdapter

from app.api.conditional import answer
from app.api.cursor import Cursors
from app.api.known_at import KnownAtParameters
from app.api.pages import page
from app.api.parameters import PageModel, asked
from app.api.problem_responses import documented
from app.api.routes.events import EventId
from app.api.state import Register
from app.db.connections import ReadConnection
from app.domain.document import EventDocument, Instant, TombstoneDocument
from app.domain.errors import NotFoundError
from app.domain.history import GONE, revision_of
from app.domain.text import shown
from app.queries import history
from app.queries.events import event_document
from app.queries.history import RevisedEvent
from app.queries.keyset import AnyRow
from app.queries.knowledge import Announced, Everything, Recorded

router = APIRouter(prefix="/v1", tags=["History"])

_POSITION: TypeAdapter[tuple[int]] = TypeAdapter(tuple[Annotated[int, Field(ge=1, lt=2**31)]])


class _Recorded(BaseModel):
    revision: int
    recorded_at: Instant
    action: str = Field(description="`record`, `correct`, `retract`, `restore` or `merge`.")
    by: str = Field(description="Whose key it was.")
    note: str | None = Field(description="Why, as the editor put it.")


class RevisionSummary(_Recorded):
    """One recorded state of an event, and what it changed."""

    changes: list[dict[str, Any]] = Field(
        description="JSON Patch (RFC 6902) from the facts before to the facts since."
    )


class RevisionPage(BaseModel):
    """An event's history, newest first."""

    items: list[RevisionSummary]
    next: str | None


class RevisionDocument(_Recorded):
    """One recorded state of an event, whole."""

    document: EventDocument | None = None
    tombstone: TombstoneDocument | None = None


class RevisionsParameters(KnownAtParameters, PageModel):
    """The parameters of an event's history."""


async def _known_at(
    connection: ReadConnection, event: str, parameters: KnownAtParameters
) -> datetime | None:
    """Return up to which instant revisions were known; None stands for all of them.

    What was announced is told of in the latest revisions, so an event that was known to the world
    then has its whole history, and one that was not yet has none.

    Raises:
        NotFoundError: the event is live, and was not yet announced then.

    """
    knowledge = parameters.known()
    await knowledge.settle(connection)
    if isinstance(knowledge, Recorded):
        return knowledge.instant
    if (
        isinstance(knowledge, Announced)
        and await event_document(connection, event, knowledge) is None
        and await event_document(connection, event, Everything()) is not None
    ):
        raise NotFoundError("This event was not announced by then.")
    return None


def _summary(row: AnyRow) -> str:
    before = row.facts_before
    changes = [{"op": "add", "path": "", "value": row.facts}]
    if before is not None:
        changes = jsonpatch.make_patch(before, row.facts).patch
    return RevisionSummary(
        revision=row.revision,
        recorded_at=row.recorded_at,
        action=row.action,
        by=row.by,
        note=row.note,
        changes=changes,
    ).model_dump_json()


def revision_content(revised: RevisedEvent) -> str:
    """Return the member with the document of a revision, or with the tombstone it left."""
    if revised.row.action in GONE:
        return f'"tombstone":{revision_of(revised.row).tombstone()}'
    return f'"document":{revised.document}'


@router.get(
    "/events/{id}/revisions",
    summary="The history of an event",
    response_class=Response,
    responses={200: {"model": RevisionPage}, **documented(404, 422, 503)},
)
async def list_revisions(
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    parameters: Annotated[RevisionsParameters, asked(RevisionsParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """Who recorded, corrected or retracted an event, when, why, and what it changed."""
    asked_of = {"known_at": parameters.known_at, "knowledge": parameters.knowledge}
    question = {"of": "revisions", "event": id, **asked_of}
    async with register.reading() as connection:
        known_at = await _known_at(connection, id, parameters)
        position = await cursors.decode(parameters.cursor, question, _POSITION)
        after = None if position is None else position[0]
        rows = await history.revisions_page(connection, id, known_at, parameters.limit, after)
    if not rows and parameters.cursor is None:
        raise NotFoundError("There is no event of this id. /v1/events lists those that exist.")
    shown = rows[: parameters.limit]
    last = (shown[-1].revision,) if len(rows) > len(shown) else None
    return page(request, map(_summary, shown), await cursors.encode(last, question))


@router.get(
    "/events/{id}/revisions/{revision}",
    summary="One revision, whole",
    response_class=Response,
    responses={200: {"model": RevisionDocument}, **documented(404, 422, 503)},
)
async def read_revision(
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    revision: Annotated[str, Path(title="The revision", description="A number: 1 is the first.")],
    parameters: Annotated[KnownAtParameters, asked(KnownAtParameters)],
    register: Register,
) -> Response:
    """An event as it was recorded then: the document, or the tombstone that was left of it.

    Parties are called there what they were called when it was recorded.
    """
    found = None
    if revision.isascii() and revision.isdigit() and len(revision) < len(str(2**31)):
        async with register.reading() as connection:
            known_at = await _known_at(connection, id, parameters)
            found = await history.revision(connection, id, int(revision), known_at)
    if found is None:
        listed = f"/v1/events/{shown(id)}/revisions"
        raise NotFoundError(f"There is no such revision. {listed} lists them.")
    named = {name: getattr(found.row, name) for name in _Recorded.model_fields}
    recorded = _Recorded.model_validate(named).model_dump_json()
    return answer(request, f"{recorded[:-1]},{revision_content(found)}}}")
