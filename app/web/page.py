"""Pages for people: HTML made by the service, which needs no script to be read.

Whatever a template is given is text to it and is escaped.
"""

from collections.abc import Callable, Coroutine
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from app.api.conditional import answer
from app.api.exchange import EXCHANGE
from app.api.imprint import LICENCE, SOFTWARE, SUMMARY
from app.api.problems import sort_of
from app.domain.errors import ChanceryError
from app.web import words

TEMPLATES = Path(__file__).parent / "templates"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
)


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    templates = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(words.FILTERS)
    templates.globals.update(
        licence=LICENCE, software=SOFTWARE, summary=SUMMARY, actions=words.ACTIONS
    )
    return templates


def page(
    request: Request,
    template: str,
    status: int = HTTPStatus.OK,
    *,
    framed: bool = False,
    **said: Any,
) -> Response:
    """Return the page that a template makes of what it is told.

    Args:
        request: what is answered.
        template: its name.
        status: 200, or what a problem has.
        framed: whether other sites may show the page within theirs.
        said: what the template needs.

    """
    body = _templates().get_template(template).render(framed=framed, **said)
    headers = {"Content-Security-Policy": _POLICY + ("*" if framed else "'none'")}
    return answer(request, body, "text/html", headers, status)


class PageRoute(APIRoute):
    """A route whose problems are told on a page as well."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answered = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await answered(request)
            except ChanceryError as error:
                return _problem(request, error)

        return handler


def _problem(request: Request, error: ChanceryError) -> Response:
    sort = sort_of(error)
    response = page(
        request,
        "problem.html",
        sort.status,
        title=sort.title,
        detail=str(error),
        request_id=EXCHANGE.get().id,
    )
    response.headers["Cache-Control"] = "no-store"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
