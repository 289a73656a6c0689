"""Facts for tests: plain functions with defaults that can be overridden."""

from typing import Any

from app.commands.record import NewEvent
from app.domain.event import EventFacts

SOURCE = {"url": "https://example.org/page", "title": "A page", "quote": "It happened."}


def facts(**changes: Any) -> dict[str, Any]:
    """Return an event's facts as an editor would send them."""
    return {
        "kind": "designation.list",
        "status": "in_effect",
        "verification": "confirmed",
        "title": "Kazakhstan lists somebody",
        "dates": {"effective": "2024-05-01"},
        "participants": [{"party": "KZ", "role": "actor"}, {"party": "AF", "role": "subject"}],
        "sources": [SOURCE],
    } | changes


def event(id: str, **changes: Any) -> NewEvent:  # noqa: A002 - The contract's name.
    """Return an event to be recorded."""
    return NewEvent(id, EventFacts.model_validate(facts(**changes)))
