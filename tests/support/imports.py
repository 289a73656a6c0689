"""Importing rows as callers do, and all that an import can change."""

import io
import json
from typing import Any

from sqlalchemy import text

from app.commands import correct
from app.commands.import_events import Imported, import_events
from app.commands.record import NewEvent
from app.commands.revise import Author, state
from app.db.engine import Database
from app.domain.rows import Form
from tests.support.projections import projections

AUTHOR = Author("an importer")
ANY = frozenset({"*"})


def as_file(*rows: dict[str, Any]) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())


def stated(new: NewEvent) -> dict[str, Any]:
    return {"id": new.id, **new.facts.model_dump(mode="json", exclude_none=True)}


async def imported(database: Database, *rows: dict[str, Any], **options: Any) -> Imported:
    return await import_events(database, as_file(*rows), Form.JSON_LINES, author=AUTHOR, **options)


async def everything(database: Database) -> Any:
    async with database.reading() as connection:
        rows = await connection.execute(text("SELECT * FROM event_revision ORDER BY seq"))
        return [tuple(row) for row in rows], await projections(database)


async def put(database: Database, new: NewEvent, title: str) -> None:
    changed = new.facts.model_copy(update={"title": title})
    async with database.writing() as connection:
        there = await state(connection, new.id) is not None
        await correct.put(connection, new.id, changed, ANY if there else None, AUTHOR)
