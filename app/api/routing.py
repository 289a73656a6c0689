"""Which methods an address takes, and which addresses are those that watch the service ask."""

from fastapi import FastAPI
from starlette.routing import Match
from starlette.types import Scope

WATCHED = frozenset({"/livez", "/readyz", "/metrics"})
"""What watches the service is answered anew each time, however much else is asked."""

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def allowed_methods(app: FastAPI, scope: Scope) -> list[str]:
    """Return the methods that some route offers at this path, none where the path is unknown."""
    offered = {method for method in METHODS if _is_offered(app, {**scope, "method": method})}
    if "GET" in offered:
        offered.add("HEAD")
    return sorted(offered | {"OPTIONS"}) if offered else []


def _is_offered(app: FastAPI, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)
