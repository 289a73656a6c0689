"""A dossier as a page: the events of one procedure in order, and the stage it has reached."""

import json
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.known_at import KnownAtParameters
from app.api.parameters import read
from app.api.state import Register
from app.domain.errors import NotFoundError
from app.domain.text import shown
from app.queries.choices import regime_names
from app.queries.measures import measure as measure_of
from app.web.page import PageRoute, page
from app.web.past import lasting_address, one_moment

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/measures/{id}")
async def measure(
    request: Request,
    id: str,  # noqa: A002 - The contract's name.
    register: Register,
) -> Response:
    """One dossier."""
    knowledge = read(KnownAtParameters, request).known()
    async with one_moment(register, knowledge) as (connection, moment):
        found = await measure_of(connection, knowledge, id)
        if found is None:
            raise NotFoundError(f"There is no dossier “{shown(id)}”: each event names its own.")
        regimes = await regime_names(connection)
    row = found.summary
    return page(
        request,
        "measure.html",
        id=id,
        moment=moment,
        permalink=lasting_address(request, moment, {}),
        stage=row.stage,
        first=None if row.earliest == date.min else str(row.earliest),
        last=None if row.latest == date.max else str(row.latest),
        regimes={code: regimes[code] for code in row.regimes or ()},
        events=[json.loads(document) for document in found.documents],
    )
