"""Which methods an address takes, and which addresses are those that watch the service ask."""

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Scope

WATCHED = frozenset({"/livez", "/readyz", "/metrics"})
"""What watches the service is answered anew each time, however much else is asked."""

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def allowed_methods(app: FastAPI, scope: Scope) -> list[str]:
    """Return the methods that some route offers at this path, none where the path is unknown."""
    if scope["path"] == "*":
        # The service as a whole (RFC 9110, section 9.3.7).
        return sorted([*METHODS, "HEAD", "OPTIONS"])
    offered = {method for method in METHODS if _is_offered(app, {**scope, "method": method})}
    if "GET" in offered:
        offered.add("HEAD")
    return sorted(offered | {"OPTIONS"}) if offered else []


def _is_offered(app: FastAPI, scope: Scope) -> bool:
    # The routes are those of the whole application, also where files have taken the request over.
    whole = {**scope, "root_path": scope.get("app_root_path", scope.get("root_path", ""))}
    return any(_takes(route, whole) for route in app.routes)


def _takes(route: BaseRoute, scope: Scope) -> bool:
    # What is mounted is files, which would match with any method.
    if isinstance(route, Mount) and scope["method"] != "GET":
        return False
    return route.matches(scope)[0] is Match.FULL
