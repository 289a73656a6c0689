"""Whether the service lives, and whether it can answer."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from app.api.problems import documented
from app.api.state import Register
from app.db.schema import check_schema

router = APIRouter(tags=["Health"])


class HealthDocument(BaseModel):
    """How the service is."""

    status: str


def _healthy(word: str) -> Response:
    content = HealthDocument(status=word).model_dump_json()
    headers = {"Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type="application/json")


@router.get(
    "/livez",
    summary="Is the process alive?",
    response_class=Response,
    responses={200: {"model": HealthDocument}},
)
async def livez() -> Response:
    """Answers as long as the process does; asks nothing of the database."""
    return _healthy("alive")


@router.get(
    "/readyz",
    summary="Can it answer questions?",
    response_class=Response,
    responses={200: {"model": HealthDocument}, **documented(503)},
)
async def readyz(register: Register) -> Response:
    """Answers 200 when the database can be reached and its schema is one that will do."""
    async with register.reading() as connection:
        await check_schema(connection, newer_will_do=True)
    return _healthy("ready")
