"""Writing events: record, replace, correct, retract, restore, merge.

A route reads its body by itself, after the key was checked, and answers after the transaction has
been committed: what was answered with 2xx is durable, and an error has written nothing.
"""

from fastapi import APIRouter, Request, Response

from app.api.auth import Editor
from app.api.body import json_body
from app.api.links import base_url
from app.api.parameters import Unasked
from app.api.preconditions import MAY_MATCH, MUST_MATCH, header, if_match, if_none_match
from app.api.problem_responses import documented
from app.api.routes.events import EventId
from app.api.statement import (
    Body,
    EventBody,
    Nothing,
    Reason,
    Survivor,
    event_facts,
    facts_of,
    faults_in_body,
    schema_of,
    slug,
    split,
)
from app.api.writing import writing, written
from app.commands import correct, idempotency, journal, merge, record, retract
from app.commands.correct import Outcome
from app.commands.idempotency import Given
from app.commands.revise import Author, State, state
from app.db.connections import WriteConnection
from app.domain.document import EventDocument, TombstoneDocument
from app.domain.errors import Fault, RefusedError
from app.domain.event import EventFacts
from app.domain.stated import without_derived

router = APIRouter(prefix="/v1", tags=["Editing"])

MERGE_PATCH = "application/merge-patch+json"
_LONGEST_KEY = 255
_REPEATABLE = {
    "parameters": [
        header("Idempotency-Key", f"Up to {_LONGEST_KEY} characters of your own for this request.")
    ]
}
_CHANGE_PROBLEMS = documented(400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 428, 429, 503)


def _location(request: Request, event: str) -> dict[str, str]:
    return {"Location": f"{base_url(request)}/v1/events/{event}"}


async def _shown(connection: WriteConnection, event: str) -> str:
    found: State | None = await state(connection, event)
    assert found is not None  # noqa: S101 - It was written in this transaction.
    return found.shown


@router.post(
    "/events",
    summary="Record an event",
    status_code=201,
    response_class=Response,
    responses={201: {"model": EventDocument}, **documented(400, 401, 403, 413, 415, 422, 429, 503)},
    openapi_extra=schema_of(EventBody) | _REPEATABLE,
)
async def record_event(editor: Editor, request: Request, _: Unasked) -> Response:
    """Record an event under an id made from its title and date.

    An `id` in the body, as one has that was read, is passed over: to choose it, use PUT.
    With `Idempotency-Key` the same request, sent again within a day, records nothing more and gets
    the first answer.
    """
    sent = await json_body(request)
    body, note = split(sent, "id")
    facts, author = event_facts(body), Author(editor.name, note)
    repeatable = _repeatable(request, editor.key_id, sent)
    async with writing(request, editor) as connection:
        given = await _recorded_once(connection, facts, author, repeatable)
    return written(given.document, 201, _location(request, given.event))


def _repeatable(request: Request, api_key: str, body: Body) -> idempotency.Request | None:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        message = f"Write one key of 1 to {_LONGEST_KEY} printable characters."
        raise RefusedError(Fault("header", "Idempotency-Key", "invalid_key", message))
    return idempotency.Request(api_key, request.url.path, key, body)


async def _recorded_once(
    connection: WriteConnection,
    facts: EventFacts,
    author: Author,
    repeatable: idempotency.Request | None,
) -> Given:
    await journal.lock(connection)
    if repeatable is not None:
        before = await idempotency.given(connection, repeatable)
        if before is not None:
            await journal.repeat_change(connection)
            return before
    event = await record.free_id(connection, facts)
    await record.record(connection, event, facts, author)
    given = Given(event, await _shown(connection, event))
    if repeatable is not None:
        await idempotency.keep(connection, repeatable, given)
    return given


