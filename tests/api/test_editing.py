"""Recording, replacing, correcting, retracting, restoring and merging, as editors' tools do."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.editing import editor_of, revisions, seen
from tests.support.factories import SOURCE, facts
from tests.support.problems import problem_of

KNOWN = "kz-taliban-delisting-2023"
OTHER = "kz-taliban-listing-2005"


# The tag of a revision that is never reached.
STALE = '"99-0a1b2c3d4e5f6071"'


async def everything(client: httpx.AsyncClient) -> list[str]:
    """Return the ids of everything that is in lists."""
    found: list[str] = []
    address: str | None = "/v1/events?limit=200"
    while address:
        page = (await client.get(address)).json()
        found += [item["id"] for item in page["items"]]
        address = page["next"]
    return found


async def test_an_event_is_recorded_under_an_id_made_from_title_and_date(
    editor: httpx.AsyncClient,
) -> None:
    response = await editor.post("/v1/events", json=facts(note="Seen in the gazette."))
    assert response.status_code == 201, response.text
    document = response.json()
    assert document["id"] == "kazakhstan-lists-somebody-2024-05-01"
    assert response.headers["location"].endswith(f"/v1/events/{document['id']}")
    assert response.headers["cache-control"] == "no-store"
    read = await editor.get(f"/v1/events/{document['id']}")
    assert read.json() == document
    assert read.headers["etag"] == response.headers["etag"]
    (revision,) = await revisions(editor, document["id"])
    assert (revision["action"], revision["by"], revision["note"]) == (
        "record",
        "an editor",
        "Seen in the gazette.",
    )
    assert document["id"] in await everything(editor)


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"title": "Élysée: “no”!"}, ["elysee-no-2024-05-01", "elysee-no-2024-05-01-2"]),
        ({"title": "Талибан"}, ["event-2024-05-01-1", "event-2024-05-01-2"]),
        ({"dates": {"occurred": "../2024-12~"}}, ["kazakhstan-lists-somebody-2024-12"]),
        ({"dates": {"occurred": "2024-12-01/2024-12-03"}},
         ["kazakhstan-lists-somebody-2024-12-01-2024-12-03"]),
    ],
)  # fmt: skip
async def test_ids_are_numbered_where_they_are_taken(
    editor: httpx.AsyncClient, changes: dict[str, Any], ids: list[str]
) -> None:
    made = [(await editor.post("/v1/events", json=facts(**changes))).json()["id"] for _ in ids]
    assert made == ids


async def test_a_long_title_makes_an_id_that_fits(editor: httpx.AsyncClient) -> None:
    for _ in range(3):
        response = await editor.post("/v1/events", json=facts(title="word " * 99 + "end"))
        assert response.status_code == 201
        assert len(response.json()["id"]) <= 100


async def test_a_retried_post_records_once(editor: httpx.AsyncClient) -> None:
    sent: dict[str, Any] = {"json": facts(), "headers": {"Idempotency-Key": "the-same"}}
    answers = await asyncio.gather(*(editor.post("/v1/events", **sent) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    found = await everything(editor)
    assert len([each for each in found if each.startswith("kazakhstan-lists")]) == 1
    for changes in ({"title": "Another"}, {"note": "Another reason."}, {"id": "another"}):
        other = await editor.post(
            "/v1/events", json=facts(**changes), headers={"Idempotency-Key": "the-same"}
        )
        assert problem_of(other, 422)["errors"][0]["code"] == "key_reused"
    again = await editor.post("/v1/events", json=facts())
    assert again.json()["id"] == "kazakhstan-lists-somebody-2024-05-01-2"


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
async def test_an_idempotency_key_has_its_bounds(editor: httpx.AsyncClient, key: str) -> None:
    response = await editor.post("/v1/events", json=facts(), headers={"Idempotency-Key": key})
    assert problem_of(response, 422)["errors"][0]["field"] == "Idempotency-Key"


async def test_two_keys_may_use_the_same_idempotency_key(
    editor: httpx.AsyncClient, loaded_url: str
) -> None:
    sent: dict[str, Any] = {"json": facts(), "headers": {"Idempotency-Key": "the-same"}}
    async with editor_of(loaded_url, "another editor") as another:
        ids = [
            (await client.post("/v1/events", **sent)).json()["id"] for client in (editor, another)
        ]
    assert len(set(ids)) == 2


async def test_put_records_under_the_clients_own_id_and_is_idempotent(
    editor: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(
        *(editor.put("/v1/events/my-own-id", json=facts()) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await revisions(editor, "my-own-id")) == 1


async def test_what_was_read_can_be_sent_back(editor: httpx.AsyncClient) -> None:
    document = (await editor.get(f"/v1/events/{KNOWN}")).json()
    response = await editor.put(f"/v1/events/{KNOWN}", json=document)
    assert (response.status_code, response.json()) == (200, document)
    assert len(await revisions(editor, KNOWN)) == 1


async def test_replacing_needs_the_state_that_was_seen(editor: httpx.AsyncClient) -> None:
    document = (await editor.get(f"/v1/events/{KNOWN}")).json()
    changed = document | {"title": "A better title"}
    problem_of(await editor.put(f"/v1/events/{KNOWN}", json=changed), 428)
    stale = problem_of(
        await editor.put(f"/v1/events/{KNOWN}", json=changed, headers={"If-Match": STALE}), 412
    )
    assert stale["current"] == document
    tags = await seen(editor, KNOWN)
    response = await editor.put(f"/v1/events/{KNOWN}", json=changed, headers=tags)
    assert response.status_code == 200
    assert response.json()["title"] == "A better title"
    assert response.json()["revision"] == 2
    assert response.json()["recorded_at"] == document["recorded_at"]
    assert response.json()["updated_at"] > document["updated_at"]
    lost = await editor.put(f"/v1/events/{KNOWN}", json=document, headers=tags)
    problem = problem_of(lost, 412)
    assert problem["current"] == response.json()
    assert lost.headers["etag"] == response.headers["etag"]


async def test_if_match_is_always_evaluated(editor: httpx.AsyncClient) -> None:
    document = (await editor.get(f"/v1/events/{KNOWN}")).json()
    stale = {"If-Match": STALE}
    problem_of(await editor.put(f"/v1/events/{KNOWN}", json=document, headers=stale), 412)
    problem_of(await editor.put("/v1/events/new-one", json=facts(), headers=stale), 412)
    weak = {"If-Match": "W/" + (await seen(editor, KNOWN))["If-Match"]}
    problem_of(await editor.patch(f"/v1/events/{KNOWN}", json={"title": "x"}, headers=weak), 412)
    assert (await editor.get("/v1/events/new-one")).status_code == 404


async def test_if_none_match_keeps_put_from_replacing(editor: httpx.AsyncClient) -> None:
    new = {"If-None-Match": "*"}
    assert (await editor.put("/v1/events/new-one", json=facts(), headers=new)).status_code == 201
    problem_of(await editor.put("/v1/events/new-one", json=facts(), headers=new), 412)


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
async def test_a_correction_changes_what_is_sent_and_nothing_else(
    editor: httpx.AsyncClient, media_type: str
) -> None:
    before = (await editor.get(f"/v1/events/{KNOWN}")).json()
    response = await editor.request(
        "PATCH",
        f"/v1/events/{KNOWN}",
        json={"title": "Corrected", "place": None, "dates": {"signed": "2023"}, "note": "A typo."},
        headers={**await seen(editor, KNOWN), "Content-Type": media_type},
    )
    assert response.status_code == 200, response.text
    after = response.json()
    changed = {"title", "dates", "revision", "updated_at"}
    assert {n for n in after if after[n] != before[n]} == changed
    assert after["dates"] == before["dates"] | {"signed": "2023"}
    _, last = await revisions(editor, KNOWN)
    assert (last["action"], last["by"], last["note"]) == ("correct", "an editor", "A typo.")
    assert {(c["op"], c["path"]) for c in last["changes"]} == {
        ("replace", "/title"),
        ("add", "/dates/signed"),
    }


async def test_a_correction_that_changes_nothing_is_no_revision(editor: httpx.AsyncClient) -> None:
    document = (await editor.get(f"/v1/events/{KNOWN}")).json()
    body = {"title": document["title"], "direction": "neutral", "revision": 7}
    tags = await seen(editor, KNOWN)
    response = await editor.patch(f"/v1/events/{KNOWN}", json=body, headers=tags)
    assert (response.status_code, response.json()) == (200, document)
    assert len(await revisions(editor, KNOWN)) == 1


async def test_of_ten_corrections_from_one_state_one_wins(editor: httpx.AsyncClient) -> None:
    tags = await seen(editor, KNOWN)

    async def correct(number: int) -> httpx.Response:
        body = {"title": f"Title {number}"}
        response = await editor.patch(f"/v1/events/{KNOWN}", json=body, headers=tags)
        # A slow machine may be too busy for all ten at once, and says when to come again.
        return await correct(number) if response.status_code == 503 else response

    answers = await asyncio.gather(*map(correct, range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    assert len(await revisions(editor, KNOWN)) == 2


async def test_a_retracted_event_is_in_no_list_and_leaves_a_tombstone(
    editor: httpx.AsyncClient,
) -> None:
    path = f"/v1/events/{KNOWN}"
    before = (await editor.get(path)).json()
    problem_of(await editor.post(f"{path}/retract", json={"reason": "A duplicate."}), 428)
    problem_of(
        await editor.post(f"{path}/retract", json={}, headers=await seen(editor, KNOWN)), 422
    )
    response = await editor.post(
        f"{path}/retract", json={"reason": "Not so."}, headers=await seen(editor, KNOWN)
    )
    assert response.status_code == 200
    gone = await editor.get(path)
    assert gone.status_code == 410
    assert gone.json() == response.json()
    assert gone.headers["etag"] == response.headers["etag"]
    assert (gone.json()["state"], gone.json()["reason"]) == ("retracted", "Not so.")
    assert KNOWN not in await everything(editor)
    tags = await seen(editor, KNOWN)
    for write in (
        editor.patch(path, json={"title": "x"}, headers=tags),
        editor.put(path, json=facts(), headers=tags),
        editor.post(f"{path}/retract", json={"reason": "Again."}, headers=tags),
        editor.post(f"{path}/merge", json={"into": OTHER}, headers=tags),
    ):
        assert problem_of(await write, 410)["current"] == gone.json()
    problem_of(await editor.post(f"{path}/restore", json={}), 428)
    restored = await editor.post(f"{path}/restore", json={"note": "It was so."}, headers=tags)
    assert restored.status_code == 200
    same = {n for n in before if n not in ("revision", "updated_at")}
    assert {n: restored.json()[n] for n in same} == {n: before[n] for n in same}
    assert KNOWN in await everything(editor)
    problem_of(await editor.post(f"{path}/restore", headers=await seen(editor, KNOWN)), 409)
    actions = [revision["action"] for revision in await revisions(editor, KNOWN)]
    assert actions == ["record", "retract", "restore"]


async def test_a_merged_event_leads_to_its_survivor(editor: httpx.AsyncClient) -> None:
    path = f"/v1/events/{OTHER}"
    tags = await seen(editor, OTHER)
    for wrong in (OTHER, "no-such-event"):
        response = await editor.post(f"{path}/merge", json={"into": wrong}, headers=tags)
        assert problem_of(response, 422)["errors"][0]["field"] == "into"
    response = await editor.post(f"{path}/merge", json={"into": KNOWN}, headers=tags)
    assert response.status_code == 200
    assert response.json()["merged_into"] == KNOWN
    moved = await editor.get(path, follow_redirects=False)
    assert moved.status_code == 308
    assert moved.headers["location"].endswith(f"/v1/events/{KNOWN}")
    assert (await editor.get(path, follow_redirects=True)).json()["id"] == KNOWN
    assert OTHER not in await everything(editor)
    tags = await seen(editor, OTHER)
    for write in (
        editor.patch(path, json={"title": "x"}, headers=tags),
        editor.put(path, json=facts(), headers=tags),
        editor.post(f"{path}/restore", json={}, headers=tags),
        editor.post(f"{path}/retract", json={"reason": "x"}, headers=tags),
    ):
        problem_of(await write, 409)


async def test_retraction_against_correction_has_one_winner(editor: httpx.AsyncClient) -> None:
    tags, path = await seen(editor, KNOWN), f"/v1/events/{KNOWN}"
    answers = await asyncio.gather(
        editor.post(f"{path}/retract", json={"reason": "No."}, headers=tags),
        editor.patch(path, json={"title": "Yes"}, headers=tags),
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses in ([200, 410], [200, 412])
    assert len(await revisions(editor, KNOWN)) == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"participants": [{"party": "nobody", "role": "actor"}]}, "participants.0.party"),
        ({"participants": [{"party": "ZZ", "role": "actor"}]}, "participants.0.party"),
        ({"regime": "NO-SUCH"}, "regime"),
        ({"relations": [{"type": "cites", "event": "no-such"}]}, "relations.0.event"),
        ({"relations": [{"type": "cites", "event": "own-id"}]}, "relations.0.event"),
        ({"sources": []}, "sources"),
        ({"sources": [{"title": "No words"}]}, "sources.0"),
        ({"dates": {"effective": "2024-13"}}, "dates.effective"),
        ({"dates": {}}, "dates"),
        ({"kind": "designation.delisted"}, "kind"),
        ({"colour": "red"}, "colour"),
        ({"note": 7}, "note"),
        ({"id": "another-id"}, "id"),
        ({"title": "x" * 501}, "title"),
        ({"sources": [SOURCE] * 51}, "sources"),
        ({"participants": "KZ"}, "participants"),
        ({"participants": ["KZ"]}, "participants.0"),
    ],
)
async def test_what_cant_be_recorded_is_named_and_nothing_is_written(
    editor: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    before = (await editor.get("/v1/changes")).json()["latest"]
    response = await editor.put("/v1/events/own-id", json=facts(**changes))
    problem = problem_of(response, 422)
    assert [(fault["location"], fault["field"]) for fault in problem["errors"]] == [("body", field)]
    assert (await editor.get("/v1/events/own-id")).status_code == 404
    assert (await editor.get("/v1/changes")).json()["latest"] == before


async def test_every_fault_of_a_body_is_listed_with_suggestions(editor: httpx.AsyncClient) -> None:
    body = facts(
        participants=[{"party": "talibann", "role": "actor"}, {"party": "KZZ", "role": "subject"}],
        regime="RU-UF",
    )
    problem = problem_of(await editor.post("/v1/events", json=body), 422)
    suggested = {fault["field"]: fault["suggestions"] for fault in problem["errors"]}
    assert set(suggested) == {"participants.0.party", "participants.1.party", "regime"}
    assert "taliban" in suggested["participants.0.party"]
    assert "RU-UFL" in suggested["regime"]


@pytest.mark.parametrize("event", ["Not-A-Slug", "a" * 101, "under_score", "double--hyphen"])
async def test_an_own_id_is_a_slug(editor: httpx.AsyncClient, event: str) -> None:
    problem = problem_of(await editor.put(f"/v1/events/{event}", json=facts()), 422)
    assert problem["errors"][0]["location"] == "path"


@pytest.mark.parametrize("act", ["", "/retract", "/restore", "/merge"])
async def test_there_is_nothing_to_change_where_there_is_nothing(
    editor: httpx.AsyncClient, act: str
) -> None:
    method = "POST" if act else "PATCH"
    body = {"/retract": {"reason": "x"}, "/merge": {"into": KNOWN}}.get(act, {})
    response = await editor.request(method, f"/v1/events/no-such{act}", json=body)
    problem_of(response, 404)


async def test_renaming_a_party_refreshes_what_shows_its_name(editor: httpx.AsyncClient) -> None:
    party = (await editor.get("/v1/parties/taliban")).json()
    tag = (await seen(editor, KNOWN))["If-Match"]
    response = await editor.put("/v1/parties/taliban", json=party | {"name": "The Movement"})
    assert response.status_code == 200
    document = (await editor.get(f"/v1/events/{KNOWN}")).json()
    assert [p["name"] for p in document["participants"]] == ["Kazakhstan", "The Movement"]
    assert document["revision"] == 1
    assert (await seen(editor, KNOWN))["If-Match"] != tag
    found = await editor.get("/v1/events", params={"party": "the movement", "limit": 1})
    assert found.json()["filter"] == {"party": ["taliban"]}
    problem_of(await editor.get("/v1/events?party=Nothing at all"), 422)


async def test_parties_and_regimes_are_recorded_and_changed(editor: httpx.AsyncClient) -> None:
    party = {"kind": "organisation", "name": "A new group", "country": "KZ", "aliases": ["ANG"]}
    new = await editor.put("/v1/parties/a-new-group", json=party)
    assert (new.status_code, new.json()) == (201, {"id": "a-new-group", **party, "revision": 1})
    again = await editor.put("/v1/parties/a-new-group", json=new.json())
    assert (again.status_code, again.json()) == (200, new.json())
    regime: dict[str, Any] = {
        "issuer": "KZ",
        "name": "A new list",
        "aliases": [],
        "legal_basis": None,
    }
    made = await editor.put("/v1/regimes/KZ-NEW", json=regime)
    assert made.status_code == 201
    changed = await editor.put("/v1/regimes/KZ-NEW", json=regime | {"removal": "By court."})
    assert (changed.status_code, changed.json()["removal"]) == (200, "By court.")
    assert (await editor.get("/v1/regimes/KZ-NEW")).json() == changed.json()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("parties/x-1", {"kind": "group", "name": "X", "country": "ZZ"}, "country"),
        ("parties/x-1", {"kind": "club", "name": "X"}, "kind"),
        ("parties/x-1", {"id": "y-1", "kind": "group", "name": "X"}, "id"),
        ("parties/X_1", {"kind": "group", "name": "X"}, "id"),
        ("regimes/X-1", {"issuer": "nobody", "name": "X"}, "issuer"),
        ("regimes/x-1", {"issuer": "KZ", "name": "X"}, "code"),
        ("regimes/X-1", {"issuer": "KZ"}, "name"),
    ],
)
async def test_reference_data_is_checked_likewise(
    editor: httpx.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    problem = problem_of(await editor.put(f"/v1/{path}", json=body), 422)
    assert [fault["field"] for fault in problem["errors"]] == [field]
    problem_of(await editor.get(f"/v1/{path}"), 404)


@pytest.mark.parametrize(
    ("party", "changes"),
    [
        ("KZ", {"kind": "group"}),
        ("KZ", {"kind": "state", "country": "RU"}),
        ("KZ", {"kind": "state", "country": None}),
        ("EU", {"kind": "intergovernmental", "country": "EU"}),
        ("ZZ", {"kind": "state"}),
        ("somebody", {"kind": "state"}),
    ],
)
async def test_states_and_only_they_go_by_a_code(
    editor: httpx.AsyncClient, party: str, changes: dict[str, Any]
) -> None:
    response = await editor.put(f"/v1/parties/{party}", json={"name": "Somebody"} | changes)
    assert problem_of(response, 422)["errors"][0]["location"] == "body"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/events", facts()),
        ("PUT", "/v1/events/new-one", facts()),
        ("PATCH", f"/v1/events/{KNOWN}", {"title": "Another"}),
        ("POST", f"/v1/events/{KNOWN}/retract", {"reason": "An error."}),
        ("POST", f"/v1/events/{KNOWN}/restore", {}),
        ("POST", f"/v1/events/{KNOWN}/merge", {"into": OTHER}),
        ("PUT", "/v1/parties/somebody", {"name": "Somebody", "kind": "group"}),
        ("PUT", "/v1/regimes/KZ-NEW", {"name": "A list", "issuer": "KZ"}),
    ],
)
async def test_a_write_takes_no_parameters(
    editor: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]
) -> None:
    """An import has `dry_run`: whoever believes that of the others would have written."""
    before = (await editor.get("/v1/changes")).json()["latest"]
    response = await editor.request(
        method, path, params={"dry_run": "true"}, json=body, headers={"If-Match": "*"}
    )
    (fault,) = problem_of(response, 422)["errors"]
    assert (fault["location"], fault["field"]) == ("query", "dry_run")
    assert (await editor.get("/v1/changes")).json()["latest"] == before


@pytest.mark.parametrize("path", ["/v1/parties/taliban", "/v1/regimes/KZ-NLTO"])
async def test_if_match_is_evaluated_for_reference_data_as_well(
    editor: httpx.AsyncClient, path: str
) -> None:
    shown = await editor.get(path)
    changed = shown.json() | {"name": "Another name"}
    stale = await editor.put(path, json=changed, headers={"If-Match": STALE})
    assert problem_of(stale, 412)["current"] == shown.json()
    assert stale.headers["etag"] == shown.headers["etag"]
    done = await editor.put(path, json=changed, headers={"If-Match": shown.headers["etag"]})
    assert (done.status_code, done.json()) == (200, changed | {"revision": 2})
    assert done.headers["etag"] == (await editor.get(path)).headers["etag"]
    unseen = {name: value for name, value in changed.items() if name not in {"id", "code"}}
    nothing = await editor.put(f"{path}-2", json=unseen, headers={"If-Match": "*"})
    assert "current" not in problem_of(nothing, 412)
