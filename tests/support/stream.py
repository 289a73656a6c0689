"""A client of the journal as server-sent events, which reads them as the standard says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

PATH = "/v1/changes/stream"


@dataclass
class Arrived:
    """One event as it arrived, or a comment."""

    id: str = ""
    event: str = ""
    data: str = ""
    comment: str = ""


class Stream:
    """An open stream, read as the standard says."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self._blocks = self._read()

    async def _read(self) -> AsyncIterator[Arrived]:
        block = Arrived()
        async for line in self.response.aiter_lines():
            name, _, value = line.partition(": ")
            if line:
                setattr(block, name or "comment", value)
            else:
                self.last_id = block.id or self.last_id
                yield block
                block = Arrived()

    async def next(self) -> Arrived:
        return await asyncio.wait_for(anext(self._blocks), 30)

    async def change(self) -> Any:
        while (block := await self.next()).event != "change":
            assert not block.data
        item = json.loads(block.data)
        assert block.id == str(item["seq"])
        return item

    async def changes(self, count: int) -> list[Any]:
        return [await self.change() for _ in range(count)]

    async def rest(self) -> list[Arrived]:
        return [block async for block in self._blocks]


@asynccontextmanager
async def opened(
    address: str, since: int | None = None, last: str | None = None
) -> AsyncIterator[Stream]:
    """Open a stream and wait for its beginning."""
    query = {} if since is None else {"since": since}
    headers = {} if last is None else {"Last-Event-ID": last}
    async with (
        httpx.AsyncClient(base_url=address, timeout=30) as client,
        client.stream("GET", PATH, params=query, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        reader = Stream(response)
        assert (await reader.next()).comment.startswith("after change")
        yield reader
