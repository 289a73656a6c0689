"""The journal as server-sent events: woken by the database, read by number, so nothing is missed.

An open stream holds no connection of the pools while it waits, and asks the journal whenever the
database has said that something was written, and at every heartbeat as well.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BeforeValidator, field_validator

from app.api.layers.envelope import WITHOUT_BODY
from app.api.parameters import QueryModel, asked, drop_null, parameter, whole_number
from app.api.problem_responses import documented, problem_response
from app.api.problems import Sort, problem
from app.api.routes.changes import MAX_SEQ, change_json
from app.api.state import Closing
from app.db.engine import Database
from app.db.notifications import Notifications
from app.domain.errors import UnavailableError
from app.queries import history
from app.queries.history import Change

router = APIRouter(prefix="/v1", tags=["History"])

# Proxies close what is silent for a minute, some for half of one.
HEARTBEAT_S = 15.0
HEARTBEAT = format_sse_event(comment="heartbeat")
# So many streams may be open in one process, and so many of them read at the same time: one
# change wakes all, and they must leave the pool's connections to those who ask.
MAX_STREAMS = 100
READERS = 2
PAGE = 100
# While the database is away the journal is asked so often; the answer to a full house says when
# to come again.
RETRY_S = 2.0
COME_AGAIN_S = 30
TOO_MANY = Sort(503, "too-many-streams", "Too many streams are open")
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

EXAMPLE = """\
: after change 41
id: 41

event: change
data: {"seq":42,"type":"event","id":"kz-taliban-delisting-2023",…,"revision":2,"action":"correct",…}
id: 42

: heartbeat

"""
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "An endless text of events. Each `data` is one item of /v1/changes (`ChangeDocument`)."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    },
    **documented(422),
    503: problem_response(
        "Too many streams are open, or the database is away; try again after `Retry-After` seconds."
    ),
}


class StreamParameters(QueryModel):
    """The parameters of the stream."""

    since: int | None = parameter(
        None,
        "After which change",
        "The `seq` of the last change you have; 0 gives all from the first, and without it the "
        "stream begins with what comes from now on. A whole number.",
    )

    @field_validator("since", mode="before")
    @classmethod
    def _a_seq(cls, value: Any) -> int:
        return whole_number(value, 0, MAX_SEQ)


def _seq(value: str | None) -> int | None:
    # A blank one says nothing, as with the parameters.
    return whole_number(value.strip(), 0, MAX_SEQ) if value and value.strip() else None


LastEventId = Annotated[
    int | None,
    BeforeValidator(_seq),
    Header(
        alias="Last-Event-ID",
        title="The last event that arrived",
        description="Sent by browsers when they connect again; it goes before `since`.",
        json_schema_extra=drop_null,
    ),
]


class Streams:
    """The open streams of this process."""

    def __init__(self, database: Database, notifications: Notifications) -> None:
        """Keep where the journal is read and where its bell is heard."""
        self._database = database
        self._notifications = notifications
        self._readers = asyncio.Semaphore(READERS)

    @property
    def count(self) -> int:
        """How many are open."""
        return self._notifications.listeners

    async def latest(self) -> int:
        """Return the number of the newest change."""
        async with self._database.reading() as connection:
            return (await history.end(connection)).latest

    def heard(self) -> AbstractAsyncContextManager[asyncio.Event]:
        """Open a stream: lend the event that is set when it is to ask the journal."""
        return self._notifications.heard()

    async def events(
        self, since: int, heard: asyncio.Event, end: asyncio.Event
    ) -> AsyncGenerator[bytes, None]:
        """Yield what came after a number and what comes, with heartbeats between, to the end."""
        pages = self._pages(since, heard)
        ending, coming = asyncio.create_task(end.wait()), asyncio.ensure_future(anext(pages))
        try:
            while not ending.done():
                # A heartbeat must not wait for a database that is away.
                waited = {coming, ending}
                await asyncio.wait(waited, timeout=HEARTBEAT_S, return_when="FIRST_COMPLETED")
                if coming.done():
                    yield coming.result()
                    coming = asyncio.ensure_future(anext(pages))
                elif not ending.done():
                    yield HEARTBEAT
        finally:
            for task in (coming, ending):
                task.cancel()
            await asyncio.gather(coming, ending, return_exceptions=True)
            await pages.aclose()

    async def _pages(self, since: int, heard: asyncio.Event) -> AsyncGenerator[bytes, None]:
        # An id without data tells a browser where to go on, even before the first event.
        yield format_sse_event(comment=f"after change {since}", id=str(since))
        while True:
            # Cleared before the journal is asked, so that what comes meanwhile is asked for again.
            heard.clear()
            try:
                changes = await self._page(since)
            except UnavailableError:
                await _woken(heard, RETRY_S)
                continue
            if changes:
                since = changes[-1].row.seq
                yield b"".join(map(_event, changes))
            if len(changes) < PAGE:
                await _woken(heard, HEARTBEAT_S)

    async def _page(self, since: int) -> Sequence[Change]:
        async with self._readers, self._database.reading() as connection:
            return await history.changes(connection, since, PAGE)


async def _woken(heard: asyncio.Event, longest: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(longest):
            await heard.wait()


def _event(change: Change) -> bytes:
    return format_sse_event(event="change", data_str=change_json(change), id=str(change.row.seq))


async def _streams(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


def _full() -> Response:
    detail = f"{MAX_STREAMS} streams are open here already. Poll /v1/changes, or try again later."
    headers = {"Retry-After": str(COME_AGAIN_S)}
    return problem(TOO_MANY, detail, headers=headers)


@router.get(
    "/changes/stream",
    summary="Changes as they happen",
    # FastAPI's class, named here, would add a keep-alive and a Cache-Control of its own.
    response_class=Response,
    responses=_RESPONSES,
)
async def stream_changes(
    request: Request,
    parameters: Annotated[StreamParameters, asked(StreamParameters)],
    streams: Annotated[Streams, Depends(_streams)],
    closing: Closing,
    last_event_id: LastEventId = None,
) -> Response:
    """The journal of /v1/changes as server-sent events: each change the moment it is recorded.

    The answer never ends, so a form can't show it: use `curl -N`, or `EventSource` in a program.
    Every event is named `change`, its `id` is the change's `seq`, and its `data` is the same item
    as in /v1/changes. A browser that was cut off goes on by itself where it stopped; a program of
    yours sends the last `id` as `Last-Event-ID` or `since`. Lines that begin with a colon only say
    that the connection is alive.
    """
    end = asyncio.Event()
    # The server's protocol calls it when the service is to stop.
    request.state.on_shutdown = end.set
    since = parameters.since if last_event_id is None else last_event_id
    if since is None:
        since = await streams.latest()
    if streams.count >= MAX_STREAMS:
        return _full()
    if request.scope.get(WITHOUT_BODY):
        return EventSourceResponse((), headers=HEADERS)
    heard = await closing.enter_async_context(streams.heard())
    events = streams.events(since, heard, end)
    closing.push_async_callback(events.aclose)
    return EventSourceResponse(events, headers=HEADERS)
