"""A client that talks to the application in the test's own process and event loop."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from app.db.engine import Database
from app.db.prepared import Prepared, Values
from app.db.reading import Reading
from app.main import create_app
from app.settings import Settings


@asynccontextmanager
async def client_of(url: str, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client of an application on this database."""
    app = create_app(Settings(database_url=url, **settings))
    transport = httpx.ASGITransport(app)
    async with (
        app.state.database,
        app.state.freshness,
        httpx.AsyncClient(transport=transport, base_url="http://register.example") as client,
    ):
        yield client


@pytest.fixture
async def client(timeline_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the sample timeline."""
    async with client_of(timeline_url) as client:
        yield client


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL statements that applications made after this point execute."""
    seen: list[str] = []
    plain = Database.__init__

    def listening(self: Database, url: str, *connections: int) -> None:
        plain(self, url, *connections)
        for one in (self._reader, self._editor, self._writer, self._streamer):
            event.listen(
                one.sync_engine,
                "before_cursor_execute",
                lambda _c, _k, statement, *_: seen.append(statement),
            )

    fetch = Reading.fetch

    async def heard(self: Reading, prepared: Prepared, values: Values) -> Sequence[Any]:
        seen.append(prepared.sql)
        return await fetch(self, prepared, values)

    monkeypatch.setattr(Database, "__init__", listening)
    monkeypatch.setattr(Reading, "fetch", heard)
    return seen
