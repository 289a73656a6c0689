"""Taking events away: the same filter as the list, all events that match, in one file."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Request, Response

from app import __version__
from app.api.conditional import answer, matches
from app.api.filters import EventParameters
from app.api.formats.asked import Asked
from app.api.formats.atom import MAX_ENTRIES, feed
from app.api.formats.columns import dictionary
from app.api.formats.csv import Csv
from app.api.formats.download import (
    begun,
    download,
    file_headers,
    finished,
    while_connected,
)
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
from app.api.layers.envelope import WITHOUT_BODY
from app.api.parameters import asked
from app.api.resolve import resolve
from app.api.state import Closing, Register
from app.db.connections import MomentConnection, ReadConnection
from app.db.engine import Database
from app.domain.document import tag_of
from app.domain.errors import Fault, RefusedError
from app.queries.events import events_page
from app.queries.export import are_more_than, event_batches
from app.queries.moment import State, state_of
from app.queries.question import Question, Sort

router = APIRouter(prefix="/v1", tags=["Downloads"])

_ALL = "A file has all events that match, not a page of them: leave it out."


class ExportParameters(EventParameters):
    """The parameters of every file of events."""

    elsewhere: ClassVar = {"limit": _ALL, "cursor": _ALL, "include": _ALL}


@dataclass(slots=True)
class Export:
    """One request for a file: what is asked, and what is needed to answer."""

    request: Request
    register: Database
    closing: Closing
    question: Question
    asked: Asked
    # Known as soon as anything is read.
    state: State = field(init=False)

    @asynccontextmanager
    async def _seen(self) -> AsyncIterator[MomentConnection]:
        async with self.register.streaming() as connection:
            self.state = await state_of(connection, self.question.knowledge)
            yield connection

    async def batches(self) -> AsyncGenerator[Sequence[str], None]:
        """Yield all documents that match, as they are at one moment."""
        async with (
            self._seen() as connection,
            aclosing(event_batches(connection, self.question)) as batches,
        ):
            async for documents in batches:
                yield documents

    async def send(self, pieces: AsyncGenerator[bytes, None], form: Format) -> Response:
        """Return the answer that sends these pieces, unless none of them is wanted."""
        if (answered := await self._without_body(form)) is not None:
            return answered
        begins = await begun(self.closing, pieces, self.request.state.turn)
        return download(begins, form, self._headers(form))

    async def workbook(self) -> Response:
        """Return the answer that sends an Excel file, which is made before.

        Raises:
            RefusedError: there are more events than it has room for.

        """
        if (answered := await self._without_body(XLSX)) is not None:
            return answered
        folder = self.closing.enter_context(TemporaryDirectory(prefix="chancery-"))
        path = Path(folder) / "events.xlsx"
        async with self._seen() as connection:
            await self._check_room(connection)
            documents = event_batches(connection, self.question)
            read = partial(event_row, self.asked)
            book = Xlsx(path, EVENT_COLUMNS, self.asked, self.state.instant)
            rows = each(read, while_connected(self.request, documents))
            await build(book, rows, self.request.state.turn)
        return finished(self.closing, path, XLSX, self._headers(XLSX))

    async def _without_body(self, form: Format) -> Response | None:
        """Return the answer to who has the file already or only asks about it, else None.

        No event is read for it, and it takes no stream's place.
        """
        tags = self.request.headers.getlist("if-none-match")
        is_head = self.request.scope.get(WITHOUT_BODY)
        if not tags and not is_head:
            return None
        async with self.register.reading() as connection:
            self.state = await state_of(connection, self.question.knowledge)
            if is_head and form is XLSX:
                await self._check_room(connection)
        headers = self._headers(form)
        if matches(tags, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return download(iter(()), form, headers) if is_head else None

    def _headers(self, form: Format) -> dict[str, str]:
        """Return the headers of the file, with the tag of all that its bytes depend on."""
        depends_on = (__version__, form, self.asked.identity, self.question.sort, self.state)
        name = self.asked.file_name(form.extension)
        return file_headers(name) | {"ETag": tag_of(repr(depends_on).encode())}

    async def _check_room(self, connection: ReadConnection) -> None:
        if not await are_more_than(connection, self.question, MAX_ROWS):
            return
        table = self.asked.address(CSV.extension)
        message = (
            f"More than {MAX_ROWS:,} events match, and such a file has no room for them: narrow "
            f"the filter, or take them as CSV from {table}"
        )
        raise RefusedError(Fault("path", "events.xlsx", "too_many_rows", message, (table,)))


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
    what was asked, what time the answer is of, and under which licence the words are, and explains
    every column. There is room for 100,000 events; take the CSV file for more.
    """
    return await export.workbook()


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
