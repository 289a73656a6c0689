"""What the server's protocol answers by itself: the same as the application would."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.api.layers.cache import Cache
from app.db import freshness
from tests.support.editing import editor_of, seen
from tests.support.server import running

PATH = "/v1/events?country=KZ&limit=1"
# The protocol doesn't know what a proxy's word is worth, so it leaves this to the application, for
# which this word is worth nothing.
FORWARDED = {"X-Forwarded-Proto": "gopher"}
# Else each answer would have an id of its own.
SAME = {"X-Request-Id": "same"}


@pytest.fixture
async def client(timeline_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running(timeline_url) as (address, _),
        httpx.AsyncClient(base_url=address, headers=SAME) as client,
    ):
        yield client


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that have passed the application's layers."""
    # However slow the machine is, what is known is still new.
    monkeypatch.setattr(freshness, "LONGEST_S", 600)
    paths: list[str] = []
    call = Cache.__call__

    async def noting(self: Cache, scope: Any, *way: Any) -> None:
        paths.append(scope.get("path", ""))
        await call(self, scope, *way)

    monkeypatch.setattr(Cache, "__call__", noting)
    return paths


def lasting(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """Return what of an answer doesn't change from second to second."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("tags", ["*", '"another"'])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_the_answer_is_the_applications(
    client: httpx.AsyncClient, passed: list[str], method: str, tags: str, encoding: str
) -> None:
    headers = {"If-None-Match": tags, "Accept-Encoding": encoding}
    await client.get(PATH, headers=headers | {"If-None-Match": '"another"'})
    passed.clear()
    at_once = await client.request(method, PATH, headers=headers)
    assert passed == []
    by_layers = await client.request(method, PATH, headers=headers | FORWARDED)
    assert passed == ["/v1/events"]
    assert lasting(at_once) == lasting(by_layers)
    assert "date" in at_once.headers
    assert at_once.headers["x-request-id"] == "same"


async def test_a_proxy_that_names_the_scheme_that_it_is_costs_nothing(
    client: httpx.AsyncClient, passed: list[str]
) -> None:
    expected = lasting(await client.get(PATH))
    passed.clear()
    assert lasting(await client.get(PATH, headers={"X-Forwarded-Proto": "http"})) == expected
    assert passed == []


async def test_the_same_again_is_answered_by_what_is_new(loaded_url: str) -> None:
    address = "/v1/events/kz-taliban-delisting-2023"
    async with (
        running(loaded_url) as (base, _),
        httpx.AsyncClient(base_url=base) as client,
        editor_of(loaded_url) as editor,
    ):
        for number in range(5):
            title = f"Title {number}"
            tag = await seen(editor, address.rpartition("/")[2])
            assert (await editor.patch(address, json={"title": title}, headers=tag)).is_success
            # Asked without a pause, so that the answer is at hand and heard until it is too old.
            deadline = time.monotonic() + 10
            while (await client.get(address)).json()["title"] != title:
                assert time.monotonic() < deadline


async def test_who_comes_through_a_proxy_gets_links_for_it(client: httpx.AsyncClient) -> None:
    for scheme in ("http", "https", "http"):
        headers = {"X-Forwarded-Proto": scheme} if scheme == "https" else {}
        answer = await client.get(PATH, headers=headers)
        assert answer.json()["next"].startswith(f"{scheme}://")


async def test_what_is_refused_is_refused_also_if_it_resembles_what_is_known(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get(PATH)).status_code == 200
    host, port = client.base_url.host, client.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    named = f"Host: {host}:{port}\r\n"
    writer.write(f"GET {PATH} HTTP/1.1\r\n{named}{named}Connection: close\r\n\r\n".encode())
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_another_connections_rest_is_kept_in_order(client: httpx.AsyncClient) -> None:
    first = await client.get(PATH)
    for number in range(200):
        asked = PATH if number % 3 else f"/v1/events?limit={number + 1}"
        answer = await client.get(asked)
        assert answer.json()["items"]
        if number % 3:
            assert answer.content == first.content
