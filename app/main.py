"""The composition root: everything is put together here, and nothing happens on import."""

import gc
import logging
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES
from starlette.types import Lifespan, Receive, Scope, Send

from app import __version__
from app.api import auth, imprint, openapi, problems
from app.api.cursor import CursorCodec
from app.api.formats.registry import XLSX
from app.api.layers.admission import Admission
from app.api.layers.compression import Compression
from app.api.layers.envelope import Envelope
from app.api.layers.observer import Observer
from app.api.metrics import exposition
from app.api.metrics.tally import Tally
from app.api.metrics.workers import FOLDER_VARIABLE, Workers
from app.api.routes import (
    changes,
    columns,
    editing,
    events,
    exports,
    facets,
    health,
    history,
    imports,
    keys,
    measures,
    metrics,
    parties,
    position_exports,
    positions,
    regimes,
    stream,
    territories,
    vocabulary,
)
from app.api.uploads import UploadLimit
from app.commands.idempotency import Purger
from app.db.engine import Database
from app.db.freshness import Freshness
from app.db.notifications import Notifications
from app.domain.errors import MisconfiguredError
from app.middleware.response_cache import ResponseCache
from app.settings import Settings, settings_from_environment
from app.web import assets, docs, event_page, measure_page, positions_page, timeline

# In the order in which the documentation shows them.
RESOURCES = (
    events,
    facets,
    positions,
    exports,
    position_exports,
    columns,
    measures,
    history,
    changes,
    stream,
    editing,
    imports,
    territories,
    parties,
    regimes,
    vocabulary,
    keys,
    health,
)
PAGES = (timeline, event_page, measure_page, positions_page)
# Small bodies gain nothing from compression, and the highest level costs more than it saves.
GZIP_MINIMUM_BYTES = 1_000
GZIP_LEVEL = 5
# A workbook is compressed already, and its length is known.
NOT_COMPRESSED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, XLSX.media_type)
# How long a worker whose parent was killed has to end in good order.
ORPHAN_SHUTDOWN_S = 1.5
# Spans and metrics go where the OTEL_ variables say, and cost nothing where they say nothing. Logs
# would go there with the whole text of exceptions, which may hold what somebody sent.
TELEMETRY: TelemetryConfig = {"auto_configure": True, "logs": False}


class Application(FastAPI):
    """FastAPI, with the response cache before all that it does by itself.

    What FastAPI and Starlette do to each request, before the first middleware is called, takes
    longer than a hit in the cache. But they begin OpenTelemetry's spans there, so where those are
    wanted the cache is a middleware like the others.
    """

    response_cache: ResponseCache | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self.response_cache is None or scope["type"] != "http":
            await super().__call__(scope, receive, send)
        else:
            await self.response_cache(scope, receive, send)

    def add_response_cache(self) -> None:
        """Put the response cache before all else; to be called after the other middleware."""
        needed = {"freshness": self.state.freshness, "tally": self.state.tally}
        if any(name.startswith("OTEL_") for name in os.environ):
            self.add_middleware(ResponseCache, **needed)
        else:
            self.response_cache = ResponseCache(super().__call__, **needed)


def create_app(settings: Settings, workers_folder: Path | None = None) -> FastAPI:
    """Return the application for these settings.

    Args:
        settings: what can be configured.
        workers_folder: where the workers of a service meet; None for a service of one process.

    Raises:
        MisconfiguredError: there is no database URL; the embedded server is started before.

    """
    if settings.database_url is None:
        raise MisconfiguredError("No database: start the service with `chancery serve`.")
    database = Database(settings.database_url, settings.connections)
    freshness = Freshness(database)
    notifications = Notifications(settings.database_url)
    streams = stream.Streams(database, notifications)
    tally = Tally()
    workers = Workers(workers_folder, lambda: exposition.of_worker(tally, database, streams.count))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with database, freshness, notifications, workers, Purger(database):
            yield

    app = _bare(lifespan)
    app.state.settings = settings
    app.state.database = database
    app.state.freshness = freshness
    app.state.cursors = CursorCodec(database)
    app.state.streams = streams
    app.state.tally = tally
    app.state.workers = workers
    app.state.failed_attempts = auth.failed_attempts()
    app.state.upload_limit = UploadLimit()
    _add_routes(app)
    _add_layers(app)
    return app


def create_app_from_environment() -> FastAPI:
    """Return the application as the environment configures it: what each worker calls."""
    _end_with_parent()
    # Else Python would print its warnings between the lines of the log.
    logging.captureWarnings(capture=True)
    folder = os.environ.get(FOLDER_VARIABLE)
    app = create_app(settings_from_environment(), Path(folder) if folder else None)
    # What is there now is there to stay: looking through it for what isn't takes a tenth of a
    # second each time, in which nobody is answered.
    gc.collect()
    gc.freeze()
    return app


def _end_with_parent() -> None:
    """End this process, where it is one of several workers, soon after the one that started it.

    A parent that was killed can't tell its workers to end: they would keep the port for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        # It becomes readable when the parent ends, also if it has already.
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_SHUTDOWN_S)
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _bare(lifespan: Lifespan[FastAPI]) -> Application:
    return Application(
        title="chancery",
        version=__version__,
        summary=imprint.SUMMARY,
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        license_info=openapi.LICENSE,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=openapi.operation_id,
        telemetry=TELEMETRY,
    )


def _add_routes(app: FastAPI) -> None:
    for resource in RESOURCES:
        app.include_router(resource.router)
    # Not among the resources: it is for machines, and no part of what is promised to callers.
    app.include_router(metrics.router)
    for pages in PAGES:
        app.include_router(pages.router)
    docs.add_pages(app)
    assets.add_assets(app)
    openapi.complete(app, [resource.router for resource in RESOURCES])


def _add_layers(app: Application) -> None:
    app.add_middleware(
        Compression,
        minimum_size=GZIP_MINIMUM_BYTES,
        compresslevel=GZIP_LEVEL,
        exclude_content_types=NOT_COMPRESSED,
    )
    app.add_middleware(Envelope)
    # Each stands before those that were added earlier.
    app.add_middleware(Admission)
    app.add_middleware(Observer, tally=app.state.tally)
    app.add_response_cache()
    for error in problems.STATUS_OF:
        app.add_exception_handler(error, problems.on_chancery_error)  # type: ignore[arg-type]
    app.add_exception_handler(OSError, problems.on_os_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, problems.on_invalid_parameters)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, problems.on_http_error)  # type: ignore[arg-type]
