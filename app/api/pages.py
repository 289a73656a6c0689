"""Pages: items that are JSON already, the address of the next page, and what else belongs there."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.api import cursor
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


def cursor_for(position: Sequence[Any] | None, question: Mapping[str, Any]) -> str | None:
    """Return the cursor for a position, or None at the end."""
    if position is None:
        return None
    texts = [value.isoformat() if isinstance(value, date) else value for value in position]
    return cursor.encode(texts, question)


def position_in(
    text: str | None, question: Mapping[str, Any], types: Sequence[type]
) -> list[Any] | None:
    """Return where a page begins, as values of these types, or None at the beginning."""
    if text is None:
        return None
    try:
        return [
            kind.fromisoformat(value) if issubclass(kind, date) else value
            for kind, value in zip(types, cursor.decode(text, question), strict=True)
        ]
    except ValueError as error:
        raise cursor.refused() from error
