"""Whether the service lives, and whether it can answer and be written to."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from app.api.problem_responses import documented
from app.api.state import Register
from app.db.schema import check_schema

router = APIRouter(tags=["Health"])


class HealthDocument(BaseModel):
    """How the service is."""

    status: str = Field(examples=["alive"])


class ReadinessDocument(BaseModel):
    """What the service can do at the moment."""

    status: str = Field(description="`ready`: questions are answered.", examples=["ready"])
    writable: bool = Field(
        description="Whether the register can be written to as well: not where the database is "
        "read-only, as a standby is, or takes no more writes at the moment. Writes then answer 503."
    )


def _healthy(document: BaseModel) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(document.model_dump_json(), headers=headers, media_type="application/json")


@router.get(
    "/livez",
    summary="Is the process alive?",
    response_class=Response,
    responses={200: {"model": HealthDocument}},
)
async def livez() -> Response:
    """Answers as long as the process does; asks nothing of the database."""
    return _healthy(HealthDocument(status="alive"))


@router.get(
    "/readyz",
    summary="Can it answer questions?",
    response_class=Response,
    responses={200: {"model": ReadinessDocument}, **documented(503)},
)
async def readyz(register: Register) -> Response:
    """Answers 200 when the database can be reached and its schema is one that will do.

    A database that can only be read is ready, and `writable` is false.
    """
    async with register.reading() as connection:
        await check_schema(connection, newer_will_do=True)
    return _healthy(ReadinessDocument(status="ready", writable=await register.is_writable()))
