"""The query of an address, parsed once for all who look at it."""

from starlette.datastructures import QueryParams
from starlette.types import Scope

_IN_SCOPE = "chancery.query"


def parse_query(scope: Scope) -> QueryParams:
    """Return the parameters of a request, blank ones included."""
    if _IN_SCOPE not in scope:
        scope[_IN_SCOPE] = QueryParams(scope["query_string"])
    found: QueryParams = scope[_IN_SCOPE]
    return found
