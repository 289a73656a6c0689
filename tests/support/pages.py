"""Walking through all pages of a list, as a client does."""

from typing import Any

import httpx


async def items_of(
    client: httpx.AsyncClient, of: str = "events", /, **query: Any
) -> list[dict[str, Any]]:
    """Return everything on a list that matches, page by page."""
    items: list[dict[str, Any]] = []
    address: str | None = f"/v1/{of}"
    asked: dict[str, Any] | None = query | {"limit": 200}
    while address:
        page = (await client.get(address, params=asked)).json()
        items += page["items"]
        address, asked = page["next"], None
    return items
