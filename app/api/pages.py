"""Pages: items that are JSON already, the address of the next page, and what else belongs there."""

import json
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.api.conditional import answer
from app.api.links import continued


def page(
    request: Request,
    items: Iterable[str],
    next_cursor: str | None,
    **members: Any,
) -> Response:
    """Return a page: `items`, `next` (also as a Link, RFC 8288) and the other members."""
    address = continued(request, next_cursor) if next_cursor else None
    rest = json.dumps({"next": address, **members}, ensure_ascii=False, separators=(",", ":"))
    body = f'{{"items":[{",".join(items)}],{rest[1:]}'
    return answer(request, body, headers={"Link": f'<{address}>; rel="next"'} if address else None)
