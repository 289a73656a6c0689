"""Positions as a page: who stood where on a day, on which events that rests, and how it went."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.api.cursor import CursorCodec, Cursors
from app.api.links import continued
from app.api.parameters import DEFAULT_LIMIT, read
from app.api.positions import PLACE, Place, PositionPageParameters, page_of, resolve_positions
from app.api.state import Register
from app.db.connections import ReadConnection
from app.domain.errors import RefusedError
from app.domain.evidence import Answer, Evidence, Key
from app.domain.vocabulary import Verification
from app.queries.choices import names_of_parties
from app.queries.cited import cited_documents
from app.queries.positions import evidence
from app.web.bars import Bars, bars
from app.web.filter_words import Said, filter_in_words, parties_in
from app.web.form import Form, without_blanks
from app.web.offers import Offers, offers
from app.web.page import PageRoute, page
from app.web.past import Moment, lasting_address, one_moment

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page tells of the positions that are asked for."""

    day: date
    answers: Sequence[Answer]
    bars: Bars
    names: Mapping[str, str]
    events: Mapping[str, Mapping[str, Any]]
    filter: Sequence[Said]
    more: str | None
    permalink: str | None
    moment: Moment


@router.get("/positions")
async def positions(request: Request, register: Register, cursors: Cursors) -> Response:
    """Who stood where on a day, with the form that asks for it."""
    if (tidy := without_blanks(request, PositionPageParameters)) is not None:
        return RedirectResponse(tidy)
    faults: Sequence[Any] = ()
    shown = None
    try:
        parameters = read(PositionPageParameters, request)
        async with one_moment(register, parameters.known()) as (connection, moment):
            offered = await offers(connection)
            # Who has just come here is shown how to ask, and isn't told off.
            if any(request.query_params.values()):
                shown = await _shown(request, parameters, connection, moment, offered, cursors)
    except RefusedError as error:
        faults = error.faults
        async with register.reading() as connection:
            offered = await offers(connection)
    status = 422 if faults else 200
    form = Form.of(request, PositionPageParameters, faults)
    return page(request, "positions.html", status, form=form, offered=offered, shown=shown)


async def _shown(
    request: Request,
    parameters: PositionPageParameters,
    connection: ReadConnection,
    moment: Moment,
    offered: Offers,
    cursors: CursorCodec,
) -> Shown:
    day = parameters.day
    question = await resolve_positions(connection, parameters, as_of=day)
    # The same as for /v1/positions, so that a cursor from there is good here.
    bound = {"of": "positions", "filter": question.shown}
    after = await cursors.decode(parameters.cursor, bound, PLACE)
    beginning = after[0] if after else ""
    known = await evidence(connection, question.wanted, moment.knowledge, beginning)
    answers = known.answers(day, question.least)
    fitting = (answer for answer in answers if parameters.fit(answer.standing))
    items, position = page_of(fitting, after, parameters.limit)
    keys = [item.key for item in items]
    more = await cursors.encode(position, bound)
    named = {party for key in keys for party in (key.actor, key.subject)}
    names = await names_of_parties(connection, named | parties_in(question.shown))
    documents = await cited_documents(connection, _cited(items), moment.knowledge)
    return Shown(
        day=day,
        answers=items,
        bars=_bars(known, keys, day, question.least),
        names=names,
        events={id_: json.loads(document) for id_, document in documents.items()},
        filter=filter_in_words(question.shown, PositionPageParameters, names, offered.regimes),
        more=more and continued(request, more),
        permalink=await _permalink(request, parameters, bound, after, moment, cursors),
        moment=moment,
    )


def _cited(answers: Iterable[Answer]) -> set[str]:
    return {
        event
        for answer in answers
        for events in (
            answer.standing.basis,
            answer.pending,
            answer.upcoming,
            answer.unconfirmed,
        )
        for event in events
    }


def _bars(known: Evidence, keys: Collection[Key], day: date, least: Verification) -> Bars:
    """Return how these positions went, until today or until the day that is asked about."""
    last = max(day, datetime.now(UTC).date())
    these = replace(known, effects={key: known.effects.get(key, ()) for key in keys}, named=keys)
    return bars(these.histories(None, last, least), last)


async def _permalink(
    request: Request,
    parameters: PositionPageParameters,
    bound: Mapping[str, Any],
    after: Place | None,
    moment: Moment,
    cursors: CursorCodec,
) -> str | None:
    lasting = {**bound["filter"], **moment.stated}
    paged = {
        "limit": None if parameters.limit == DEFAULT_LIMIT else parameters.limit,
        "cursor": await cursors.encode(after, {**bound, "filter": lasting}),
    }
    return lasting_address(request, moment, {**lasting, **paged})
