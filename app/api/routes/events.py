"""Events: the timeline, filtered, and one event by its id."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from app.api.conditional import answer
from app.api.examples import EVENT
from app.api.filters import EventParameters, Include
from app.api.pages import cursor_for, page, position_in
from app.api.parameters import asked
from app.api.problems import documented
from app.api.resolve import resolve
from app.api.state import Register
from app.domain.document import EventDocument
from app.domain.errors import NotFoundError
from app.queries.events import ORDERS, Sort, event_document, events_page

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
    parameters: Annotated[EventParameters, asked(EventParameters)],
    register: Register,
) -> Response:
    """Events by country, date, status and more: fill in what you need and press **Execute**.

    Different parameters narrow the answer; several values of one parameter widen it. What you
    leave empty doesn't filter. `filter` in the answer shows how your question was understood;
    `next` is the address of the next page, and is null when you have seen everything.
    """
    sort = parameters.sort or Sort.NEWEST
    async with register.reading() as connection:
        wanted, shown = await resolve(connection, parameters)
        question = {"of": "events", "sort": sort, "filter": shown}
        found = await events_page(
            connection,
            wanted,
            sort,
            parameters.limit,
            position_in(parameters.cursor, question, ORDERS[sort]),
            with_total=Include.TOTAL in parameters.include,
        )
    total = {} if found.total is None else {"total": found.total}
    return page(request, found.documents, cursor_for(found.next, question), filter=shown, **total)


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
        **documented(404, 503),
    },
)
async def read_event(
    request: Request,
    id: Annotated[  # noqa: A002 - The contract's name.
        str,
        Path(
            title="The event's id",
            description="Taken from a list: `kz-taliban-delisting-2023`.",
        ),
    ],
    register: Register,
) -> Response:
    """One event with everything that is known of it, and the sources it rests on."""
    async with register.reading() as connection:
        document = await event_document(connection, id)
    if document is None:
        raise NotFoundError("There is no event of this id. /v1/events lists those that exist.")
    return answer(request, document)
