"""Uploads of editors: slow ones cost nobody else anything, and a key can't hold much at once."""

import asyncio
import errno
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from app.api import uploads
from app.api.uploads import UploadLimit
from app.domain.errors import TooManyUploadsError
from app.domain.keys import Scope
from tests.support.factories import facts
from tests.support.keys import bearer, key_for
from tests.support.problems import problem_of
from tests.support.server import running, until

JSON = "application/json"
SLOW = 8
# Slow enough to last for the whole test, fast enough for the protocol's bounds.
PIECE, PAUSE_S = b" " * 1_100, 1.0
# The uploads last for a quarter of an hour; a second is enough where the machine isn't busy.
SERVED_WITHIN_S = 5.0


@dataclass
class Register:
    """A running server with two editors' keys."""

    address: str
    app: FastAPI
    slow_key: str
    other_key: str


@pytest.fixture
async def register(empty_url: str) -> AsyncIterator[Register]:
    slow_key = await key_for(empty_url, Scope.EDIT, name="slow")
    other_key = await key_for(empty_url, Scope.EDIT, name="other")
    async with running(empty_url) as (address, app):
        yield Register(address, app, slow_key, other_key)


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


def hang_up(writer: asyncio.StreamWriter) -> None:
    """Break off; a writer that nobody knows any more would do so by itself."""
    writer.transport.abort()


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
            hang_up(writer)


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


async def test_a_key_may_have_only_so_much_on_its_way(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = UploadLimit(2_500_000)
    monkeypatch.setattr(register.app.state, "upload_limit", limit)
    async with AsyncExitStack() as stack:
        for number in range(2):
            _, writer = await begin(register, f"/v1/events/slow-{number}", JSON, 1_000_000)
            stack.callback(hang_up, writer)
            writer.write(b" " * 900_000)
        await until(lambda: sum(limit._bytes.values()) == 1_800_000)
        reader, writer = await begin(register, "/v1/events/third", JSON, 1_000_000)
        stack.callback(hang_up, writer)
        writer.write(b" " * 900_000)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 429 ")
        assert "retry-after: 10\r\n" in head
        assert b'"code":"too-many-uploads"' in await reader.read(1_000)
        # A file is counted by itself, and so is another editor's edit.
        _, writer = await begin(register, "/v1/imports", "application/jsonl", 5_000_000)
        stack.callback(hang_up, writer)
        writer.write(b" " * 3_000_000)
        await until(lambda: sum(limit._bytes.values()) == 4_800_000)
        async with httpx.AsyncClient(base_url=register.address) as other:
            note = {"note": " " * 800_000}
            written = await other.put(
                "/v1/events/other", json=facts() | note, headers=bearer(register.other_key)
            )
            assert written.status_code == 422
    await until(lambda: not limit._bytes and not limit._bodies)


async def test_without_a_key_nothing_of_a_body_is_waited_for(register: Register) -> None:
    nobody = replace(register, slow_key="none")
    reader, writer = await begin(nobody, "/v1/events/an-event", JSON, 1_000_000)
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401 ")
    hang_up(writer)


async def test_a_disk_without_room_is_told(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(BytesIO):
        def __init__(self, **_: object) -> None:
            super().__init__()

        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            super().close()
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(uploads, "SpooledTemporaryFile", Full)
    async with httpx.AsyncClient(
        base_url=register.address, headers=bearer(register.other_key)
    ) as client:
        problem = problem_of(await client.put("/v1/events/an-event", json=facts()), 503)
    assert problem["code"] == "busy"
    assert "disk" in problem["detail"]


def test_who_has_nothing_on_its_way_takes_no_memory() -> None:
    limit = UploadLimit(100)
    with limit.body("a") as alone:
        alone.add(500)
        with limit.body("b") as other:
            other.add(100)
        with limit.body("a") as second, pytest.raises(TooManyUploadsError):
            second.add(1)
    with limit.body("a") as first, limit.body("a") as second:
        first.add(60)
        second.add(40)
        with pytest.raises(TooManyUploadsError):
            second.add(1)
        # Not even a small one that comes afterwards ends the first.
        first.add(1)
    assert not limit._bytes
    assert not limit._bodies
