"""Every failure as `application/problem+json` (RFC 9457), and the one table from errors to status.

A problem says where the fault is and what to do about it. It never shows the exception's own text,
SQL, a stack, or a secret; of what the client sent it repeats at most a short piece of a name.
"""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api.routing import allowed_methods
from app.domain.errors import (
    ChanceryError,
    Fault,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnmigratedError,
)

logger = logging.getLogger("chancery")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

# Error class -> status, code and title. The codes are stable: clients may go by them.
STATUS_OF: dict[type[ChanceryError], tuple[int, str, str]] = {
    RefusedError: (422, "invalid-request", "The request can't be understood as it stands"),
    NotFoundError: (404, "not-found", "There is nothing here"),
    UnavailableError: (503, "unavailable", "The register is not available at the moment"),
    UnmigratedError: (503, "unmigrated", "The register is not ready yet"),
}

_HTTP: dict[int, tuple[str, str, str]] = {
    404: (
        "not-found",
        "There is nothing here",
        "No page or operation has this address. /docs shows those that exist.",
    ),
    405: (
        "method-not-allowed",
        "This can't be done here",
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
    errors: list[FaultDocument] = Field(default=[], description="Where, fault by fault.")


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the answer that reports a problem."""
    document = ProblemDocument(
        type=f"urn:chancery:problem:{code}",
        title=title,
        status=status,
        code=code,
        detail=detail,
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
    )
    fixed = {"Cache-Control": "no-store"}
    return JSONResponse(document.model_dump(), status, fixed | (headers or {}), MEDIA_TYPE)


async def on_chancery_error(_: Request, error: ChanceryError) -> Response:
    """Answer what the domain and the database report."""
    status, code, title = STATUS_OF[type(error)]
    faults = error.faults if isinstance(error, RefusedError) else ()
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None  # noqa: PLR2004
    return problem(status, code, title, str(error), faults, headers)


async def on_invalid_parameters(_: Request, error: RequestValidationError) -> Response:
    """Answer parameters that FastAPI and Pydantic refuse."""
    refused = RefusedError(*(fault_of(each) for each in error.errors()))
    return await on_chancery_error(_, refused)


def fault_of(error: dict[str, Any]) -> Fault:
    """Return the fault for one of Pydantic's errors; its input is never repeated."""
    location, *path = error["loc"]
    context = error.get("ctx", {})
    return Fault(
        location=str(location),
        field=".".join(str(part) for part in path),
        code=error["type"],
        message=error["msg"].removeprefix("Value error, "),
        suggestions=tuple(context.get("suggestions", ())),
    )


async def on_http_error(request: Request, error: HTTPException) -> Response:
    """Answer what the router reports: no such path, no such method, and the like."""
    known = ("http-error", "The request can't be answered", "See /docs for what can be asked.")
    code, title, detail = _HTTP.get(error.status_code, known)
    headers = dict(error.headers or {})
    if error.status_code == 405:  # noqa: PLR2004
        headers["Allow"] = ", ".join(allowed_methods(request.app, request.scope))
    return problem(error.status_code, code, title, detail, headers=headers)


def unexpected() -> Response:
    """Return the answer for a fault of our own; the log has the rest."""
    return problem(
        500,
        "internal-error",
        "Something went wrong on our side",
        "The request was not carried out. Please report it if it happens again.",
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what FastAPI needs to describe these problems in an operation's answers."""
    titles = {
        404: "There is nothing of that name.",
        422: "A parameter can't be understood: the problem names it and suggests the right one.",
        503: "The database is away; try again after `Retry-After` seconds.",
    }
    return {status: problem_response(titles[status]) for status in statuses}


def problem_response(description: str) -> dict[str, Any]:
    """Return how OpenAPI describes an answer that is a problem."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
