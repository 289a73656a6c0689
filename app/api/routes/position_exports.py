"""Taking positions away: the same question as the list, all positions, in one file."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Request, Response

from app.api.conditional import answer
from app.api.formats.asked import Asked
from app.api.formats.csv import Csv
from app.api.formats.download import file_headers
from app.api.formats.jsonl import JsonLines
from app.api.formats.position_columns import POSITION_COLUMNS, PositionRow
from app.api.formats.registry import CSV, JSON_LINES, XLSX, Format, described
from app.api.formats.xlsx import Xlsx, build
from app.api.parameters import asked
from app.api.position_documents import answer_document, json_text
from app.api.positions import PositionParameters, resolve_positions
from app.api.state import Closing, Register
from app.domain.evidence import Answer
from app.queries.knowledge import Recorded
from app.queries.moment import state_of
from app.queries.positions import evidence
from app.queries.reference import reference_facts

router = APIRouter(prefix="/v1", tags=["Downloads"])

_ALL = "A file has all positions, not a page of them: leave it out."


class PositionExportParameters(PositionParameters):
    """The parameters of every file of positions."""

    elsewhere: ClassVar = {"limit": _ALL, "cursor": _ALL}


@dataclass(frozen=True, slots=True)
class Export:
    """One request for a file of positions, answered but not yet written."""

    request: Request
    asked: Asked
    day: str
    answers: Sequence[Answer]
    names: Mapping[str, str]
    as_of: datetime | None

    def rows(self) -> list[PositionRow]:
        """Return what the columns take their cells from."""
        return [PositionRow(each, self.names, self.day) for each in self.answers]

    def sent(self, text: str | bytes, form: Format) -> Response:
        """Return the answer with this text; it is made at once, so it has a tag."""
        headers = file_headers(self.asked.file_name(form.extension))
        return answer(self.request, text, form.content_type, headers)


async def _export(
    request: Request,
    parameters: Annotated[PositionExportParameters, asked(PositionExportParameters)],
    register: Register,
) -> Export:
    knowledge, day = parameters.known(), parameters.day
    # The past is one moment by itself.
    is_past = isinstance(knowledge, Recorded)
    async with register.reading() if is_past else register.reading_one_moment() as connection:
        state = await state_of(connection, knowledge)
        question = await resolve_positions(connection, parameters, as_of=day)
        known = await evidence(connection, question.wanted, knowledge)
        answers = [
            each for each in known.answers(day, question.least) if parameters.fit(each.standing)
        ]
        parties = {party for each in answers for party in each.key[:2]}
        found = await reference_facts(connection, "party", knowledge, parties)
        names = {party: facts["name"] for party, facts in found.items()}
    about = Asked.by(request, "positions", question.shown)
    return Export(request, about, str(day), answers, names, state.instant)


Exported = Annotated[Export, Depends(_export)]


@router.get(
    "/positions.csv",
    summary="Positions as a table (CSV)",
    response_class=Response,
    responses=described(CSV, "A table with a header; /v1/columns explains every column."),
)
async def export_positions_csv(export: Exported) -> Response:
    """Who stood where on a day, each position as a row with names; see *Who stood where*."""
    table = Csv(POSITION_COLUMNS)
    return export.sent(table.begin() + table.write(export.rows()) + table.end(), CSV)


@router.get(
    "/positions.xlsx",
    summary="Positions as an Excel file",
    response_class=Response,
    responses=described(XLSX, "A workbook: the table, and a sheet that says what it is."),
)
async def export_positions_xlsx(export: Exported, closing: Closing) -> Response:
    """Who stood where on a day, each position as a row with names; see *Who stood where*."""
    folder = closing.enter_context(TemporaryDirectory(prefix="chancery-"))
    path = Path(folder) / "positions.xlsx"

    async def whole() -> AsyncGenerator[Sequence[PositionRow], None]:
        yield export.rows()

    book = Xlsx(path, POSITION_COLUMNS, export.asked, export.as_of)
    await build(book, whole(), export.request.state.turn)
    return export.sent(path.read_bytes(), XLSX)


@router.get(
    "/positions.jsonl",
    summary="Positions for programs (JSON Lines)",
    response_class=Response,
    responses=described(JSON_LINES, "One position a line, exactly as /v1/positions has it."),
)
async def export_positions_jsonl(export: Exported) -> Response:
    """Who stood where on a day, one JSON document a line, exactly as the list has it."""
    items = [json_text(answer_document(each)) for each in export.answers]
    return export.sent(JsonLines().write(items), JSON_LINES)
