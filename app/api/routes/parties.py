"""Parties: states by their codes, and anybody else by a slug."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.api.auth import Editor
from app.api.body import json_body
from app.api.conditional import answer_document
from app.api.cursor import Cursors
from app.api.parameters import Unasked, asked
from app.api.preconditions import SEEN, check_seen
from app.api.problem_responses import documented
from app.api.reference import ListParameters, Page, key, keyed_page, start_key
from app.api.reference_documents import PartyDocument, party_json
from app.api.state import Register
from app.api.statement import PartyBody, reference_facts_of, schema_of, split
from app.api.writing import note_change, writing, written
from app.commands import journal
from app.commands.keys import hold_key
from app.commands.parties import hold_party, move_party
from app.commands.parties import put_party as put
from app.commands.revise import Author
from app.domain import territories
from app.domain.errors import ManyEventsError, NotFoundError
from app.domain.names import fold
from app.domain.reference import PartyFacts
from app.queries import reference

router = APIRouter(prefix="/v1", tags=["Reference"])


def _json(row: Any) -> str:
    return party_json(row.id, row.revision, row._asdict())


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
    return answer_document(request, _json(row))


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
    register: Register,
    _: Unasked,
) -> Response:
    """Record a party, or change what it is called and where it belongs.

    Every event that names it shows that at once, under an unchanged `revision`; the past keeps the
    names of its time. /v1/changes tells of it.
    """
    body, note = split(await json_body(request), "id", id)
    party = reference_facts_of(PartyFacts, {**body, "id": id})
    author = Author(editor.name, note)
    try:
        async with writing(request, editor) as connection:
            # The lock keeps what was seen as it is until it is changed.
            await journal.lock(connection)
            before = await reference.party(connection, id)
            check_seen(request, None if before is None else _json(before))
            new = await put(connection, party, author)
            row = await reference.party(connection, id)
    except ManyEventsError:
        # It is counted by itself, even if it fails: the key's others needn't wait for this one.
        async with writing(request, editor):
            pass
        async with register.writing() as connection:
            await hold_party(connection, id)
            check_seen(request, _json(await reference.party(connection, id)))
            await move_party(connection, party, author)
            await hold_key(connection, editor.key_id)
            row, new = await reference.party(connection, id), False
            change = journal.change_of(connection)
        note_change(request, change)
    return written(_json(row), 201 if new else 200)
