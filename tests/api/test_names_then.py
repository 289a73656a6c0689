"""What is asked by a name, and shown under one, stays what it was when names change."""

from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text

from app.db.engine import Database
from tests.support.database import TERRITORIES
from tests.support.editing import seen
from tests.support.problems import problem_of

EVENT = "kz-taliban-delisting-2023"
TALIBAN = {"kind": "organisation", "country": "AF"}


def now() -> str:
    return datetime.now(UTC).isoformat()


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def rename(editor: httpx.AsyncClient, name: str, *aliases: str) -> None:
    body = TALIBAN | {"name": name, "aliases": list(aliases), "note": f"Now {name}."}
    assert (await editor.put("/v1/parties/taliban", json=body)).status_code == 200


async def test_a_name_of_the_past_still_leads_where_it_led(editor: httpx.AsyncClient) -> None:
    paths: dict[str, dict[str, Any]] = {
        "/v1/events": {"party": "Taleban", "limit": 200},
        "/v1/events.jsonl": {"subject": "Талибан"},
        "/v1/facets": {"actor": "Taliban Movement", "by": "kind"},
        "/v1/positions": {"subject": "Taleban", "as_of": "2024-01-15"},
    }
    then, before = now(), {}
    for path, query in paths.items():
        before[path] = (await editor.get(path, params=query | {"known_at": then})).content
    await rename(editor, "Another name")
    for path, query in paths.items():
        known = query | {"known_at": then}
        assert (await editor.get(path, params=known)).content == before[path], path
        problem_of(await editor.get(path, params=query), 422)


async def test_a_name_means_whom_it_meant_then(editor: httpx.AsyncClient) -> None:
    before = now()
    await rename(editor, "Another name")
    hamas = {"kind": "organisation", "country": "PS", "name": "Hamas", "aliases": ["Taleban"]}
    assert (await editor.put("/v1/parties/hamas", json=hamas)).status_code == 200
    for moment, party in ((before, "taliban"), (now(), "hamas")):
        page = await get(editor, "/v1/events", party="Taleban", known_at=moment)
        assert page["filter"]["party"] == [party]
    # One that came later still says who is meant.
    page = await get(editor, "/v1/events", party="Another name", known_at=before)
    assert page["filter"]["party"] == ["taliban"]


async def test_a_dossier_of_the_past_can_still_be_asked_for(editor: httpx.AsyncClient) -> None:
    query = {"measure": "kz-nlto-taliban", "known_at": now()}
    before = await get(editor, "/v1/events", **query)
    assert before["items"]
    for item in before["items"]:
        address, body = f"/v1/events/{item['id']}", {"measure": None}
        response = await editor.patch(address, json=body, headers=await seen(editor, item["id"]))
        assert response.status_code == 200, response.text
    assert await get(editor, "/v1/events", **query) == before
    problem_of(await editor.get("/v1/events", params={"measure": "kz-nlto-taliban"}), 422)


async def test_a_revision_shows_the_names_of_its_time(editor: httpx.AsyncClient) -> None:
    path = f"/v1/events/{EVENT}/revisions/1"
    revision = await get(editor, path)
    events = {"since": TERRITORIES + 50, "limit": 150}
    journal = await get(editor, "/v1/changes", **events)
    await rename(editor, "Another name")
    assert await get(editor, path) == revision
    assert await get(editor, path, known_at=now()) == revision
    assert (await get(editor, "/v1/changes", **events))["items"] == journal["items"]
    live = await get(editor, f"/v1/events/{EVENT}")
    assert "Another name" in {each["name"] for each in live["participants"]}


async def test_what_was_not_announced_yet_has_no_history(editor: httpx.AsyncClient) -> None:
    path = f"/v1/events/{EVENT}/revisions"
    then = {"knowledge": "announced", "known_at": "2023-12-28"}
    for each in (path, f"{path}/1"):
        problem_of(await editor.get(each, params=then), 404)
        later = then | {"known_at": "2023-12-29"}
        assert await get(editor, each, **later) == await get(editor, each)
    # What was retracted leaves a tombstone, which was never announced by anybody.
    headers = await seen(editor, EVENT)
    await editor.post(f"/v1/events/{EVENT}/retract", json={"reason": "No."}, headers=headers)
    assert len((await get(editor, path, **then))["items"]) == 2


async def test_a_regimes_name_is_that_of_the_time(
    editor: httpx.AsyncClient, loaded_url: str
) -> None:
    async def labels(**query: str) -> set[str]:
        found = await get(editor, "/v1/facets", by="regime", **query)
        return {each["label"] for each in found["facets"]["regime"]}

    address, then = "/v1/regimes/KZ-NLTO", now()
    before = await get(editor, address)
    old = before["name"]
    body = before | {"name": "A list by another name", "note": "It was renamed."}
    for _ in range(2):
        assert (await editor.put(address, json=body)).status_code == 200
    assert old in await labels(known_at=then)
    assert "A list by another name" in await labels()
    assert "A list by another name" in (await editor.get(f"/events/{EVENT}")).text
    assert old in (await editor.get(f"/events/{EVENT}", params={"known_at": then})).text
    assert await history(loaded_url) == [
        (1, old, "sample timeline", None),
        (2, "A list by another name", "an editor", "It was renamed."),
    ]


async def history(url: str) -> list[tuple[Any, ...]]:
    statement = text(
        "SELECT revision, facts->>'name', by, note FROM reference_revision WHERE id = 'KZ-NLTO'"
        " ORDER BY revision"
    )
    async with Database(url) as database, database.reading() as connection:
        return [tuple(row) for row in await connection.execute(statement)]


async def test_who_was_merged_twice_leads_to_the_last(editor: httpx.AsyncClient) -> None:
    others = ["ru-taliban-listing-2003", "ru-gharwal-charge-2022"]
    moments = []
    for one, into in ((EVENT, others[0]), others):
        headers = await seen(editor, one)
        merged = await editor.post(f"/v1/events/{one}/merge", json={"into": into}, headers=headers)
        assert merged.status_code == 200, merged.text
        moments.append(now())
    for path in (f"/v1/events/{EVENT}", f"/events/{EVENT}"):
        for moment, into in zip(moments, others, strict=True):
            response = await editor.get(path, params={"known_at": moment}, follow_redirects=False)
            assert response.status_code == 308
            assert f"/events/{into}?" in response.headers["location"]
        assert (await editor.get(path)).headers["location"].endswith(f"/events/{others[1]}")
