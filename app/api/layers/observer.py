"""Sees every request and its answer: gives the id, counts, logs, traces.

Of a request its path is told, never what was asked behind the `?`, no header, no body, and not who
asked: neither what editors keep secret nor what others want to know is for those who run the
service to see.
"""

import logging
import time

from opentelemetry import trace
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.exchange import IN_SCOPE, Exchange
from app.api.metrics.tally import Tally
from app.api.problems import STATUS_OF
from app.domain.discretion import discreet
from app.domain.errors import OverloadedError

logger = logging.getLogger("chancery.requests")

LOGGED_PATH_LENGTH = 200
_OUR_FAULT = 500
_TURNED_AWAY = STATUS_OF[OverloadedError].code
_TRACED = "fastapi.telemetry"


def begin_exchange(scope: Scope, send: Send) -> Exchange:
    """Return the exchange that a request begins, which finds its place in the scope."""
    exchange = scope[IN_SCOPE] = Exchange(scope, send)
    if _TRACED in scope:
        _trace(scope, exchange)
    return exchange


def name_route(scope: Scope, route: str | None) -> None:
    """Say what a request was about that the router doesn't see, before it is answered."""
    scope[IN_SCOPE].route = route
    if _TRACED in scope and route is not None:
        scope[_TRACED].route = route
        trace.get_current_span().update_name(f"{scope['method']} {route}")


def note(tally: Tally, scope: Scope, exchange: Exchange, seconds: float) -> None:
    """Count an answer, and log it where that is wanted or it is a fault of ours.

    That more is asked than can be answered is logged once, and not for each who is turned away.
    """
    tally.add(exchange.route, scope["method"], exchange.status, seconds)
    is_turned_away = exchange.problem == _TURNED_AWAY
    tally.turned_away += is_turned_away
    is_usual = exchange.has_left or is_turned_away
    if not (is_usual or 0 < exchange.status < _OUR_FAULT):
        logger.warning("answered", extra={"facts": _facts(scope, exchange, seconds)})
    elif logger.isEnabledFor(logging.INFO):
        logger.info("answered", extra={"facts": _facts(scope, exchange, seconds)})


class Observer:
    """Sees what the response cache leaves to the application."""

    def __init__(self, app: ASGIApp, tally: Tally) -> None:
        """Wrap the application."""
        self.app = app
        self._tally = tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have one request answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = begin_exchange(scope, send)
        tally = self._tally
        tally.in_flight += 1
        began = time.perf_counter()
        try:
            await self.app(scope, receive, exchange)
        finally:
            tally.in_flight -= 1
            note(tally, scope, exchange, time.perf_counter() - began)


def _facts(scope: Scope, exchange: Exchange, seconds: float) -> dict[str, object]:
    facts = {
        "request": exchange.id,
        "method": scope["method"],
        "path": scope["path"][:LOGGED_PATH_LENGTH],
        "route": exchange.route,
        "status": exchange.status or None,
        "ms": round(seconds * 1000, 3),
        "bytes": exchange.sent,
        "key": exchange.key,
        "problem": exchange.problem,
        "reason": exchange.reason,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _trace(scope: Scope, exchange: Exchange) -> None:
    """Name the request in FastAPI's span, and take out of it what isn't to be told."""
    span = trace.get_current_span()
    span.set_attribute("chancery.request", exchange.id)
    span.set_attribute("url.path", discreet(scope["path"]))
    if scope["query_string"]:
        span.set_attribute("url.query", "REDACTED")
