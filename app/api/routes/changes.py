"""The journal of every change: events, parties and regimes in one order."""

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, field_validator

from app.api.conditional import answer
from app.api.links import base_url
from app.api.parameters import QueryModel, asked, parameter, whole_number
from app.api.problem_responses import documented
from app.api.reference_documents import REFERENCE_JSON, PartyDocument, RegimeDocument
from app.api.routes.history import revision_content
from app.api.state import Register
from app.domain.document import EventDocument, Instant, TombstoneDocument
from app.queries import history
from app.queries.history import Change, RevisedEvent

router = APIRouter(prefix="/v1", tags=["History"])

DEFAULT_CHANGES, MAX_CHANGES = 100, 200
# A journal's number is a bigint of PostgreSQL.
MAX_SEQ = 2**63 - 1


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


def change_json(change: Change) -> str:
    """Return one change as an item of the journal, in JSON."""
    row = change.row
    members = {name: getattr(row, name) for name in ("seq", "revision", "action", "recorded_at")}
    if isinstance(change, RevisedEvent):
        named = ChangeDocument(type="event", id=row.event, event=row.event, **members)
        content = revision_content(change)
    else:
        named = ChangeDocument(type=row.type, id=row.id, **members)
        document = REFERENCE_JSON[row.type](row.id, row.revision, row.facts)
        content = f'"document":{document}'
        if change.events is not None:
            affected = Affected(events=change.events, filter=f"party={row.id}")
            content += f',"affects":{affected.model_dump_json()}'
    return f"{named.model_dump_json(exclude_unset=True)[:-1]},{content}}}"


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
