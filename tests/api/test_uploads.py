"""Uploads of editors: slow ones cost nobody else anything, and a key can't hold much at once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from app.domain.keys import Scope
from tests.support.factories import facts
from tests.support.keys import bearer, key_for
from tests.support.server import running

SLOW = 8
# Slow enough to last for the whole test, fast enough for the protocol's bounds.
PIECE, PAUSE_S = b" " * 1_100, 1.0
# The uploads last for a quarter of an hour; a second is enough where the machine isn't busy.
SERVED_WITHIN_S = 5.0


@dataclass
class Register:
    """A running server with two editors' keys."""

    address: str
    slow_key: str
    other_key: str


@pytest.fixture
async def register(empty_url: str) -> AsyncIterator[Register]:
    slow_key = await key_for(empty_url, Scope.EDIT, name="slow")
    other_key = await key_for(empty_url, Scope.EDIT, name="other")
    async with running(empty_url) as (address, _):
        yield Register(address, slow_key, other_key)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def begin(register: Register, path: str, media_type: str, length: int) -> Connection:
    """Send the head of an upload with the slow editor's key."""
    where = urlsplit(register.address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    method = "POST" if path == "/v1/imports" else "PUT"
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {register.slow_key}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
    )
    writer.write(head.encode())
    return reader, writer


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(PIECE)
        await asyncio.sleep(PAUSE_S)


@asynccontextmanager
async def slow_uploads(
    register: Register, path: Callable[[int], str], media_type: str
) -> AsyncIterator[None]:
    """Have so many slow uploads under way meanwhile."""
    connections = [await begin(register, path(n), media_type, 1_000_000) for n in range(SLOW)]
    dripping = [asyncio.create_task(drip(writer)) for _, writer in connections]
    try:
        # They have passed their keys, and are waited for.
        await asyncio.sleep(0.5)
        yield
    finally:
        for each in dripping:
            each.cancel()
        for _, writer in connections:
            writer.transport.abort()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/v1/events/slow-{}", "application/json"), ("/v1/imports", "application/jsonl")],
)
async def test_slow_uploads_keep_no_other_editor_waiting(
    register: Register, path: str, media_type: str
) -> None:
    async with (
        slow_uploads(register, path.format, media_type),
        httpx.AsyncClient(base_url=register.address, headers=bearer(register.other_key)) as other,
    ):
        for number in range(5):
            began = time.monotonic()
            written = await other.put(f"/v1/events/other-{number}", json=facts())
            assert written.status_code == 201, written.text
            assert time.monotonic() - began < SERVED_WITHIN_S
        began = time.monotonic()
        row = json.dumps({"id": "imported", **facts()})
        imported = await other.post(
            "/v1/imports", content=row, headers={"Content-Type": "application/jsonl"}
        )
        assert imported.status_code == 200, imported.text
        assert time.monotonic() - began < SERVED_WITHIN_S
        assert (await other.get("/livez")).status_code == 200
