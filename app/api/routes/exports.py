"""Taking events away: the same filter as the list, all events that match, in one file."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Request, Response

from app.api.conditional import answer
from app.api.filters import EventParameters
from app.api.formats.asked import Asked
from app.api.formats.atom import MAX_ENTRIES, feed
from app.api.formats.columns import dictionary
from app.api.formats.csv import Csv
from app.api.formats.download import download, finished, while_connected
from app.api.formats.event_columns import EVENT_COLUMNS, event_row
from app.api.formats.ics import Calendar
from app.api.formats.jsonl import JsonLines
from app.api.formats.registry import (
    ATOM,
    CALENDAR,
    CSV,
    JSON_LINES,
    TIMELINE_JS,
    XLSX,
    Format,
    described,
)
from app.api.formats.timelinejs import Timeline, TimelineJs
from app.api.formats.writer import each, written
from app.api.formats.xlsx import MAX_ROWS, Xlsx, build
from app.api.parameters import asked
from app.api.resolve import resolve
from app.api.state import Closing, Register
from app.db.engine import Database
from app.domain.errors import Fault, RefusedError
from app.queries.events import Question, Sort, events_page
from app.queries.export import are_more_than, event_batches

router = APIRouter(prefix="/v1", tags=["Downloads"])

_ALL = "A file has all events that match, not a page of them: leave it out."


class ExportParameters(EventParameters):
    """The parameters of every file of events."""

    elsewhere: ClassVar = {"limit": _ALL, "cursor": _ALL, "include": _ALL}


@dataclass(frozen=True, slots=True)
class Export:
    """One request for a file: what is asked, and what is needed to answer."""

    request: Request
    register: Database
    closing: Closing
    question: Question
    asked: Asked

    async def batches(self, most: int | None = None) -> AsyncGenerator[Sequence[str], None]:
        """Yield all documents that match, as they are at one moment.

        Raises:
            RefusedError: there are more than `most`.

        """
        async with self.register.streaming() as connection:
            if most is not None and await are_more_than(connection, self.question, most):
                raise self._too_many(most)
            async with aclosing(event_batches(connection, self.question)) as batches:
                async for documents in batches:
                    yield documents

    def _too_many(self, most: int) -> RefusedError:
        table = self.asked.address(CSV.extension)
        message = (
            f"More than {most:,} events match, and such a file has no room for them: narrow the "
            f"filter, or take them as CSV from {table}"
        )
        return RefusedError(Fault("path", "events.xlsx", "too_many_rows", message, (table,)))

    async def send(self, pieces: AsyncGenerator[bytes, None], form: Format) -> Response:
        """Return the answer that sends these pieces."""
        name = self.asked.file_name(form.extension)
        return await download(self.request, self.closing, pieces, form, name)


async def _export(
    request: Request,
    parameters: Annotated[ExportParameters, asked(ExportParameters)],
    register: Register,
    closing: Closing,
) -> Export:
    """Understand a request before anything is begun.

    What must be waited for is waited for here: a transaction sees nothing that is committed after
    it began, and must not hold what writers wait for.
    """
    sort, knowledge = parameters.order(), parameters.known()
    async with register.reading() as connection:
        wanted, understood = await resolve(connection, parameters)
        await knowledge.settle(connection)
    question = Question(wanted, sort, knowledge)
    return Export(request, register, closing, question, Asked.by(request, "events", understood))


Exported = Annotated[Export, Depends(_export)]


@router.get(
    "/events.csv",
    summary="A table (CSV)",
    response_class=Response,
    responses=described(CSV, f"A table with a header.\n\n{dictionary(EVENT_COLUMNS)}"),
)
async def export_csv(export: Exported) -> Response:
    r"""Every event that matches as a row of a table, for any spreadsheet or statistics program.

    Dates stand as they are known (`2023-12~`), with the first and the last possible day beside
    them in `earliest` and `latest`. A cell may hold several entries, separated by `|`. /v1/columns
    explains every column. An editor can correct the file and import it again.

    A cell that a spreadsheet would take for a formula has an apostrophe before it. If this page's
    *Download file* gives you strange letters in Excel, open the *Request URL* itself, or take the
    Excel file. A download that breaks off is incomplete: your browser says so.
    """
    rows = each(partial(event_row, export.asked), export.batches())
    return await export.send(written(Csv(EVENT_COLUMNS), rows), CSV)


@router.get(
    "/events.xlsx",
    summary="An Excel file",
    response_class=Response,
    responses=described(XLSX, "A workbook: the table, and a sheet that says what it is."),
)
async def export_xlsx(export: Exported) -> Response:
    """Every event that matches as an Excel file: sort it, filter it, follow its links.

    A cell is a date only where the day is known; `2023-12~` stays a text. The sheet *About* says
    what was asked, when, and under which licence the words are, and explains every column. There
    is room for 100,000 events; take the CSV file for more.
    """
    folder = export.closing.enter_context(TemporaryDirectory(prefix="chancery-"))
    path = Path(folder) / "events.xlsx"
    documents = while_connected(export.request, export.batches(MAX_ROWS))
    rows = each(partial(event_row, export.asked), documents)
    await build(Xlsx(path, EVENT_COLUMNS, export.asked), rows)
    return finished(export.closing, path, XLSX, export.asked.file_name(XLSX.extension))


@router.get(
    "/events.jsonl",
    summary="A file for programs (JSON Lines)",
    response_class=Response,
    responses=described(JSON_LINES, "One event a line, exactly as /v1/events/{id} serves it."),
)
async def export_jsonl(export: Exported) -> Response:
    """Every event that matches, one JSON document a line, exactly as it is served elsewhere.

    If something goes wrong on the way, or you read nothing for a minute, the connection is cut: the
    transfer is incomplete (there is no last chunk), which every HTTP client reports.
    """
    return await export.send(written(JsonLines(), export.batches()), JSON_LINES)


@router.get(
    "/events.atom",
    summary="A feed to subscribe to (Atom)",
    response_class=Response,
    responses=described(ATOM, "The 200 events recorded or changed last, the newest first."),
)
async def export_atom(export: Exported) -> Response:
    """A feed of whatever you filter for: paste the *Request URL* into a feed reader.

    It holds the 200 events that were recorded or changed last; a corrected event comes up again,
    and one that was retracted is gone. A feed goes by the time of recording, whatever `sort` says.
    """
    question = replace(export.question, sort=Sort.RECENTLY_UPDATED)
    async with export.register.reading() as connection:
        found = await events_page(connection, question, MAX_ENTRIES)
    return answer(export.request, feed(found.documents, export.asked), ATOM.content_type)


@router.get(
    "/events.ics",
    summary="A calendar (iCalendar)",
    response_class=Response,
    responses=described(CALENDAR, "The events whose day is known for certain."),
)
async def export_ics(export: Exported) -> Response:
    """A calendar to import or to subscribe to: every event that matches and has a certain day.

    Events of which only the month or the year is known, or whose day is approximate or uncertain,
    are not in it; the table has them.
    """
    pieces = written(Calendar(export.asked), export.batches())
    return await export.send(pieces, CALENDAR)


@router.get(
    "/events.timelinejs.json",
    summary="A timeline for your own page (TimelineJS)",
    response_class=Response,
    responses=described(TIMELINE_JS, "Slides for TimelineJS.", Timeline),
)
async def export_timelinejs(export: Exported) -> Response:
    """Every event that matches as a slide for Knight Lab's TimelineJS.

    Give TimelineJS the *Request URL* as its source. Dates are as precise as they are known, and
    said in words: “December 2023, approximately”. TimelineJS gets slow and hard to read beyond a
    few hundred slides: narrow the filter.
    """
    pieces = written(TimelineJs(export.asked), export.batches())
    return await export.send(pieces, TIMELINE_JS)
