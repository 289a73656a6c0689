"""Every failure as `application/problem+json` (RFC 9457), and the one table from errors to status.

A problem says where the fault is and what to do about it. It never shows the exception's own text,
SQL, a stack, or a secret; of what the client sent it repeats at most a short piece of a name.
"""

import json
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api.exchange import EXCHANGE
from app.api.routing import allowed_methods
from app.db.failures import is_disk_full
from app.domain.document import tag_of_revision
from app.domain.errors import (
    BusyError,
    ChanceryError,
    ConflictError,
    DiskFullError,
    Fault,
    FaultyImportError,
    ForbiddenError,
    GoneError,
    MalformedBodyError,
    MalformedHeaderError,
    MergedError,
    NotFoundError,
    OverloadedError,
    PayloadTooLargeError,
    PreconditionFailedError,
    PreconditionRequiredError,
    QuotaError,
    ReadOnlyError,
    RefusedError,
    ThrottledError,
    TooManyExportsError,
    TooManyUploadsError,
    UnauthenticatedError,
    UnavailableError,
    UnmigratedError,
    UnsupportedMediaTypeError,
)
from app.domain.text import place_of

logger = logging.getLogger("chancery")

MEDIA_TYPE = "application/problem+json"
REALM = "chancery"
NOBODYS = "nobodys"
"""Stands for the id of a request in a problem that is made before anybody asks."""


class Sort(NamedTuple):
    """A sort of problem. The codes are stable: clients may go by them."""

    status: int
    code: str
    title: str


STATUS_OF: dict[type[ChanceryError], Sort] = {
    RefusedError: Sort(422, "invalid-request", "The request can't be understood as it stands"),
    FaultyImportError: Sort(422, "faulty-import", "Some rows of the file are faulty"),
    NotFoundError: Sort(404, "not-found", "There is nothing here"),
    ConflictError: Sort(409, "conflict", "This doesn't go with the present state"),
    MergedError: Sort(409, "merged", "This event was merged into another one"),
    GoneError: Sort(410, "gone", "This event was retracted"),
    PreconditionFailedError: Sort(412, "precondition-failed", "Somebody else was faster"),
    PreconditionRequiredError: Sort(428, "precondition-required", "If-Match is missing"),
    UnavailableError: Sort(503, "unavailable", "The register is not available at the moment"),
    ReadOnlyError: Sort(503, "read-only", "The register can't be written to at the moment"),
    OverloadedError: Sort(503, "overloaded", "Too much is asked at the moment"),
    DiskFullError: Sort(503, "disk-full", "There is no room for temporary files"),
    BusyError: Sort(503, "busy", "Others are being served at the moment"),
    TooManyExportsError: Sort(503, "too-many-exports", "Too many exports are under way"),
    UnmigratedError: Sort(503, "unmigrated", "The register is not ready yet"),
    UnauthenticatedError: Sort(401, "unauthenticated", "This needs a key"),
    ForbiddenError: Sort(403, "forbidden", "The key doesn't allow this"),
    ThrottledError: Sort(429, "throttled", "Too much in a short time"),
    TooManyUploadsError: Sort(429, "too-many-uploads", "Too much is being uploaded with this key"),
    QuotaError: Sort(429, "quota-exceeded", "This key has written too often"),
    PayloadTooLargeError: Sort(413, "body-too-large", "The body is too large"),
    UnsupportedMediaTypeError: Sort(
        415, "unsupported-media-type", "The body's format isn't read here"
    ),
    MalformedBodyError: Sort(400, "malformed-body", "The body can't be read"),
    MalformedHeaderError: Sort(400, "malformed-header", "A header can't be read"),
}


def _challenge(error: UnauthenticatedError) -> dict[str, str]:
    # Who has sent no key is told no error code (RFC 6750, section 3.1).
    fault = ', error="invalid_token"' if error.key_sent else ""
    return {"WWW-Authenticate": f'Bearer realm="{REALM}"{fault}'}


def _lacking(error: ForbiddenError) -> dict[str, str]:
    fault = f'error="insufficient_scope", scope="{error.scope}"'
    return {"WWW-Authenticate": f'Bearer realm="{REALM}", {fault}'}


def _readable(error: UnsupportedMediaTypeError) -> dict[str, str]:
    # RFC 9110, section 15.5.16.
    return {"Accept": ", ".join(error.accepted)}


# Error class -> the headers that tell what the body tells, for programs.
HEADERS_OF: dict[type[ChanceryError], Callable[[Any], dict[str, str]]] = {
    UnauthenticatedError: _challenge,
    ForbiddenError: _lacking,
    UnsupportedMediaTypeError: _readable,
}

# What the router reports, with what to do about it.
_HTTP: dict[int, tuple[Sort, str]] = {
    404: (
        STATUS_OF[NotFoundError],
        "No page or operation has this address. /docs shows those that exist.",
    ),
    405: (
        Sort(405, "method-not-allowed", "This can't be done here"),
        "The address exists, but not for this method; the Allow header lists those that work.",
    ),
}


