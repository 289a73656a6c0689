"""An editor at work: a client with a key, on a database of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app.commands.keys import create_key
from app.db.engine import Database
from app.domain.keys import Scope
from tests.support.client import client_of

KNOWN = "kz-taliban-delisting-2023"
OTHER = "kz-taliban-listing-2005"


@asynccontextmanager
async def editor_of(url: str, name: str = "an editor") -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client that sends a key with the scope edit."""
    async with Database(url) as database, database.writing() as connection:
        key, _ = await create_key(connection, name, [Scope.EDIT], None)
    async with client_of(url) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


@pytest.fixture
async def editor(loaded_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key, on a register that holds the sample timeline."""
    async with editor_of(loaded_url) as client:
        yield client


async def seen(client: httpx.AsyncClient, event: str) -> dict[str, str]:
    """Return the If-Match header for the state of an event that the client has just seen."""
    response = await client.get(f"/v1/events/{event}", follow_redirects=False)
    return {"If-Match": response.headers["etag"]}


async def revisions(client: httpx.AsyncClient, event: str) -> list[dict[str, Any]]:
    """Return the history of an event, oldest first."""
    response = await client.get(f"/v1/events/{event}/revisions", params={"limit": 200})
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items[::-1]


async def turbulence(editor: httpx.AsyncClient) -> None:
    """Correct one event twice, retract and restore it, merge another into it, rename a party."""
    path = f"/v1/events/{KNOWN}"
    for title in ("First correction", "Second correction"):
        await editor.patch(path, json={"title": title}, headers=await seen(editor, KNOWN))
    await editor.post(
        f"{path}/retract", json={"reason": "Doubt."}, headers=await seen(editor, KNOWN)
    )
    await editor.post(f"{path}/restore", headers=await seen(editor, KNOWN))
    await editor.post(
        f"/v1/events/{OTHER}/merge", json={"into": KNOWN}, headers=await seen(editor, OTHER)
    )
    party = {"kind": "organisation", "name": "Renamed", "country": "AF"}
    assert (await editor.put("/v1/parties/taliban", json=party)).status_code == 200