@router.put(
    "/events/{id}",
    summary="Record under your own id, or replace",
    response_class=Response,
    responses={
        200: {"model": EventDocument, "description": "Replaced, or nothing had to change."},
        201: {"model": EventDocument, "description": "Recorded."},
        **_CHANGE_PROBLEMS,
    },
    openapi_extra=schema_of(EventBody) | MAY_MATCH,
)
async def put_event(
    editor: Editor,
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    _: Unasked,
) -> Response:
    """Record an event under your own id; or replace it, which needs `If-Match`.

    Sending what is there already changes nothing, with or without `If-Match`.
    """
    body, note = split(await json_body(request), "id", slug(id))
    facts, author = event_facts(body), Author(editor.name, note)
    async with writing(request, editor) as connection:
        outcome = await correct.put(
            connection, id, facts, if_match(request), author, unless=if_none_match(request)
        )
        shown = await _shown(connection, id)
    if outcome is Outcome.RECORDED:
        return written(shown, 201, _location(request, id))
    return written(shown)


@router.patch(
    "/events/{id}",
    summary="Correct",
    response_class=Response,
    responses={200: {"model": EventDocument}, **_CHANGE_PROBLEMS},
    openapi_extra=schema_of(EventBody, MERGE_PATCH, "application/json") | MUST_MATCH,
)
async def correct_event(
    editor: Editor,
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    _: Unasked,
) -> Response:
    """Correct an event by a merge patch (RFC 7396): what is sent changes, null takes away.

    Lists are replaced whole. Needs `If-Match`.
    """
    body, note = split(await json_body(request, also=(MERGE_PATCH,)), "id", id)
    changes, author = without_derived(body), Author(editor.name, note)
    async with writing(request, editor) as connection:
        with faults_in_body():
            await correct.patch(connection, id, changes, if_match(request), author)
        shown = await _shown(connection, id)
    return written(shown)


@router.post(
    "/events/{id}/retract",
    summary="Retract",
    response_class=Response,
    responses={200: {"model": TombstoneDocument}, **_CHANGE_PROBLEMS},
    openapi_extra=schema_of(Reason) | MUST_MATCH,
)
async def retract_event(
    editor: Editor,
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    _: Unasked,
) -> Response:
    """Take an event out of the register, with a reason. Needs `If-Match`.

    A reversal in the real world is a new event, not a retraction.
    """
    body, note = split(await json_body(request))
    reason, author = facts_of(Reason, body).reason, Author(editor.name, note)
    async with writing(request, editor) as connection:
        await retract.retract(connection, id, if_match(request), author, reason)
        shown = await _shown(connection, id)
    return written(shown)


@router.post(
    "/events/{id}/restore",
    summary="Restore",
    response_class=Response,
    responses={200: {"model": EventDocument}, **_CHANGE_PROBLEMS},
    openapi_extra=schema_of(Nothing) | MUST_MATCH,
)
async def restore_event(
    editor: Editor,
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    _: Unasked,
) -> Response:
    """Put a retracted event back as it was. Needs `If-Match` with the tombstone's tag."""
    body, note = split(await json_body(request, may_be_empty=True))
    facts_of(Nothing, body)
    async with writing(request, editor) as connection:
        await retract.restore(connection, id, if_match(request), Author(editor.name, note))
        shown = await _shown(connection, id)
    return written(shown)


@router.post(
    "/events/{id}/merge",
    summary="Merge a duplicate into another event",
    response_class=Response,
    responses={200: {"model": TombstoneDocument}, **_CHANGE_PROBLEMS},
    openapi_extra=schema_of(Survivor) | MUST_MATCH,
)
async def merge_event(
    editor: Editor,
    request: Request,
    id: EventId,  # noqa: A002 - The contract's name.
    _: Unasked,
) -> Response:
    """Fold a duplicate into another event, where its address leads from then on.

    Needs `If-Match`.
    """
    body, note = split(await json_body(request))
    into = facts_of(Survivor, body).into
    async with writing(request, editor) as connection:
        await merge.merge(connection, id, into, if_match(request), Author(editor.name, note))
        shown = await _shown(connection, id)
    return written(shown)
