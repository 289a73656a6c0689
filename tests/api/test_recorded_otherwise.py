"""What an earlier release recorded and this one would refuse: it can be read, and be let go."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.commands.load import SAMPLE_AUTHOR
from app.commands.parties import add_territories
from app.commands.record import NewEvent, record_unseen
from app.db.engine import Database
from app.domain.event import EventFacts
from app.domain.text import RECORDED
from tests.support.database import execute
from tests.support.editing import editor_of, revisions, seen
from tests.support.factories import SOURCE, facts
from tests.support.problems import problem_of
from tests.support.projections import check_rebuild

ADDRESSES = ("https://name:word@example.org/", "http:/example.org", "https://example.org/\u202e")
# A zero-width space, which nobody can read.
TITLE = "\u200b"
EVENT = "recorded-otherwise"
PATH = f"/v1/events/{EVENT}"


@pytest.fixture
async def editor(empty_url: str) -> AsyncIterator[httpx.AsyncClient]:
    sources = [SOURCE | {"url": address} for address in ADDRESSES]
    stated = facts(sources=sources, title=TITLE)
    recorded = EventFacts.model_validate(stated, context=RECORDED)
    async with Database(empty_url) as database, database.writing() as connection:
        await record_unseen(connection, [NewEvent(EVENT, recorded)], SAMPLE_AUTHOR)
    async with editor_of(empty_url) as client:
        yield client


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_refused_now(address: str) -> None:
    with pytest.raises(ValueError, match="web address"):
        EventFacts.model_validate(facts(sources=[SOURCE | {"url": address}]))


def test_a_title_with_nothing_to_read_is_refused_now() -> None:
    with pytest.raises(ValueError, match="says nothing"):
        EventFacts.model_validate(facts(title=TITLE))


async def test_it_is_read_as_it_was_recorded(editor: httpx.AsyncClient) -> None:
    shown = (await editor.get(PATH)).json()
    assert shown["title"] == TITLE
    assert [source["url"] for source in shown["sources"]] == list(ADDRESSES)
    for suffix in ("csv", "jsonl", "xlsx", "atom", "timelinejs.json"):
        assert (await editor.get(f"/v1/events.{suffix}")).status_code == 200
    assert (await editor.get(f"/events/{EVENT}")).status_code == 200


async def test_it_can_be_retracted_and_restored(editor: httpx.AsyncClient) -> None:
    reason = {"reason": "The source can't be trusted."}
    tag = await seen(editor, EVENT)
    assert (await editor.post(f"{PATH}/retract", json=reason, headers=tag)).status_code == 200
    gone = await editor.get(PATH)
    assert (gone.status_code, gone.json()["reason"]) == (410, reason["reason"])
    tag = await seen(editor, EVENT)
    restored = await editor.post(f"{PATH}/restore", json={"note": "It can."}, headers=tag)
    assert restored.status_code == 200, restored.text
    actions = [revision["action"] for revision in await revisions(editor, EVENT)]
    assert actions == ["record", "retract", "restore"]


async def test_a_correction_must_mend_it(editor: httpx.AsyncClient) -> None:
    tag = await seen(editor, EVENT)
    problem = problem_of(await editor.patch(PATH, json={"place": "Astana"}, headers=tag), 422)
    places = [fault["field"] for fault in problem["errors"]]
    assert places == ["title", *(f"sources.{number}.url" for number in range(3))]
    mended = {"place": "Astana", "title": "A title", "sources": [SOURCE]}
    assert (await editor.patch(PATH, json=mended, headers=tag)).status_code == 200


@pytest.mark.usefixtures("editor")
async def test_it_can_be_rebuilt(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await check_rebuild(database)


async def test_a_party_of_such_a_name_can_be_renamed(empty_url: str) -> None:
    async with Database(empty_url) as database, database.writing() as connection:
        await add_territories(connection)
    async with editor_of(empty_url) as editor:
        party = {"kind": "organisation", "name": "Somebody"}
        assert (await editor.put("/v1/parties/somebody", json=party)).status_code == 201
        await execute(empty_url, "UPDATE party SET name = ' ' WHERE id = 'somebody'")
        assert (await editor.put("/v1/parties/somebody", json=party)).status_code == 200
        assert (await editor.get("/v1/parties/somebody")).json()["name"] == "Somebody"
