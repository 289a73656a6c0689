"""Counts as they are sent: the commonest value first, time in its own order."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, Field

from app.db.connections import ReadConnection
from app.queries.facets import IN_TIME, Counts, Facet, facets
from app.queries.filter import EventFilter
from app.queries.knowledge import Knowledge
from app.queries.labels import Labels, label_of, labels


class FacetCount(BaseModel):
    """One value and how many events have it."""

    value: str | None = Field(
        description="What the filter of that name takes; null for events that lie in no single "
        "year or month.",
        examples=["KZ"],
    )
    label: str = Field(
        description="The name of a country, party or regime; the value itself where that is a word "
        "of a closed list, a dossier, a year or a month. /v1/vocabulary says what the words mean.",
        examples=["Kazakhstan"],
    )
    count: int = Field(description="How many events have it, each counted once.", examples=[9])


class FacetsDocument(BaseModel):
    """How many events have which value."""

    facets: dict[str, list[FacetCount]] = Field(
        description="By facet, the commonest value first; years and months in their own order."
    )
    total: int = Field(description="How many events match in all.")
    filter: dict[str, Any] = Field(
        description="The filter as it was understood, names resolved to codes and ids.",
        examples=[{"country": ["KZ"], "date_from": "2023-01-01"}],
    )


async def counted(
    connection: ReadConnection, wanted: EventFilter, knowledge: Knowledge, by: Collection[Facet]
) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """Return the counts ready to be sent, and how many events match."""
    found, total = await facets(connection, wanted, knowledge, by)
    called = await labels(connection, found, knowledge)
    return {facet: _shown(facet, found[facet], called[facet]) for facet in found}, total


def _shown(facet: Facet, counts: Counts, called: Labels) -> list[dict[str, Any]]:
    def order(value: str | None) -> tuple[Any, ...]:
        if facet in IN_TIME:
            return value is None, value
        return -counts[value], value

    return [
        {"value": value, "label": label_of(facet, value, called), "count": counts[value]}
        for value in sorted(counts, key=order)
    ]
