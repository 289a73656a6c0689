"""The data dictionary: what the columns of the tables that can be taken away mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.conditional import answer
from app.api.formats.columns import MEANING_OF_SHAPE, Column
from app.api.formats.event_columns import EVENT_COLUMNS
from app.api.formats.position_columns import POSITION_COLUMNS
from app.api.parameters import Unasked
from app.api.problem_responses import documented

router = APIRouter(prefix="/v1", tags=["Downloads"])

TABLES: Mapping[str, Sequence[Column[Any]]] = {
    "events": EVENT_COLUMNS,
    "positions": POSITION_COLUMNS,
}


class ColumnDocument(BaseModel):
    """One column."""

    table: str = Field(description="In which table.", examples=["events"])
    name: str = Field(description="As the header has it.", examples=["date"])
    type: str = Field(description="How its cells are written; see `types`.", examples=["date"])
    description: str


class ColumnsDocument(BaseModel):
    """All columns in their order, and how their cells are written."""

    items: list[ColumnDocument]
    types: dict[str, str] = Field(description="What a `type` means.")


@router.get(
    "/columns",
    summary="What the columns mean",
    response_class=Response,
    responses={200: {"model": ColumnsDocument}, **documented(422, 503)},
)
async def list_columns(request: Request, _: Unasked) -> Response:
    """The data dictionary: every column of the CSV and Excel files, and what stands in it."""
    listed = [
        ColumnDocument(
            table=table, name=column.name, type=column.shape, description=column.description
        )
        for table, columns in TABLES.items()
        for column in columns
    ]
    document = ColumnsDocument(items=listed, types=dict(MEANING_OF_SHAPE))
    return answer(request, document.model_dump_json())
