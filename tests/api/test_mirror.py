"""A copy of the register that applies the journal's items in order comes to be the register."""

import asyncio
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.support.client import client_of
from tests.support.editing import editor_of
from tests.support.factories import facts

WRITERS, WRITES = 3, 12
PARTIES = ("taliban", "hamas")
SHOWN = ("name", "kind", "country")


@dataclass
class Mirror:
    """What somebody keeps who knows the documentation of /v1/changes and nothing else."""

    events: dict[str, Any] = field(default_factory=dict)
    parties: dict[str, Any] = field(default_factory=dict)
    seq: int = 0

    async def follow(self, client: httpx.AsyncClient) -> bool:
        """Apply the next items; return whether there were any."""
        page = (await client.get("/v1/changes", params={"since": self.seq, "limit": 50})).json()
        for item in page["items"]:
            assert item["seq"] > self.seq
            self.seq = item["seq"]
            getattr(self, f"apply_{item['type']}")(item)
        return bool(page["items"])

    def apply_event(self, item: Any) -> None:
        if "tombstone" in item:
            self.events.pop(item["id"], None)
        else:
            self.events[item["id"]] = item["document"]

    def apply_party(self, item: Any) -> None:
        party = self.parties[item["id"]] = item["document"]
        for event in self.events.values():
            for participant in event["participants"]:
                if participant["party"] == item["id"]:
                    participant |= {name: party[name] for name in SHOWN}

    def apply_regime(self, item: Any) -> None:
        """No document of an event shows more of it than its code."""


async def write(editor: httpx.AsyncClient, random: Random, writer: int) -> None:
    """Record, correct, retract and restore events, and rename and move parties, at random."""
    for number in range(WRITES):
        event = f"event-{writer}-{random.randrange(4)}"
        party = random.choice(PARTIES)
        roles = [{"party": "KZ", "role": "actor"}, {"party": party, "role": "subject"}]
        act = random.choice(["put", "put", "rename", "rename", "retract"])
        if act == "rename":
            called = {"name": f"{party} {writer} {number}", "country": random.choice(["AF", "PS"])}
            await editor.put(f"/v1/parties/{party}", json={"kind": "organisation", **called})
            continue
        path = f"/v1/events/{event}"
        before = await editor.get(path)
        match = {"If-Match": before.headers["etag"]} if "etag" in before.headers else {}
        if act == "put":
            body = facts(title=f"Title {number}", participants=roles)
            await editor.put(path, json=body, headers=match)
        else:
            is_gone = before.status_code == 410
            what, body = ("restore", {}) if is_gone else ("retract", {"reason": "Doubt."})
            await editor.post(f"{path}/{what}", json=body, headers=match)


async def exported(client: httpx.AsyncClient) -> dict[str, Any]:
    lines = (await client.get("/v1/events.jsonl")).text.splitlines()
    return {event["id"]: event for event in map(json.loads, lines)}


async def test_a_mirror_converges_while_others_write(loaded_url: str) -> None:
    mirror = Mirror()
    async with editor_of(loaded_url) as editor, client_of(loaded_url) as reader:
        writers = [write(editor, Random(n), n) for n in range(WRITERS)]
        writing = asyncio.gather(*writers)
        while not writing.done():
            await mirror.follow(reader)
        await writing
        while await mirror.follow(reader):
            pass
        assert mirror.events == await exported(reader)
        for party in PARTIES:
            assert mirror.parties[party] == (await reader.get(f"/v1/parties/{party}")).json()
            assert mirror.parties[party]["revision"] > 2