class FaultDocument(BaseModel):
    """One thing that is wrong, where it is and what to do about it."""

    location: str = Field(description="Where: `query`, `path` or `body`.", examples=["query"])
    field: str = Field(description="Which parameter or field.", examples=["country"])
    code: str = Field(description="Which sort of fault; stable.", examples=["unknown_value"])
    message: str = Field(examples=["Kazakstan is no country that the register knows."])
    suggestions: list[str] = Field(
        description="What may be meant instead, the likeliest first.", examples=[["Kazakhstan"]]
    )


class ProblemDocument(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(examples=["urn:chancery:problem:invalid-request"])
    title: str = Field(examples=["The request can't be understood as it stands"])
    status: int = Field(examples=[422])
    code: str = Field(description="The last word of `type`; stable.", examples=["invalid-request"])
    detail: str = Field(description="What is wrong and what to do, in sentences.")
    instance: str = Field(
        description=(
            "This one occurrence: the request, by the id that is the answer's `X-Request-Id` as "
            "well. Whoever runs the service finds it in the log."
        ),
        examples=["urn:chancery:request:5f1c9a3e07d2b846"],
    )
    errors: list[FaultDocument] = Field(
        default=[], description="Where, fault by fault; of very many, the first."
    )
    current: dict[str, Any] | None = Field(
        default=None, description="With 410 and 412: what is there now; its tag is the ETag."
    )


def problem(
    sort: Sort,
    detail: str,
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
    current: str | None = None,
) -> Response:
    """Return the answer that reports a problem; `current` is the JSON text of what is there.

    Its `instance` names the request (RFC 9457, section 3.1.5), so that what somebody reports can
    be found in the log.
    """
    exchange = EXCHANGE.get(None)
    if exchange is not None:
        exchange.problem = sort.code
    document = ProblemDocument(
        type=f"urn:chancery:problem:{sort.code}",
        title=sort.title,
        status=sort.status,
        code=sort.code,
        detail=detail,
        instance=f"urn:chancery:request:{exchange.id if exchange else NOBODYS}",
        errors=[
            FaultDocument(
                location=fault.location,
                field=fault.field,
                code=fault.code,
                message=fault.message,
                suggestions=list(fault.suggestions),
            )
            for fault in faults
        ],
        current=None if current is None else json.loads(current),
    )
    sent = {"Cache-Control": "no-store", **(headers or {})}
    if current is not None:
        sent["ETag"] = tag_of_revision(current)
    leave_out = {"current"} if current is None else set()
    return JSONResponse(document.model_dump(exclude=leave_out), sort.status, sent, MEDIA_TYPE)


async def on_chancery_error(_: Request, error: ChanceryError) -> Response:
    """Answer what the domain and the database report."""
    return reported(error)


def reported(error: ChanceryError) -> Response:
    """Return the problem that an error of ours is."""
    sort = sort_of(error)
    faults = error.faults if isinstance(error, RefusedError) else ()
    current = getattr(error, "current", None)
    return problem(sort, str(error), faults, _headers(error), current)


def sort_of(error: ChanceryError) -> Sort:
    """Return what sort of problem an error is, and note for the log what is behind it.

    What a client has sent is no fault of the service's, and the log doesn't repeat it.
    """
    sort = STATUS_OF[type(error)]
    if error.__cause__ and sort.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        EXCHANGE.get().reason = error.__cause__
    return sort


def _headers(error: ChanceryError) -> dict[str, str]:
    headers = HEADERS_OF.get(type(error), lambda _: {})(error)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return headers


async def on_os_error(_: Request, error: OSError) -> Response:
    """Answer what a full disk keeps from being done; anything else is a fault of our own."""
    if not is_disk_full(error):
        raise error
    full = DiskFullError()
    full.__cause__ = error
    return reported(full)


async def on_invalid_parameters(_: Request, error: RequestValidationError) -> Response:
    """Answer parameters that FastAPI and Pydantic refuse."""
    return reported(RefusedError(*(fault_of(each) for each in error.errors())))


def fault_of(error: dict[str, Any]) -> Fault:
    """Return the fault for one of Pydantic's errors; its input is never repeated."""
    location, *path = error["loc"]
    context = error.get("ctx", {})
    return Fault(
        location=str(location),
        field=place_of(path),
        code=error["type"],
        message=error["msg"].removeprefix("Value error, "),
        suggestions=tuple(context.get("suggestions", ())),
    )


async def on_http_error(request: Request, error: HTTPException) -> Response:
    """Answer what the router reports: no such path, no such method, and the like."""
    other = Sort(error.status_code, "http-error", "The request can't be answered")
    sort, detail = _HTTP.get(error.status_code, (other, "See /docs for what can be asked."))
    headers = dict(error.headers or {})
    if error.status_code == 405:  # noqa: PLR2004
        headers["Allow"] = ", ".join(allowed_methods(request.app, request.scope))
    return problem(sort, detail, headers=headers)


def unexpected() -> Response:
    """Return the answer for a fault of our own; the log has the rest."""
    return problem(
        Sort(500, "internal-error", "Something went wrong on our side"),
        "The request was not carried out. Please report it if it happens again.",
    )
