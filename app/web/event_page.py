"""One event as a page: everything that is known of it, its history, and what it bears on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.api.known_at import KnownAtParameters
from app.api.parameters import read
from app.api.state import Register
from app.db.connections import ReadConnection
from app.domain.document import instant
from app.domain.errors import NotFoundError
from app.domain.history import GONE
from app.domain.text import shown
from app.queries.cited import cited_documents, citing_documents
from app.queries.events import event_document
from app.queries.history import revisions_page, survivor
from app.queries.keyset import AnyRow
from app.queries.knowledge import Recorded
from app.queries.measures import measure
from app.queries.reference import reference_facts
from app.web.changes import changes_in_words
from app.web.page import PageRoute, page
from app.web.past import Moment, lasting_address, one_moment
from app.web.words import RELATION_TURNED_ROUND

router = APIRouter(route_class=PageRoute, include_in_schema=False)

# More than anybody reads; the JSON has them all.
MOST_REVISIONS = 100
MOST_CITING = 50

Event = Mapping[str, Any]


@router.get("/events/{id}")
async def event(
    request: Request,
    id: str,  # noqa: A002 - The contract's name.
    register: Register,
) -> Response:
    """One event; where it was retracted, when and why; where it was merged, the way there."""
    knowledge = read(KnownAtParameters, request).known()
    async with one_moment(register, knowledge) as (connection, moment):
        document = await event_document(connection, id, knowledge)
        known_at = knowledge.instant if isinstance(knowledge, Recorded) else None
        rows = await revisions_page(connection, id, known_at, MOST_REVISIONS, None)
        told: dict[str, Any] = {"id": id, "moment": moment, "history": list(_history(rows))}
        into = await survivor(connection, rows[0], known_at) if rows else ""
        if document is not None:
            told |= await _about(connection, json.loads(document), moment)
            told["permalink"] = lasting_address(request, moment, {})
            return page(request, "event.html", **told)
    if not rows or rows[0].action not in GONE:
        raise NotFoundError(_not_there(id))
    if into:
        return RedirectResponse(f"/events/{quote(into)}{moment.query}", 308)
    return page(request, "retracted.html", 410, title=rows[0].facts["title"], **told)


def _not_there(id_: str) -> str:
    return (
        f"There is no event “{shown(id_)}”. Ids are never given to another event, so that the "
        "address is misspelt or incomplete, or the event was not recorded yet at the time that it "
        "asks for."
    )


async def _about(connection: ReadConnection, event: Event, moment: Moment) -> dict[str, Any]:
    """Return the event with what surrounds it: its list, its dossier, what it bears on."""
    knowledge = moment.knowledge
    related = {relation["event"] for relation in event["relations"]}
    cited = await cited_documents(connection, related, knowledge)
    code = event["regime"]
    regimes = await reference_facts(connection, "regime", knowledge, [code]) if code else {}
    dossier = event["measure"] and await measure(connection, knowledge, event["measure"])
    citing, count = await citing_documents(connection, event["id"], knowledge, MOST_CITING)
    return {
        "event": event,
        "regime": regimes.get(code),
        "citing": _by_relation(event["id"], [json.loads(document) for document in citing]),
        "citing_shown": len(citing),
        "citing_count": count,
        "cited": {id_: json.loads(document) for id_, document in cited.items()},
        "dossier": [json.loads(document) for document in dossier.documents] if dossier else [],
    }


def _by_relation(id_: str, citing: Sequence[Event]) -> dict[str, list[Event]]:
    """Return the events by how they bear on the one, in the order of the closed list."""
    types: dict[str, list[Event]] = {relation: [] for relation in RELATION_TURNED_ROUND}
    for event in citing:
        for type_ in {each["type"] for each in event["relations"] if each["event"] == id_}:
            types.setdefault(type_, []).append(event)
    return {type_: events for type_, events in types.items() if events}


def _history(rows: Sequence[AnyRow]) -> Iterator[dict[str, Any]]:
    for row in rows:
        before = row.facts_before
        yield {
            "revision": row.revision,
            "recorded_at": instant(row.recorded_at),
            "action": row.action,
            "by": row.by,
            "note": row.note,
            "changes": [] if before is None else changes_in_words(before, row.facts),
        }
