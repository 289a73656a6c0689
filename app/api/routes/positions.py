"""Positions: who stood where towards whom, on which day, as known when."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.cursor import Cursors
from app.api.pages import page
from app.api.parameters import asked
from app.api.position_documents import (
    EXAMPLE,
    PositionHistoryPageDocument,
    PositionPageDocument,
    answer_document,
    history_document,
    json_text,
)
from app.api.positions import (
    PLACE,
    HistoryPageParameters,
    PositionPageParameters,
    page_of,
    resolve_positions,
)
from app.api.problem_responses import documented
from app.api.state import Register
from app.queries.positions import evidence

router = APIRouter(prefix="/v1", tags=["Positions"])


@router.get(
    "/positions",
    summary="Who stood where on a day",
    response_class=Response,
    responses={
        200: {
            "model": PositionPageDocument,
            "description": "A page of positions, by actor, subject, dimension and regime.",
            "content": {"application/json": {"example": EXAMPLE}},
        },
        **documented(422, 503),
    },
)
async def list_positions(
    request: Request,
    parameters: Annotated[PositionPageParameters, asked(PositionPageParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """Who listed, recognised or kept an embassy with whom on a day, and what was under way.

    *Who still listed the Taliban at the end of 2024?* Write `taliban` into *Towards whom*, choose
    `designation`, and 2024-12-31 as the day. *Where did Saudi Arabia stand towards Afghanistan?*
    Name both and leave the rest empty.

    A position that isn't shown is **unknown**: the register has no event that says anything about
    it, which does not mean that the answer is no. Each answer names the events it rests on.
    """
    knowledge, day = parameters.known(), parameters.day
    async with register.reading() as connection:
        question = await resolve_positions(connection, parameters, as_of=day)
        bound = {"of": "positions", "filter": question.shown}
        after = await cursors.decode(parameters.cursor, bound, PLACE)
        beginning = after[0] if after else ""
        known = await evidence(connection, question.wanted, knowledge, beginning)
    answers = known.answers(day, question.least)
    fitting = (answer for answer in answers if parameters.fit(answer.standing))
    items, position = page_of(fitting, after, parameters.limit)
    texts = [json_text(answer_document(item)) for item in items]
    following = await cursors.encode(position, bound)
    return page(request, texts, following, filter=question.shown)


@router.get(
    "/positions/history",
    summary="Who stood where over time",
    response_class=Response,
    responses={200: {"model": PositionHistoryPageDocument}, **documented(422, 503)},
)
async def list_position_histories(
    request: Request,
    parameters: Annotated[HistoryPageParameters, asked(HistoryPageParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """The same over time: each position as spans of days, one after the other without gaps.

    With `state` or `certainty` those positions are shown that were so on some day; their spans are
    always shown whole.
    """
    knowledge, (first, last) = parameters.known(), parameters.days
    async with register.reading() as connection:
        days = {"from": first, "to": last}
        question = await resolve_positions(connection, parameters, **days)
        bound = {"of": "position histories", "filter": question.shown}
        after = await cursors.decode(parameters.cursor, bound, PLACE)
        beginning = after[0] if after else ""
        known = await evidence(connection, question.wanted, knowledge, beginning)
    fitting = (
        history
        for history in known.histories(first, last, question.least)
        if any(parameters.fit(span.standing) for span in history.spans)
    )
    items, position = page_of(fitting, after, parameters.limit)
    texts = [json_text(history_document(item)) for item in items]
    following = await cursors.encode(position, bound)
    return page(request, texts, following, filter=question.shown)
