"""The timeline as a page: the filter as a form, and the events that match."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.api.cursor import CursorCodec, Cursors
from app.api.filters import EventPageParameters
from app.api.links import continued
from app.api.parameters import DEFAULT_LIMIT, parameter, read
from app.api.resolve import resolve
from app.api.state import Register
from app.db.connections import ReadConnection
from app.domain.errors import RefusedError
from app.domain.evidence import History
from app.domain.vocabulary import Verification
from app.queries.choices import names_of_parties
from app.queries.events import events_page
from app.queries.facets import Counts, Facet
from app.queries.positions import PositionFilter, evidence
from app.queries.question import POSITIONS, Question, Sort
from app.web.counts import counts_of_choices
from app.web.filter_words import Said, filter_in_words, parties_in
from app.web.form import Form, without_blanks
from app.web.offers import Offers, offers
from app.web.page import PageRoute, page
from app.web.past import Moment, lasting_address, one_moment
from app.web.picture import actors_in, picture

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_BY_DAY = (Sort.NEWEST, Sort.OLDEST)
_NO_LAST_DAY = "No last day known"


class Embedded(StrEnum):
    """How to ask for the page as a part of another one."""

    YES = "1"


class TimelineParameters(EventPageParameters):
    """The parameters of the page: those of `/v1/events`, and how it is shown."""

    words: ClassVar = {**EventPageParameters.words, "embed": Embedded}

    embed: Embedded | None = parameter(
        None, "Within another page", "`1` leaves out the form, for a frame within another page."
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page tells of the events that match."""

    total: int
    ranked: int | None
    counts: Mapping[Facet, Counts]
    shown: int
    picture: Mapping[str, Any] | None
    years: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    filter: Sequence[Said]
    older: str | None
    permalink: str | None
    moment: Moment


@router.get("/")
async def front() -> Response:
    """The front page is the timeline."""
    return RedirectResponse("/timeline")


@router.get("/timeline")
async def timeline(request: Request, register: Register, cursors: Cursors) -> Response:
    """The events that match, with the form that asks for them."""
    if (tidy := without_blanks(request, TimelineParameters)) is not None:
        return RedirectResponse(tidy)
    faults: Sequence[Any] = ()
    answer = None
    try:
        parameters = read(TimelineParameters, request)
        async with one_moment(register, parameters.known()) as (connection, moment):
            offered = await offers(connection)
            answer = await _answer(request, parameters, connection, moment, offered, cursors)
    except RefusedError as error:
        faults = error.faults
        async with register.reading() as connection:
            offered = await offers(connection)
    return page(
        request,
        "timeline.html",
        422 if faults else 200,
        framed=request.query_params.get("embed") == Embedded.YES,
        form=Form.of(request, TimelineParameters, faults),
        offered=offered,
        answer=answer,
    )


async def _answer(
    request: Request,
    parameters: TimelineParameters,
    connection: ReadConnection,
    moment: Moment,
    offered: Offers,
    cursors: CursorCodec,
) -> Answer:
    wanted, understood = await resolve(connection, parameters)
    understood.pop("embed", None)
    sort = parameters.order()
    # The same as for /v1/events, so that a cursor from there is good here.
    bound = {"of": "events", "sort": sort, "filter": understood}
    question = Question(wanted, sort, moment.knowledge)
    after = await cursors.decode(parameters.cursor, bound, POSITIONS[sort])
    found = await events_page(connection, question, parameters.limit, after)
    counts, total = await counts_of_choices(connection, wanted, moment.knowledge)
    older = await cursors.encode(found.next, bound)
    names = await names_of_parties(connection, parties_in(understood))
    events = [json.loads(document) for document in found.documents]
    histories = await _histories(connection, wanted.subjects, events, moment)
    return Answer(
        total=total,
        ranked=found.ranked,
        counts=counts,
        shown=len(events),
        picture=picture(events, histories, moment.query),
        years=_by_year(events) if sort in _BY_DAY else [("", events)],
        filter=filter_in_words(understood, TimelineParameters, names, offered.regimes),
        older=older and continued(request, older),
        permalink=await _permalink(request, parameters, bound, after, moment, cursors),
        moment=moment,
    )


async def _histories(
    connection: ReadConnection,
    subjects: tuple[str, ...],
    events: Sequence[Mapping[str, Any]],
    moment: Moment,
) -> Sequence[History]:
    """Return how those who act have stood towards the subject, where exactly one is chosen."""
    if len(subjects) != 1 or not events:
        return ()
    whose = PositionFilter(tuple(actors_in(events)), subjects)
    known = await evidence(connection, whose, moment.knowledge)
    today = datetime.now(UTC).date()
    return list(known.histories(None, today, Verification.CONFIRMED))


def _by_year(
    events: Sequence[Mapping[str, Any]],
) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Return the events by the year that they are sorted by: that of their last possible day."""
    years = groupby(events, lambda event: event["latest"][:4] if event["latest"] else _NO_LAST_DAY)
    return [(year, list(group)) for year, group in years]


async def _permalink(
    request: Request,
    parameters: TimelineParameters,
    bound: Mapping[str, Any],
    after: Sequence[Any] | None,
    moment: Moment,
    cursors: CursorCodec,
) -> str | None:
    """Return the address of this page of the list, as it is now."""
    lasting = {**bound["filter"], **moment.stated}
    paged = {
        "sort": parameters.sort,
        "limit": None if parameters.limit == DEFAULT_LIMIT else parameters.limit,
        "cursor": await cursors.encode(after, {**bound, "filter": lasting}),
    }
    return lasting_address(request, moment, {**lasting, **paged})
