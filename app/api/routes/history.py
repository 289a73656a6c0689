"""The history of one event, and the journal of every change."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import jsonpatch
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, field_validator

from app.api.conditional import answer
from app.api.cursor import Cursors
from app.api.known_at import KnownAtParameters
from app.api.links import base_url
from app.api.pages import page
from app.api.parameters import PageModel, QueryModel, asked, parameter, whole_number
from app.api.problems import documented
from app.api.reference_documents import REFERENCE_JSON, PartyDocument, RegimeDocument
from app.api.routes.events import EventId
from app.api.state import Register
from app.db.connections import ReadConnection
from app.domain.document import EventDocument, Instant, TombstoneDocument
from app.domain.errors import NotFoundError
from app.domain.history import GONE, revision_of
from app.domain.text import shown
from app.queries import history
from app.queries.events import event_document
from app.queries.history import Change, RevisedEvent
from app.queries.keyset import AnyRow
from app.queries.knowledge import Announced, Everything, Recorded

router = APIRouter(prefix="/v1", tags=["History"])

DEFAULT_CHANGES, MAX_CHANGES = 100, 200
# A journal's number is a bigint of PostgreSQL.
MAX_SEQ = 2**63 - 1
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


class Affected(BaseModel):
    """Which documents show what has changed of a party."""

    events: int = Field(description="How many events there are now; no part of the chain.")
    filter: str = Field(description="What finds them among /v1/events.", examples=["party=taliban"])


class ChangeDocument(BaseModel):
    """One change in the journal."""

    seq: int = Field(description="Its number: they grow, though not always by one.")
    type: str = Field(description="`event`, `party` or `regime`.", examples=["event"])
    id: str = Field(description="The event's or party's id, or the regime's code.")
    event: str | None = Field(default=None, description="The id again, for an event only.")
    revision: int
    action: str
    recorded_at: Instant
    document: EventDocument | PartyDocument | RegimeDocument | None = Field(
        default=None, description="What was recorded, in the form of its type."
    )
    tombstone: TombstoneDocument | None = None
    affects: Affected | None = Field(
        default=None,
        description="For a party: the events whose documents show its new name, kind and country "
        "from now on, under an unchanged `revision`.",
    )


class ChainHead(BaseModel):
    """The head of the audit chain: it stands for all that the journal holds up to a number."""

    seq: int = Field(description="Up to which number; mostly the newest.")
    hash: str = Field(description="A SHA-256 in hexadecimal digits; keep it to check by it later.")


class Changes(BaseModel):
    """Changes in the order in which they were committed."""

    items: list[ChangeDocument]
    next: str = Field(description="Where to ask for what comes after; it is never null.")
    latest: int = Field(description="The number of the newest change there is.")
    head: ChainHead | None = Field(
        description="What all changes so far can be checked by; null where there are none."
    )


class RevisionsParameters(KnownAtParameters, PageModel):
    """The parameters of an event's history."""


class ChangesParameters(QueryModel):
    """The parameters of the journal."""

    since: int = parameter(
        0,
        "After which change",
        "The `seq` of the last change you have; 0 gives all from the first. A whole number.",
    )
    limit: int = parameter(
        DEFAULT_CHANGES,
        "How many",
        f"A whole number from 1 to {MAX_CHANGES}; follow `next` for the rest.",
        ge=1,
        le=MAX_CHANGES,
    )

    @field_validator("since", mode="before")
    @classmethod
    def _a_seq(cls, value: Any) -> int:
        return whole_number(value, 0, MAX_SEQ)

    @field_validator("limit", mode="before")
    @classmethod
    def _a_number(cls, value: Any) -> int:
        return whole_number(value, 1, MAX_CHANGES)


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


def _content(revised: RevisedEvent) -> str:
    """Return the member with the document of a revision, or with the tombstone it left."""
    if revised.row.action in GONE:
        return f'"tombstone":{revision_of(revised.row).tombstone()}'
    return f'"document":{revised.document}'


def change_json(change: Change) -> str:
    """Return one change as an item of the journal, in JSON."""
    row = change.row
    members = {name: getattr(row, name) for name in ("seq", "revision", "action", "recorded_at")}
    if isinstance(change, RevisedEvent):
        named = ChangeDocument(type="event", id=row.event, event=row.event, **members)
        content = _content(change)
    else:
        named = ChangeDocument(type=row.type, id=row.id, **members)
        document = REFERENCE_JSON[row.type](row.id, row.revision, row.facts)
        content = f'"document":{document}'
        if change.events is not None:
            affected = Affected(events=change.events, filter=f"party={row.id}")
            content += f',"affects":{affected.model_dump_json()}'
    return f"{named.model_dump_json(exclude_unset=True)[:-1]},{content}}}"


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
    return answer(request, f"{recorded[:-1]},{_content(found)}}}")


@router.get(
    "/changes",
    summary="Everything that changed",
    response_class=Response,
    responses={200: {"model": Changes}, **documented(422, 503)},
)
async def list_changes(
    request: Request,
    parameters: Annotated[ChangesParameters, asked(ChangesParameters)],
    register: Register,
) -> Response:
    """The journal of every recorded change, in the order of commit, nothing skipped.

    Poll `next`: it is never null. Numbers grow from one change to the next, but some are never
    given: before a large import there is a gap. A retracted or merged event comes with its
    tombstone.

    Parties and regimes are in it as well, by `type`. Documents of events show what their parties
    are called at the time of the change; a copy of the register puts the new name of a party into
    the events that it has and that `affects` names.

    `head` makes the journal tamper-evident: keep it outside the register, and whoever runs that can
    be asked at any time to show, with `chancery verify --head`, that nothing of what the journal
    held then was changed or removed since.
    """
    async with register.reading() as connection:
        changes = await history.changes(connection, parameters.since, parameters.limit)
        # Asked afterwards, so that it lies behind none of the rows.
        end = await history.end(connection)
    last = changes[-1].row.seq if changes else parameters.since
    limit = "" if parameters.limit == DEFAULT_CHANGES else f"&limit={parameters.limit}"
    address = f"{base_url(request)}/v1/changes?since={last}{limit}"
    rest = json.dumps({"next": address, **asdict(end)}, separators=(",", ":"))
    body = f'{{"items":[{",".join(map(change_json, changes))}],{rest[1:]}'
    return answer(request, body, headers={"Link": f'<{address}>; rel="next"'})
