"""Facets: how many events have which value, under the same filter as the timeline."""

import json
from typing import Annotated, ClassVar

from fastapi import APIRouter, Request, Response

from app.api.conditional import answer
from app.api.facets import FacetsDocument, counted
from app.api.filters import FilterParameters
from app.api.parameters import PICK, asked, parameter
from app.api.problem_responses import documented
from app.api.resolve import resolve
from app.api.state import Register
from app.queries.facets import DEFAULT, Facet

router = APIRouter(prefix="/v1", tags=["Timeline"])


class FacetsParameters(FilterParameters):
    """The parameters of the counts."""

    words: ClassVar = {**FilterParameters.words, "by": Facet}

    by: list[Facet] = parameter(
        [],
        "Count by",
        f"What to count the events by. If nothing is chosen: {', '.join(DEFAULT)}. {PICK}",
    )


@router.get(
    "/facets",
    summary="Count the timeline",
    response_class=Response,
    responses={
        200: {
            "model": FacetsDocument,
            "description": "The counts, exact, and how many events match in all.",
        },
        **documented(422, 503),
    },
)
async def count_events(
    request: Request,
    parameters: Annotated[FacetsParameters, asked(FacetsParameters)],
    register: Register,
) -> Response:
    """How many events there are by country, status, year and more, under the same filter.

    An event is counted once for each value that it has: one with two Kazakh parties counts once
    for Kazakhstan, and once for each other country in it. A count is what you get when you filter
    by that value as well. A year or a month counts the events that certainly lie within it; those
    that don't stand under null.
    """
    knowledge = parameters.known()
    async with register.reading() as connection:
        wanted, shown = await resolve(connection, parameters)
        by = dict.fromkeys(parameters.by or DEFAULT)
        found, total = await counted(connection, wanted, knowledge, by)
    body = {"facets": found, "total": total, "filter": shown}
    return answer(request, json.dumps(body, ensure_ascii=False, separators=(",", ":")))
