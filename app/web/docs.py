"""Swagger UI, served by the service itself."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response


def add_pages(app: FastAPI) -> None:
    """Add the pages to the application."""

    @app.get("/", include_in_schema=False)
    async def front() -> Response:
        return RedirectResponse("/docs")
