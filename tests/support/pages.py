"""Walking through all pages of a list, as a client does."""

from typing import Any

import httpx


async def items_of(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """Return all events that match, page by page."""
    items: list[dict[str, Any]] = []
    address: str | None = "/v1/events"
    asked: dict[str, Any] | None = query | {"limit": 200}
    while address:
        page = (await client.get(address, params=asked)).json()
        items += page["items"]
        address, asked = page["next"], None
    return items
