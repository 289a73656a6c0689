"""A real server in the test's own process and event loop, so that a test can see and change it."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from app.api.connection.bounds import BoundedProtocol
from app.main import create_app
from app.settings import Settings

PATIENCE_S = 60


@asynccontextmanager
async def running(url: str) -> AsyncIterator[tuple[str, FastAPI]]:
    """Run a server in the test's own process, so that a test can see and change it."""
    app = create_app(Settings(database_url=url))
    config = uvicorn.Config(app, http=BoundedProtocol, lifespan="on", log_level="warning")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    # Not `serve`, which takes the signals.
    serving = asyncio.create_task(server._serve([listener]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", app
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 10)


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait for something that nobody announces."""
    deadline = time.monotonic() + PATIENCE_S
    while not (held if isinstance(held := condition(), bool) else await held):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
