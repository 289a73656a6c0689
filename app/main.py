"""The composition root: everything is put together here, and nothing happens on import."""

import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES
from starlette.types import Lifespan

from app import __version__
from app.api import auth, imprint, openapi, problems
from app.api.formats.registry import XLSX
from app.api.layers.cache import Cache
from app.api.layers.compression import Compression
from app.api.layers.envelope import Envelope
from app.api.layers.observer import Observer
from app.api.metrics import exposition
from app.api.metrics.tally import Tally
from app.api.metrics.workers import FOLDER_VARIABLE, Workers
from app.api.routes import (
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
from app.db.engine import Database
from app.db.freshness import Freshness
from app.db.notifications import Notifications
from app.domain.errors import MisconfiguredError
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
# Spans and metrics go where the OTEL_ variables say, and cost nothing where they say nothing. Logs
# would go there with the whole text of exceptions, which may hold what somebody sent.
TELEMETRY: TelemetryConfig = {"auto_configure": True, "logs": False}


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
        async with database, freshness, notifications, workers:
            yield

    app = _bare(lifespan)
    app.state.settings = settings
    app.state.database = database
    app.state.freshness = freshness
    app.state.streams = streams
    app.state.tally = tally
    app.state.workers = workers
    app.state.failed_attempts = auth.failed_attempts()
    _add_routes(app)
    _add_layers(app)
    return app


def create_app_from_environment() -> FastAPI:
    """Return the application as the environment configures it: what each worker calls."""
    # Else Python would print its warnings between the lines of the log.
    logging.captureWarnings(capture=True)
    folder = os.environ.get(FOLDER_VARIABLE)
    app = create_app(settings_from_environment(), Path(folder) if folder else None)
    # What is there now is there to stay: looking through it for what isn't takes a tenth of a
    # second each time, in which nobody is answered.
    gc.collect()
    gc.freeze()
    return app


def _bare(lifespan: Lifespan[FastAPI]) -> FastAPI:
    return FastAPI(
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


def _add_layers(app: FastAPI) -> None:
    app.add_middleware(
        Compression,
        minimum_size=GZIP_MINIMUM_BYTES,
        compresslevel=GZIP_LEVEL,
        exclude_content_types=NOT_COMPRESSED,
    )
    app.add_middleware(Envelope)
    # Each stands before those that were added earlier: all is seen, also what the cache answers.
    app.add_middleware(Cache, freshness=app.state.freshness, tally=app.state.tally)
    app.add_middleware(Observer, tally=app.state.tally)
    for error in problems.STATUS_OF:
        app.add_exception_handler(error, problems.on_chancery_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, problems.on_invalid_parameters)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, problems.on_http_error)  # type: ignore[arg-type]
