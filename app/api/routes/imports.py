"""Importing many events at once, from JSON Lines or CSV."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from app.api.auth import Editor
from app.api.body import media_type
from app.api.examples import EVENT
from app.api.parameters import QueryModel, Unasked, asked, parameter
from app.api.problem_responses import documented
from app.api.state import Closing, Register
from app.api.uploads import uploaded
from app.api.writing import note_change, writing
from app.commands.import_events import Watch, import_events
from app.commands.keys import hold_key
from app.commands.revise import Author
from app.commands.staged import Outcome
from app.domain.cells import template
from app.domain.errors import MalformedBodyError
from app.domain.rows import Form

router = APIRouter(prefix="/v1/imports", tags=["Editing"])

MAX_BYTES = 268_435_456
_PIECE_BYTES = 65_536
FORMS = {
    "application/jsonl": Form.JSON_LINES,
    "application/x-ndjson": Form.JSON_LINES,
    "text/csv": Form.CSV,
}
_TEXT = {"schema": {"type": "string"}}
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": dict.fromkeys(FORMS, _TEXT)},
}


class RowDocument(BaseModel):
    """What became of one row, or with `dry_run` would have become of it."""

    line: int = Field(description="Where it begins in the file; 1 is the first line.")
    id: str = Field(description="The event that it states.")
    outcome: str = Field(description="`recorded`, `corrected` or `unchanged`.")
    revision: int = Field(description="Which revision of the event is as the row states.")


class ImportDocument(BaseModel):
    """What an import has done, or with `dry_run` would have done."""

    dry_run: bool
    recorded: int = Field(description="Events whose ids were unseen.")
    corrected: int = Field(description="Events that were there with other facts.")
    unchanged: int = Field(description="Events that were there as they are in the file.")
    rows: int = Field(description="Events in the file.")
    report: list[RowDocument] = Field(description="Every row, in the order of the file.")


class ImportParameters(QueryModel):
    """The parameters of an import."""

    dry_run: bool = parameter(
        default=False,
        title="Dry run",
        description="Only say what would be done, and write nothing: `true` or `false`.",
    )


@router.post(
    "",
    summary="Import a file of events",
    response_class=Response,
    responses={
        200: {
            "model": ImportDocument,
            "description": "Done; or with `dry_run`, what would be done.",
        },
        **documented(400, 401, 403, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra=_BODY,
)
async def import_file(
    editor: Editor,
    request: Request,
    register: Register,
    closing: Closing,
    parameters: Annotated[ImportParameters, asked(ImportParameters)],
) -> Response:
    """Record and correct many events at once, all of them or none.

    JSON Lines: a line holds an event in the shape of PUT's body, with its `id`. CSV: the header
    names the same fields; see the template.

    An event whose id is unseen is recorded. One that is there with other facts is corrected: an
    import states how things are and needs no `If-Match`, so look at it with `dry_run` before. One
    that is there with the same facts is left alone, so a file can be sent twice. Ids that were
    retracted or merged are faults. A table from /v1/events.csv can be corrected and sent back: what
    it has beyond these fields is passed over, and so is the apostrophe before what a spreadsheet
    would take for a formula.

    The answer lists what became of every row. If any row is faulty nothing is written, and the
    problem lists every fault (the first 1,000) with its line and field. At most 256 MiB. A file
    counts as one write, whatever comes of it. Others can write meanwhile; only one large file is
    imported at a time, and whoever comes with another is asked to come again.
    """
    form = FORMS[media_type(request, tuple(FORMS))]
    # An import counts as one write, whatever comes of it, and before it costs anything.
    async with writing(request, editor):
        pass
    report = closing.enter_context(TemporaryFile())  # noqa: SIM115 - It is sent afterwards.
    async with uploaded(request, MAX_BYTES) as (file, _):
        done = await import_events(
            register,
            file,
            form,
            author=Author(editor.name),
            dry_run=parameters.dry_run,
            watch=Watch(
                progress=_while_connected(request),
                outcomes=partial(_report, report),
                permitted=partial(hold_key, public_id=editor.key_id),
            ),
        )
    note_change(request, done.change)
    counts = {name: getattr(done, name) for name in ("rows", "recorded", "corrected", "unchanged")}
    return _reported({"dry_run": parameters.dry_run, **counts}, report)


@router.get(
    "/template.csv",
    summary="A template for imports",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": _TEXT}, "description": "All columns, one event."},
        **documented(422, 503),
    },
)
async def import_template(_: Unasked) -> Response:
    r"""Download a CSV file that names every column an import may have, with one real event.

    Columns may be left out and stand in any order. A cell that is empty leaves its field out. In
    columns of a list, such as `participants.party` and `participants.role`, a cell holds one entry
    for each member, separated by `|`, and the n-th entries of all these columns belong together:
    `KZ|taliban` beside `actor|subject`. There `\|` is a bar within a text and `\\` a backslash.
    The file is UTF-8 with commas.
    """
    headers = {
        "Content-Disposition": 'attachment; filename="chancery-template.csv"',
        "Cache-Control": "public, max-age=3600",
    }
    return Response(template(EVENT), headers=headers, media_type="text/csv")


def _while_connected(request: Request) -> Any:
    """Return what ends an import whose client is gone and would never learn of its success."""

    async def look(_: int) -> None:
        if await request.is_disconnected():
            raise MalformedBodyError("The client is gone.")

    return look


async def _report(file: IO[bytes], outcomes: Sequence[Outcome]) -> None:
    """Keep what becomes of rows, as members of a JSON list: a file may have a million."""
    # In a thread, because it takes some 10 microseconds a row.
    await asyncio.to_thread(_write_outcomes, file, outcomes)


def _write_outcomes(file: IO[bytes], outcomes: Sequence[Outcome]) -> None:
    listed = ",".join(json.dumps(asdict(each), separators=(",", ":")) for each in outcomes)
    before = "," if file.tell() else ""
    file.write(f"{before}{listed}".encode())


def _reported(counts: dict[str, Any], report: IO[bytes]) -> Response:
    """Return the counts with the report behind them."""
    head = f'{json.dumps(counts, separators=(",", ":"))[:-1]},"report":['.encode()
    length = len(head) + report.tell() + len(b"]}")
    report.seek(0)
    pieces = chain([head], iter(partial(report.read, _PIECE_BYTES), b""), [b"]}"])
    headers = {"Cache-Control": "no-store", "Content-Length": str(length)}
    return StreamingResponse(pieces, headers=headers, media_type="application/json")
