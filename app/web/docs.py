"""Swagger UI, served by the service itself: no other host is asked for anything."""

import json
from pathlib import Path
from string import Template
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from app.api.conditional import answer

TEMPLATES = Path(__file__).parent / "templates"
READING_DOCUMENT = "/openapi-docs.json"

# Tried in Chromium: Swagger UI needs neither inline scripts nor inline styles, for it sets styles
# through the object model, which the policy doesn't govern. Its style sheet draws arrows and ticks
# from `data:` addresses, which carry their picture in themselves and ask nobody.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_pages(app: FastAPI) -> None:
    """Add the pages to the application."""
    app.get(READING_DOCUMENT, include_in_schema=False)(reading_document)
    _add_swagger_ui(app, "/docs", READING_DOCUMENT)
    _add_swagger_ui(app, "/docs/editor", "/openapi.json")


def _add_swagger_ui(app: FastAPI, path: str, document: str) -> None:
    """Add a page at this path that shows the OpenAPI document at the other."""
    template = Template((TEMPLATES / "docs.html").read_text(encoding="utf-8"))
    page = template.substitute(document=document)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}

    @app.get(path, include_in_schema=False)
    async def swagger_ui(request: Request) -> Response:
        return answer(request, page, "text/html", headers)


async def reading_document(request: Request) -> Response:
    """Return the document that Swagger UI shows to those who only read."""
    # FastAPI keeps a route's function for good: one that knew its application would keep that too.
    document = only_reading(request.app.openapi())
    return answer(request, json.dumps(document, ensure_ascii=False))


def only_reading(document: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI document without the operations that write or need a key."""
    reading = {
        path: {"get": _for_people(operations["get"])}
        for path, operations in document["paths"].items()
        if "get" in operations and "security" not in operations["get"]
    }
    # Neither a button for a key that nothing here asks for, nor a heading with nothing under it.
    components = {n: v for n, v in document["components"].items() if n != "securitySchemes"}
    used = {tag for operations in reading.values() for tag in operations["get"]["tags"]}
    tags = [tag for tag in document["tags"] if tag["name"] in used]
    return {**document, "paths": reading, "components": components, "tags": tags}


def _for_people(operation: dict[str, Any]) -> dict[str, Any]:
    return {**operation, "parameters": [_explained(p) for p in operation.get("parameters", [])]}


def _explained(parameter: dict[str, Any]) -> dict[str, Any]:
    """Say in a parameter what Swagger UI wouldn't show, and leave a new value empty.

    It shows no titles, and its button for another value writes "string" into the new field unless
    there is a default.
    """
    schema = parameter["schema"]
    title = f"**{schema['title']}.** " if "title" in schema else ""
    told = title + parameter.get("description", "")
    if schema.get("items", {}).get("type") == "string":
        schema = {**schema, "items": {**schema["items"], "default": ""}}
    return {**parameter, "description": told, "schema": schema}
