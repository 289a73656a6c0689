"""Territories: the states, places and blocs that people filter by."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, TypeAdapter

from app.api.conditional import answer
from app.api.cursor import Cursors
from app.api.parameters import Unasked, asked
from app.api.problem_responses import documented
from app.api.reference import ListParameters, Page, key, keyed_page
from app.domain import territories
from app.domain.errors import NotFoundError
from app.domain.names import fold
from app.domain.territories import Territory

router = APIRouter(prefix="/v1", tags=["Reference"])


class TerritoryDocument(BaseModel):
    """A state, former state, other place or bloc. The word takes no position on its status."""

    code: str = Field(examples=["KZ"])
    name: str = Field(examples=["Kazakhstan"])
    kind: str = Field(description="`state`, `former_state`, `other` or `bloc`.")
    alpha2: str | None = Field(description="ISO 3166-1 alpha-2.", examples=["KZ"])
    alpha3: str | None = Field(description="ISO 3166-1 alpha-3.", examples=["KAZ"])
    numeric: str | None = Field(description="ISO 3166-1 numeric.", examples=["398"])
    official_name: str | None = Field(examples=["Republic of Kazakhstan"])
    aliases: list[str] = Field(examples=[["Казахстан", "Қазақстан"]])
    members: list[str] = Field(description="A bloc's present members.")
    successors: list[str] = Field(description="A former state's successors.")
    since: str | None
    until: str | None


_DOCUMENT = TypeAdapter(TerritoryDocument)


def _json(territory: Territory) -> str:
    return _DOCUMENT.validate_python(territory, from_attributes=True).model_dump_json()


@router.get(
    "/territories",
    summary="Countries and blocs",
    response_class=Response,
    responses={200: {"model": Page[TerritoryDocument]}, **documented(422, 503)},
)
async def list_territories(
    request: Request,
    parameters: Annotated[ListParameters, asked(ListParameters)],
    cursors: Cursors,
) -> Response:
    """What `country` accepts: every code with its names in many languages.

    A territory is whatever people filter by. The word takes no position on anybody's status.
    """
    wanted = fold(parameters.q or "")
    found = [
        (each.code, _json(each))
        for _, each in sorted(territories.territories().items())
        if any(wanted in fold(name) for name in (each.code, each.name, *each.aliases))
    ]
    return await keyed_page(request, cursors, "territories", parameters, found)


@router.get(
    "/territories/{code}",
    summary="One country or bloc",
    response_class=Response,
    responses={200: {"model": TerritoryDocument}, **documented(404, 422, 503)},
)
async def read_territory(
    request: Request, code: Annotated[str, key("code", "KZ")], _: Unasked
) -> Response:
    """One territory with its names and, for a bloc, its present members."""
    found = territories.territories().get(code)
    if found is None:
        raise NotFoundError("There is no territory of this code. /v1/territories lists them.")
    return answer(request, _json(found))
