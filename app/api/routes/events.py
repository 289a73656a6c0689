"""Events: the timeline, filtered, and one event by its id."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from app.api.conditional import answer_document
from app.api.cursor import Cursors
from app.api.examples import EVENT
from app.api.facets import FacetCount, counted
from app.api.filters import EventPageParameters, Include
from app.api.gone import gone
from app.api.known_at import KnownAtParameters
from app.api.pages import page
from app.api.parameters import asked
from app.api.problem_responses import documented
from app.api.resolve import resolve
from app.api.state import Register
from app.domain.document import EventDocument, TombstoneDocument
from app.domain.errors import NotFoundError
from app.domain.history import GONE, revision_of
from app.queries.events import RANKED, event_document, events_page
from app.queries.facets import DEFAULT
from app.queries.history import latest_revision, survivor
from app.queries.knowledge import Recorded
from app.queries.question import POSITIONS, Question

router = APIRouter(prefix="/v1", tags=["Timeline"])


class EventPageDocument(BaseModel):
    """One page of the events that match."""

    items: list[EventDocument]
    next: str | None = Field(description="The address of the next page, null on the last.")
    filter: dict[str, Any] = Field(
        description="The filter as it was understood, names resolved to codes and ids.",
        examples=[{"country": ["KZ"], "date_from": "2023-01-01"}],
    )
    total: int | None = Field(
        default=None, description="With `include=total`: how many events match in all."
    )
    facets: dict[str, list[FacetCount]] | None = Field(
        default=None, description="With `include=facets`: the counts that /v1/facets gives."
    )
    ranked_newest: int | None = Field(
        default=None,
        description="With `sort=relevance`, only where more events match: the newest so many are "
        "ranked and shown, and older ones are on no page.",
        examples=[RANKED],
    )


@router.get(
    "/events",
    summary="Filter the timeline",
    response_class=Response,
    responses={
        200: {
            "model": EventPageDocument,
            "description": "A page of events, newest first unless another order is asked for.",
            "content": {
                "application/json": {
                    "example": {
                        "items": [EVENT],
                        "next": None,
                        "filter": {"country": ["KZ"], "kind": ["designation.delist"]},
                    }
                }
            },
        },
        **documented(422, 503),
    },
)
async def list_events(
    request: Request,
    parameters: Annotated[EventPageParameters, asked(EventPageParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """Events by country, date, status and more: fill in what you need and press **Execute**.

    Different parameters narrow the answer; several values of one parameter widen it. What you
    leave empty doesn't filter. `filter` in the answer shows how your question was understood;
    `next` is the address of the next page, and is null when you have seen everything.
    """
    sort, knowledge = parameters.order(), parameters.known()
    async with register.reading() as connection:
        wanted, shown = await resolve(connection, parameters)
        bound = {"of": "events", "sort": sort, "filter": shown}
        question = Question(wanted, sort, knowledge)
        found = await events_page(
            connection,
            question,
            parameters.limit,
            await cursors.decode(parameters.cursor, bound, POSITIONS[sort]),
            with_total=Include.TOTAL in parameters.include,
        )
        members: dict[str, Any] = {"total": found.total, "ranked_newest": found.ranked}
        if Include.FACETS in parameters.include:
            members["facets"], _ = await counted(connection, wanted, knowledge, DEFAULT)
    stated = {name: member for name, member in members.items() if member is not None}
    following = await cursors.encode(found.next, bound)
    return page(request, found.documents, following, filter=shown, **stated)


EventId = Annotated[
    str,
    Path(
        title="The event's id",
        description="Taken from a list: `kz-taliban-delisting-2023`.",
    ),
]


@router.get(
    "/events/{id}",
    summary="One event",
    response_class=Response,
    responses={
        200: {
            "model": EventDocument,
            "description": "The event with its sources.",
            "content": {"application/json": {"example": EVENT}},
        },
        308: {"description": "The event was merged into another one, at `Location`."},
        410: {"model": TombstoneDocument, "description": "The event was retracted: when and why."},
        **documented(404, 422, 503),
    },
)
async def read_event(
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    parameters: Annotated[KnownAtParameters, asked(KnownAtParameters)],
    register: Register,
) -> Response:
    """One event with everything that is known of it, and the sources it rests on.

    A retracted event answers 410 with what is left to show of it; one that was merged into another
    leads there.
    """
    knowledge = parameters.known()
    known_at = knowledge.instant if isinstance(knowledge, Recorded) else None
    async with register.reading() as connection:
        document = await event_document(connection, id, knowledge)
        if document is not None:
            return answer_document(request, document)
        row = await latest_revision(connection, id, known_at)
        if row is None or row.action not in GONE:
            raise NotFoundError("There is no event of this id. /v1/events lists those that exist.")
        into = await survivor(connection, row, known_at)
    return gone(request, revision_of(row), into)
