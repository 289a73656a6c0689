"""Measures: dossiers that string the events of one procedure together."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.conditional import answer
from app.api.cursor import Cursors
from app.api.known_at import KnownAtParameters
from app.api.parameters import asked
from app.api.problem_responses import documented
from app.api.reference import ListParameters, Page, key, keyed_page, start_key
from app.api.state import Register
from app.domain.document import EventDocument
from app.domain.errors import NotFoundError
from app.queries import measures

router = APIRouter(prefix="/v1", tags=["Timeline"])


class MeasureSummary(BaseModel):
    """A dossier: how far it has got and over which time it stretches."""

    id: str = Field(examples=["ru-suspension-law-2024"])
    stage: str | None = Field(
        description="The status of the latest step that is no commentary; null if there is none.",
        examples=["in_effect"],
    )
    earliest: date | None = Field(description="First day of its events, null where open.")
    latest: date | None = Field(description="Last day of its events, null where open.")
    regimes: list[str] = Field(description="The regimes its events are about.")
    count: int = Field(description="How many events it has.")


class MeasureDocument(MeasureSummary):
    """A dossier with its events."""

    events: list[EventDocument] = Field(description="In the order of their days.")


class MeasuresParameters(KnownAtParameters, ListParameters):
    """The parameters of the list of dossiers."""


def _summary(row: Any) -> MeasureSummary:
    return MeasureSummary(
        id=row.id,
        stage=row.stage,
        earliest=None if row.earliest == date.min else row.earliest,
        latest=None if row.latest == date.max else row.latest,
        regimes=row.regimes or [],
        count=row.events,
    )


@router.get(
    "/measures",
    summary="Dossiers",
    response_class=Response,
    responses={200: {"model": Page[MeasureSummary]}, **documented(422, 503)},
)
async def list_measures(
    request: Request,
    parameters: Annotated[MeasuresParameters, asked(MeasuresParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """What `measure` accepts: bills, rulings and missions, each with the stage it has reached."""
    knowledge = parameters.known()
    start = await start_key(cursors, "measures", parameters)
    async with register.reading() as connection:
        rows = await measures.measures_page(
            connection, knowledge, parameters.q or "", parameters.limit, start
        )
    found = [(row.id, _summary(row).model_dump_json()) for row in rows]
    return await keyed_page(request, cursors, "measures", parameters, found)


@router.get(
    "/measures/{id}",
    summary="One dossier",
    response_class=Response,
    responses={200: {"model": MeasureDocument}, **documented(404, 422, 503)},
)
async def read_measure(
    request: Request,
    id: Annotated[str, key("id", "ru-suspension-law-2024")],  # noqa: A002 - The contract's name.
    parameters: Annotated[KnownAtParameters, asked(KnownAtParameters)],
    register: Register,
) -> Response:
    """One dossier: its events in order, and the stage reached."""
    knowledge = parameters.known()
    async with register.reading() as connection:
        found = await measures.measure(connection, knowledge, id)
    if found is None:
        raise NotFoundError("There is no measure of this id. /v1/measures lists them.")
    summary = _summary(found.summary).model_dump_json()
    return answer(request, f'{summary[:-1]},"events":[{",".join(found.documents)}]}}')
