"""Parties: states by their codes, and anybody else by a slug."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.auth import Editor
from app.api.body import json_body
from app.api.conditional import answer
from app.api.cursor import Cursors
from app.api.parameters import Unasked, asked
from app.api.preconditions import SEEN, check_seen
from app.api.problems import documented
from app.api.reference import ListParameters, Page, key, keyed_page, start_key
from app.api.state import Register
from app.api.statement import PartyBody, facts_of, schema_of, split
from app.api.writing import writing, written
from app.commands import journal
from app.commands.parties import put_party as put
from app.commands.revise import Author
from app.domain import territories
from app.domain.errors import NotFoundError
from app.domain.names import fold
from app.domain.reference import PartyFacts
from app.queries import reference

router = APIRouter(prefix="/v1", tags=["Reference"])


class PartyDocument(BaseModel):
    """Somebody who acts or is acted upon."""

    id: str = Field(examples=["taliban"])
    name: str = Field(examples=["Taliban"])
    kind: str = Field(
        description="`state` is any party named by its territory's code, whatever its status.",
        examples=["organisation"],
    )
    country: str | None = Field(description="The territory or bloc it belongs to.", examples=["AF"])
    aliases: list[str] = Field(examples=[["Талибан", "طالبان", "Taleban"]])


def _json(row: Any) -> str:
    territory = territories.territories().get(row.id)
    aliases = [*row.aliases, *(territory.aliases if territory else ())]
    return PartyDocument(
        id=row.id, name=row.name, kind=row.kind, country=row.country, aliases=aliases
    ).model_dump_json()


@router.get(
    "/parties",
    summary="Parties",
    response_class=Response,
    responses={200: {"model": Page[PartyDocument]}, **documented(422, 503)},
)
async def list_parties(
    request: Request,
    parameters: Annotated[ListParameters, asked(ListParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """What `party`, `actor` and `subject` accept: states, governments, organisations, persons.

    The Taliban, their government and the state of Afghanistan are three parties.
    """
    wanted = fold(parameters.q or "")
    places = [
        each.code
        for each in territories.territories().values()
        if wanted and any(wanted in fold(alias) for alias in each.aliases)
    ]
    start = await start_key(cursors, "parties", parameters)
    async with register.reading() as connection:
        rows = await reference.parties_page(connection, wanted, places, parameters.limit, start)
    found = [(row.id, _json(row)) for row in rows]
    return await keyed_page(request, cursors, "parties", parameters, found)


@router.get(
    "/parties/{id}",
    summary="One party",
    response_class=Response,
    responses={200: {"model": PartyDocument}, **documented(404, 422, 503)},
)
async def read_party(
    request: Request,
    id: Annotated[str, key("id", "taliban")],  # noqa: A002 - The contract's name.
    register: Register,
    _: Unasked,
) -> Response:
    """One party with its names."""
    async with register.reading() as connection:
        row = await reference.party(connection, id)
    if row is None:
        raise NotFoundError("There is no party of this id. /v1/parties lists them.")
    return answer(request, _json(row))


@router.put(
    "/parties/{id}",
    tags=["Editing"],
    summary="Record or change a party",
    response_class=Response,
    responses={
        200: {"model": PartyDocument, "description": "Changed, or nothing had to change."},
        201: {"model": PartyDocument, "description": "Recorded."},
        **documented(400, 401, 403, 412, 413, 415, 422, 429, 503),
    },
    openapi_extra=schema_of(PartyBody) | SEEN,
)
async def put_party(
    editor: Editor,
    request: Request,
    id: Annotated[str, key("id", "taliban")],  # noqa: A002 - The contract's name.
    _: Unasked,
) -> Response:
    """Record a party, or change what it is called and where it belongs.

    Documents that show its name are made anew; the past keeps the names of its time.
    """
    body, note = split(await json_body(request), "id", id)
    party = facts_of(PartyFacts, {**body, "id": id})
    # A name may stand in very many documents, which are made anew.
    async with writing(request, editor, much=True) as connection:
        # The lock keeps what was seen as it is until it is changed.
        await journal.lock(connection)
        before = await reference.party(connection, id)
        check_seen(request, None if before is None else _json(before))
        new = await put(connection, party, Author(editor.name, note))
        row = await reference.party(connection, id)
    return written(_json(row), 201 if new else 200)
