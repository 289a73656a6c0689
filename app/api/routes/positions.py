"""Positions: who stood where towards whom, on which day, as known when."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.cursor import decode
from app.api.pages import cursor_for, page
from app.api.parameters import asked
from app.api.positions import HistoryParameters, PositionParameters, resolve_positions
from app.api.problems import documented
from app.api.state import Register
from app.domain.evidence import Answer, History, Key
from app.domain.positions import Standing
from app.queries.positions import evidence

router = APIRouter(prefix="/v1", tags=["Positions"])

Item = TypeVar("Item", Answer, History)

_IDS = "The ids of events; each can be fetched at /v1/events/{id}."


class PositionKeyDocument(BaseModel):
    """Whose position towards whom, in what."""

    actor: str = Field(examples=["KZ"])
    subject: str = Field(examples=["taliban"])
    dimension: str = Field(examples=["designation"])
    regime: str | None = Field(description="Only designations have one.", examples=["KZ-NLTO"])


class StandingDocument(BaseModel):
    """What holds."""

    state: str | None = Field(description="Null unless it is definite.", examples=["delisted"])
    candidates: list[str] = Field(
        description="Where it is only possible: what it may be, the earlier state first."
    )
    certainty: str = Field(
        description="`definite`, `possible`, or `unknown`, which never means “no”.",
        examples=["definite"],
    )
    basis: list[str] = Field(
        description=f"The last event that has applied, and those that may have. {_IDS}",
        examples=[["kz-taliban-delisting-2023"]],
    )


class PositionDocument(PositionKeyDocument, StandingDocument):
    """Where somebody stood on a day, and what was under way."""

    since: str | None = Field(
        description="The date, as written, of the event with which a definite state began that has "
        "held unbroken since; null where it came back by itself when another one ended.",
        examples=["2023-12~"],
    )
    pending: list[str] = Field(
        description="The latest step of each measure about this that is not finished: signalled, "
        f"proposed or adopted. {_IDS}"
    )
    upcoming: list[str] = Field(
        description=f"Changes made known by that day that take effect after it. {_IDS}"
    )
    unconfirmed: list[str] = Field(
        description="Later events that are too weakly attested to count, and would change the "
        f"answer. {_IDS}"
    )


class PositionPageDocument(BaseModel):
    """One page of positions."""

    items: list[PositionDocument]
    next: str | None = Field(description="The address of the next page, null on the last.")
    filter: dict[str, Any] = Field(
        description="The question as it was understood, with the day it came to.",
        examples=[{"subject": ["taliban"], "min_verification": "confirmed", "as_of": "2024-12-31"}],
    )


class SpanDocument(StandingDocument):
    """Days on which a position rested on the same events."""

    from_: date | None = Field(
        alias="from", description="The first day, null where it goes back for ever."
    )
    to: date = Field(description="The last day, included.")


class PositionHistoryDocument(PositionKeyDocument):
    """A position over time."""

    spans: list[SpanDocument] = Field(description="One after the other, without gaps.")


class PositionHistoryPageDocument(BaseModel):
    """One page of positions over time."""

    items: list[PositionHistoryDocument]
    next: str | None = Field(description="The address of the next page, null on the last.")
    filter: dict[str, Any] = Field(
        description="The question as it was understood, with the days it came to.",
        examples=[{"subject": ["taliban"], "min_verification": "confirmed", "to": "2024-12-31"}],
    )


@router.get(
    "/positions",
    summary="Who stood where on a day",
    response_class=Response,
    responses={200: {"model": PositionPageDocument}, **documented(422, 503)},
)
async def list_positions(
    request: Request,
    parameters: Annotated[PositionParameters, asked(PositionParameters)],
    register: Register,
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
        after = _after(parameters.cursor, bound)
        known = await evidence(connection, question.wanted, knowledge, after[0])
    found = (
        answer
        for answer in _beyond(after, known.answers(day, question.least))
        if _fits(answer.standing, parameters)
    )
    items, more = _page_of(found, parameters.limit)
    position = items[-1].key.order if more else None
    texts = [_json(_answer(item)) for item in items]
    return page(request, texts, cursor_for(position, bound), filter=question.shown)


@router.get(
    "/positions/history",
    summary="Who stood where over time",
    response_class=Response,
    responses={200: {"model": PositionHistoryPageDocument}, **documented(422, 503)},
)
async def list_position_histories(
    request: Request,
    parameters: Annotated[HistoryParameters, asked(HistoryParameters)],
    register: Register,
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
        after = _after(parameters.cursor, bound)
        known = await evidence(connection, question.wanted, knowledge, after[0])
    found = (
        history
        for history in _beyond(after, known.histories(first, last, question.least))
        if any(_fits(span.standing, parameters) for span in history.spans)
    )
    items, more = _page_of(found, parameters.limit)
    position = items[-1].key.order if more else None
    texts = [_json(_history(item)) for item in items]
    return page(request, texts, cursor_for(position, bound), filter=question.shown)


def _after(cursor: str | None, bound: dict[str, Any]) -> Sequence[str]:
    return ("",) if cursor is None else decode(cursor, bound)


def _beyond(after: Sequence[str], found: Iterable[Item]) -> Iterator[Item]:
    return (item for item in found if item.key.order > tuple(after))


def _page_of(found: Iterator[Item], limit: int) -> tuple[list[Item], bool]:
    """Return the items of a page, and whether there are more."""
    items = list(islice(found, limit))
    return items, next(found, None) is not None


def _fits(standing: Standing, parameters: PositionParameters | HistoryParameters) -> bool:
    may_be = {standing.state, *standing.candidates}
    return (not parameters.certainty or standing.certainty in parameters.certainty) and (
        not parameters.state or not may_be.isdisjoint(parameters.state)
    )


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        **_key(answer.key),
        "state": answer.standing.state,
        "candidates": answer.standing.candidates,
        "certainty": answer.standing.certainty,
        "since": answer.since,
        "basis": answer.standing.basis,
        "pending": answer.pending,
        "upcoming": answer.upcoming,
        "unconfirmed": answer.unconfirmed,
    }


def _history(history: History) -> dict[str, Any]:
    spans = [
        {
            "state": span.standing.state,
            "candidates": span.standing.candidates,
            "certainty": span.standing.certainty,
            "from": span.first,
            "to": span.last,
            "basis": span.standing.basis,
        }
        for span in history.spans
    ]
    return {**_key(history.key), "spans": spans}


def _key(key: Key) -> dict[str, str | None]:
    return key._asdict()


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
