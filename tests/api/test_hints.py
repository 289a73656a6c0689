"""What a problem says that one may have meant, and that nothing is silently passed over."""

from typing import Any

import httpx
import pytest

from tests.support.editing import seen
from tests.support.factories import facts
from tests.support.problems import problem_of

EVENT = "kz-taliban-delisting-2023"


@pytest.mark.parametrize(
    ("changes", "field", "meant"),
    [
        ({"kind": "designation.delisted"}, "kind", "designation.delist"),
        ({"kind": "Designation.List"}, "kind", "designation.list"),
        ({"status": "in-effect"}, "status", "in_effect"),
        ({"sumary": "…"}, "sumary", "summary"),
        ({"participant": []}, "participant", "participants"),
        ({"participants": [{"party": "KZ", "rolle": "actor"}]}, "participants.0.rolle", "role"),
        ({"participants": [{"party": "KZ", "role": "acter"}]}, "participants.0.role", "actor"),
        (
            {"relations": [{"type": "advance", "event": EVENT}]},
            "relations.0.type",
            "advances",
        ),
        (
            {"relations": [{"type": "advances", "event": f"{EVENT}4"}]},
            "relations.0.event",
            EVENT,
        ),
    ],
)
async def test_a_word_that_is_mistyped_in_a_body_is_suggested(
    editor: httpx.AsyncClient, changes: dict[str, Any], field: str, meant: str
) -> None:
    problem = problem_of(await editor.post("/v1/events", json=facts(**changes)), 422)
    (fault,) = [each for each in problem["errors"] if each["field"] == field]
    assert meant in fault["suggestions"]


async def test_a_word_like_no_other_is_answered_with_the_list(editor: httpx.AsyncClient) -> None:
    body = facts(status="x" * 100_000, wholly_unlike_anything=1)
    problem = problem_of(await editor.post("/v1/events", json=body), 422)
    messages = {fault["field"]: fault["message"] for fault in problem["errors"]}
    assert "signalled, proposed, adopted" in messages["status"]
    assert messages["wholly_unlike_anything"] == "There is no such member here."


async def test_an_unknown_parameter_is_refused_by_every_operation(
    editor: httpx.AsyncClient,
) -> None:
    described = (await editor.get("/openapi.json")).json()
    keys = {"id": EVENT, "code": "KZ", "revision": "1"}
    asked = 0
    for path, operations in described["paths"].items():
        if not path.startswith("/v1/") or path in {"/v1/keys", "/v1/changes/stream"}:
            continue
        for method in set(operations) & {"get", "put", "patch", "post", "delete"}:
            address = path.format(**keys)
            response = await editor.request(
                method, address, params={"surprise": "1"}, json={}, follow_redirects=False
            )
            assert response.status_code in {422, 403, 415}, (method, address, response.text)
            if response.status_code == 422:
                assert "surprise" in response.text, (method, address, response.text)
                asked += 1
    assert asked > 30


@pytest.mark.parametrize("path", ["/v1/events.csv", "/v1/events.atom", "/v1/positions.csv"])
async def test_what_a_form_leaves_blank_is_passed_over(
    client: httpx.AsyncClient, path: str
) -> None:
    blank = "limit=&cursor=&status=" if "events" in path else "limit=&cursor=&actor=KZ"
    assert (await client.get(f"{path}?{blank}")).status_code == 200


@pytest.mark.parametrize("day", ["2024-02-30", "2024-13-01", "2024", "yesterday"])
async def test_a_day_that_is_none_is_refused_in_words(client: httpx.AsyncClient, day: str) -> None:
    query = {"subject": "taliban", "as_of": day}
    problem = problem_of(await client.get("/v1/positions", params=query), 422)
    assert "no day of the calendar" in problem["errors"][0]["message"]


async def test_a_retraction_keeps_its_reason_and_its_note(editor: httpx.AsyncClient) -> None:
    for body, note in (({"reason": "A double."}, "A double."), ({"reason": "R", "note": "N"}, "N")):
        headers = await seen(editor, EVENT)
        response = await editor.post(f"/v1/events/{EVENT}/retract", json=body, headers=headers)
        assert response.json()["reason"] == body["reason"]
        history = (await editor.get(f"/v1/events/{EVENT}/revisions")).json()["items"]
        assert history[0]["note"] == note
        headers = {"If-Match": response.headers["etag"]}
        await editor.post(f"/v1/events/{EVENT}/restore", headers=headers)


async def test_an_id_is_made_of_letters_that_are_no_english_ones(
    editor: httpx.AsyncClient,
) -> None:
    body = facts(title="Łódź grüßt Ærø, Đakovo & Iğdır")
    response = await editor.post("/v1/events", json=body)
    assert response.json()["id"] == "lodz-grusst-aero-dakovo-and-igdir-2024-05-01"


async def test_an_event_that_is_related_to_itself_is_told_so(editor: httpx.AsyncClient) -> None:
    body = facts(relations=[{"type": "implements", "event": "itself"}])
    problem = problem_of(await editor.put("/v1/events/itself", json=body), 422)
    (fault,) = problem["errors"]
    assert fault["message"] == "An event can't be related to itself."
    assert fault["suggestions"] == []
