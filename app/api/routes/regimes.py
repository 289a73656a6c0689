"""Regimes: the lists and legal instruments that designations are made under."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.api.auth import Editor
from app.api.body import json_body
from app.api.conditional import answer_document
from app.api.cursor import Cursors
from app.api.parameters import Unasked, asked
from app.api.preconditions import SEEN, check_seen
from app.api.problem_responses import documented
from app.api.reference import ListParameters, Page, key, keyed_page
from app.api.reference_documents import RegimeDocument, regime_json
from app.api.state import Register
from app.api.statement import RegimeBody, reference_facts_of, schema_of, split
from app.api.writing import writing, written
from app.commands import journal
from app.commands.regimes import put_regime as put
from app.commands.revise import Author
from app.domain.errors import NotFoundError
from app.domain.names import fold
from app.domain.reference import RegimeFacts
from app.queries import reference

router = APIRouter(prefix="/v1", tags=["Reference"])


def _json(row: Any) -> str:
    return regime_json(row.code, row.revision, row._asdict())


@router.get(
    "/regimes",
    summary="Lists and legal instruments",
    response_class=Response,
    responses={200: {"model": Page[RegimeDocument]}, **documented(422, 503)},
)
async def list_regimes(
    request: Request,
    parameters: Annotated[ListParameters, asked(ListParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """What `regime` accepts: the lists, who keeps them, and how an entry leaves them."""
    wanted = fold(parameters.q or "")
    async with register.reading() as connection:
        rows = await reference.regimes(connection)
    found = [
        (row.code, _json(row))
        for row in rows
        if any(wanted in fold(name) for name in (row.code, row.name, *row.aliases))
    ]
    return await keyed_page(request, cursors, "regimes", parameters, found)


@router.get(
    "/regimes/{code}",
    summary="One list or legal instrument",
    response_class=Response,
    responses={200: {"model": RegimeDocument}, **documented(404, 422, 503)},
)
async def read_regime(
    request: Request,
    code: Annotated[str, key("code", "RU-UFL")],
    register: Register,
    _: Unasked,
) -> Response:
    """One regime with its legal basis and the way off it."""
    async with register.reading() as connection:
        row = await reference.regime(connection, code)
    if row is None:
        raise NotFoundError("There is no regime of this code. /v1/regimes lists them.")
    return answer_document(request, _json(row))


@router.put(
    "/regimes/{code}",
    tags=["Editing"],
    summary="Record or change a regime",
    response_class=Response,
    responses={
        200: {"model": RegimeDocument, "description": "Changed, or nothing had to change."},
        201: {"model": RegimeDocument, "description": "Recorded."},
        **documented(400, 401, 403, 412, 413, 415, 422, 429, 503),
    },
    openapi_extra=schema_of(RegimeBody) | SEEN,
)
async def put_regime(
    editor: Editor,
    request: Request,
    code: Annotated[str, key("code", "RU-UFL")],
    _: Unasked,
) -> Response:
    """Record a list or legal instrument, or change what is said of it; what was said is kept."""
    body, note = split(await json_body(request), "code", code)
    regime = reference_facts_of(RegimeFacts, {**body, "code": code})
    async with writing(request, editor) as connection:
        # The lock keeps what was seen as it is until it is changed.
        await journal.lock(connection)
        before = await reference.regime(connection, code)
        check_seen(request, None if before is None else _json(before))
        new = await put(connection, regime, Author(editor.name, note))
        row = await reference.regime(connection, code)
    return written(_json(row), 201 if new else 200)
