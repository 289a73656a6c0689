"""What no service on this stack can beat: constant bytes, once bare and once after parsing."""

import os
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Response
from starlette.types import Receive, Scope, Send

from app.api.filters import EventPageParameters

BODY = Path(os.environ["CONSTANT_BODY"]).read_bytes()
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer anything with the bytes."""
    if scope["type"] != "http":
        message = await receive()
        while message["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
            message = await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


parsing = FastAPI()


@parsing.get("/v1/events")
async def constant(parameters: Annotated[EventPageParameters, Query()]) -> Response:
    """Have FastAPI parse the service's own parameters, and answer with the bytes."""
    del parameters
    return Response(BODY, media_type="application/json")
