"""The files that pages load, served by the service itself: no other host is asked for anything."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from app.api.conditional import CACHE_CONTROL, answer

STATIC = Path(__file__).parent / "static"


def add_assets(app: FastAPI) -> None:
    """Add the files to the application."""
    app.mount("/static", Assets(directory=STATIC))
    _add_icon(app)


class Assets(StaticFiles):
    """The files that pages load: kept by browsers, which ask each time whether they still hold."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the whole file, also where a part is asked for.

        The plain and the compressed form share a tag, so parts of both could be mixed up.
        """
        whole = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": whole}, receive, send)

    def get_path(self, scope: Scope) -> str:
        """Return which file is asked for; each has one address, without a slash at its end."""
        path = super().get_path(scope)
        if scope["path"] != f"{scope['root_path']}/{path}":
            raise HTTPException(404)
        return path

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """Return the file, or 304 where the browser has it already."""
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = CACHE_CONTROL
        if isinstance(response, FileResponse):
            response.headers["Accept-Ranges"] = "none"
        return response


def _add_icon(app: FastAPI) -> None:
    # Browsers ask for it at this address even where no page names it, and read SVG there as well.
    icon = (STATIC / "icon.svg").read_bytes()

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon(request: Request) -> Response:
        return answer(request, icon, "image/svg+xml")
