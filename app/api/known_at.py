"""`known_at` and `knowledge`: the answer as it would have been given then."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import field_validator

from app.api.instants import instant_of
from app.api.parameters import QueryModel, parameter
from app.domain.errors import Fault, RefusedError
from app.queries.knowledge import Announced, Everything, Knowledge, Recorded


class KnowledgeBasis(StrEnum):
    """What `known_at` goes by."""

    RECORDED = "recorded"
    ANNOUNCED = "announced"


class KnownAtParameters(QueryModel):
    """The parameters of everything that can be asked as of the past."""

    words: ClassVar = {"knowledge": KnowledgeBasis}

    known_at: str | None = parameter(
        None,
        "As known at",
        "The answer as it would have been given then: an instant such as 2026-11-23T10:00:00Z, or "
        "a day that is over (its end in UTC). Put it into a link that shall never change.",
        examples={"at an instant": "2026-11-23T10:00:00Z", "at a day's end": "2024-12-31"},
    )
    knowledge: KnowledgeBasis | None = parameter(
        None,
        "Known to whom",
        "What *As known at* goes by. `recorded` (if nothing is chosen): what this register had "
        "recorded by then, exactly reproducible. `announced`: what the world had been told by "
        "then, in the register's latest words.",
    )

    @field_validator("known_at")
    @classmethod
    def _instant(cls, value: str | None) -> str | None:
        if value is None:
            return None
        return instant_of(value, at_end=True).isoformat()

    def known(self) -> Knowledge:
        """Return which documents may be seen; whether the instant is past is settled by queries.

        Raises:
            RefusedError: `knowledge` was given without `known_at`.

        """
        if self.known_at is None:
            if self.knowledge is not None:
                message = "knowledge says what known_at goes by: give known_at as well."
                raise RefusedError(Fault("query", "knowledge", "needs_known_at", message))
            return Everything()
        instant = datetime.fromisoformat(self.known_at)
        if self.knowledge is KnowledgeBasis.ANNOUNCED:
            return Announced(instant.date(), instant)
        return Recorded(instant)
