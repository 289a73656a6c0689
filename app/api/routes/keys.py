"""Keys of the editors, for those who hand them out: a key of scope `admin` is needed for all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response, Security
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema

from app.api.auth import Admin, identify
from app.api.body import json_body
from app.api.cursor import Cursors
from app.api.instants import instant_of
from app.api.links import base_url
from app.api.pages import page
from app.api.parameters import PageModel, Unasked, asked, fault
from app.api.problem_responses import documented
from app.api.reference import Page, key
from app.api.state import Register
from app.api.statement import faults_in_body
from app.api.writing import writing
from app.commands.keys import create_key, revoke_key
from app.domain.document import Instant
from app.domain.errors import NotFoundError
from app.domain.keys import KeyInfo, Scope
from app.domain.text import Line, Slug
from app.queries import keys, question

router = APIRouter(
    prefix="/v1/keys",
    tags=["Keys"],
    # The first dependency of each operation, so that nothing is looked at before the key.
    dependencies=[Security(identify, scopes=[Scope.ADMIN])],
    responses=documented(401, 403, 429, 503),
)

_QUESTION: Mapping[str, Any] = {"of": "keys"}
_POSITION: TypeAdapter[tuple[datetime, str]] = TypeAdapter(tuple[question.Instant, Slug])
# Who may hand out keys is nobody else's business, so no cache keeps the answers.
_PRIVATE = {"Cache-Control": "no-store"}

PublicId = Annotated[str, key("id", "k3v9x1qa")]


class KeyDocument(BaseModel):
    """What is known of a key; never the key itself."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description="The second word of the key.", examples=["k3v9x1qa"])
    name: str = Field(description="Who has it, or what for.", examples=["Newsroom import"])
    scopes: list[str] = Field(examples=[["edit"]])
    created_at: Instant
    expires_at: Instant | None = Field(description="Null if it doesn't expire.")
    last_used_at: Instant | None = Field(description="To the minute; null if it never was.")
    revoked_at: Instant | None = Field(description="Null if it wasn't.")


class CreatedKeyDocument(KeyDocument):
    """A new key, shown this once."""

    key: str = Field(description="The key: keep it now, for it can't be shown again.")


class KeyParameters(PageModel):
    """The parameters of the list of keys."""


def _some_instant(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise fault("Write an instant such as 2026-11-23T10:00:00Z.", code="invalid_instant")
    return instant_of(value, at_end=True)


# Written out, so that the schema stands by itself.
_SCOPE = {"type": "string", "enum": [scope.value for scope in Scope]}


class NewKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "Newsroom", "scopes": ["edit"]}}
    )

    name: Line = Field(description="Who will have it, or what for; shown with what it writes.")
    scopes: set[Annotated[Scope, WithJsonSchema(_SCOPE)]] = Field(
        min_length=1, description="What it allows: neither scope includes the other."
    )
    expires_at: Annotated[datetime | None, BeforeValidator(_some_instant)] = Field(
        default=None,
        description="An instant, or a day, at whose end (in UTC) it expires; null for never.",
    )


_NEW_KEY = {
    "required": True,
    "content": {"application/json": {"schema": NewKey.model_json_schema()}},
}


@router.get(
    "", summary="Keys", response_class=Response, responses={200: {"model": Page[KeyDocument]}}
)
async def list_keys(
    request: Request,
    parameters: Annotated[KeyParameters, asked(KeyParameters)],
    register: Register,
    cursors: Cursors,
) -> Response:
    """All keys, newest first, also those that have expired or were revoked."""
    after = await cursors.decode(parameters.cursor, _QUESTION, _POSITION)
    async with register.reading() as connection:
        found = await keys.keys_page(connection, parameters.limit, after)
    shown = found[: parameters.limit]
    last = [shown[-1].created_at, shown[-1].id] if len(found) > len(shown) else None
    answer = page(request, map(_json, shown), await cursors.encode(last, _QUESTION))
    answer.headers.update(_PRIVATE)
    return answer


@router.post(
    "",
    summary="Make a key",
    status_code=201,
    response_class=Response,
    responses={
        201: {
            "model": CreatedKeyDocument,
            "headers": {"Location": {"description": "Its address.", "schema": {"type": "string"}}},
        },
        **documented(400, 413, 415, 422),
    },
    openapi_extra={"requestBody": _NEW_KEY},
)
async def make_key(admin: Admin, request: Request, _: Unasked) -> Response:
    """Makes a key and shows it, this once: only a digest of it is kept."""
    body = await json_body(request)
    with faults_in_body():
        wanted = NewKey.model_validate(body)
    async with writing(request, admin) as connection:
        text, info = await create_key(connection, wanted.name, wanted.scopes, wanted.expires_at)
    known = KeyDocument.model_validate(info).model_dump()
    return Response(
        CreatedKeyDocument(**known, key=text).model_dump_json(),
        status_code=201,
        headers={"Location": f"{base_url(request)}{router.prefix}/{info.id}", **_PRIVATE},
        media_type="application/json",
    )


@router.get(
    "/{id}",
    summary="One key",
    response_class=Response,
    responses={200: {"model": KeyDocument}, **documented(404, 422)},
)
async def read_key(
    id: PublicId,  # noqa: A002 - The contract's name.
    register: Register,
    _: Unasked,
) -> Response:
    """What is known of one key."""
    async with register.reading() as connection:
        info = await keys.key(connection, id)
    if info is None:
        raise NotFoundError("There is no key of this id. /v1/keys lists them.")
    return Response(_json(info), headers=_PRIVATE, media_type="application/json")


@router.delete(
    "/{id}",
    summary="Revoke a key",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "It is revoked."}, **documented(404)},
)
async def delete_key(
    admin: Admin,
    request: Request,
    id: PublicId,  # noqa: A002 - The contract's name.
    _: Unasked,
) -> Response:
    """Revokes a key at once and for ever. Revoking it again changes nothing."""
    async with writing(request, admin) as connection:
        await revoke_key(connection, id)
    return Response(status_code=204, headers=_PRIVATE)


def _json(info: KeyInfo) -> str:
    return KeyDocument.model_validate(info).model_dump_json()
