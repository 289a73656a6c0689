"""What an editor's body states: the facts and the note, without what follows from them.

Derived members are dropped, so that what was read can be sent back; unknown ones are refused.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.api.problems import fault_of
from app.domain.errors import MAX_FAULTS, Fault, RefusedError
from app.domain.event import EventFacts, Facts
from app.domain.reference import PartyFacts, RegimeFacts
from app.domain.stated import own_faults, without_derived
from app.domain.text import Line, Prose, Slug, shown

Stated = TypeVar("Stated", bound=Facts)
Body = Mapping[str, Any]
Note = Annotated[Prose | None, Field(description="Why; kept with the revision, not in it.")]

_NOTE: TypeAdapter[str | None] = TypeAdapter(Note)
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


class EventBody(EventFacts):
    """An event's facts. What follows from them (`direction` …) may be sent and is ignored."""

    note: Note = None


class PartyBody(PartyFacts):
    """A party's facts."""

    note: Note = None


class RegimeBody(RegimeFacts):
    """A regime's facts."""

    note: Note = None


class Reason(Facts):
    """Why an event is taken out."""

    reason: Line
    note: Note = None


class Survivor(Facts):
    """The event that takes a duplicate's place."""

    into: Annotated[Slug, Field(description="The id of the event that shall remain.")]
    note: Note = None


class Nothing(Facts):
    """A body that says nothing but perhaps why."""

    note: Note = None


BODIES: tuple[type[BaseModel], ...] = (
    EventBody,
    PartyBody,
    RegimeBody,
    Reason,
    Survivor,
    Nothing,
)
"""What routes read by themselves and so must name to OpenAPI."""


def schema_of(model: type[BaseModel], *media_types: str) -> dict[str, Any]:
    """Return how OpenAPI describes a body that a route reads by itself."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    listed = media_types or ("application/json",)
    content = {media_type: {"schema": schema} for media_type in listed}
    return {"requestBody": {"required": True, "content": content}}


def event_facts(body: Body) -> EventFacts:
    """Return the facts of an event.

    Raises:
        RefusedError: every fault, with the field it is in.

    """
    return facts_of(EventFacts, without_derived(body))


def facts_of(model: type[Stated], body: Body) -> Stated:
    """Return the facts that a body states.

    Raises:
        RefusedError: every fault, with the field it is in.

    """
    with faults_in_body():
        return model.model_validate(body)


def reference_facts_of(model: type[Stated], body: Body) -> Stated:
    """Return the facts of a party or regime; its `revision` may be sent and is ignored.

    Raises:
        RefusedError: every fault, with the field it is in.

    """
    return facts_of(model, {name: value for name, value in body.items() if name != "revision"})


@contextmanager
def faults_in_body() -> Iterator[None]:
    """Turn what Pydantic finds wrong into the refusal that names every fault."""
    try:
        yield
    except ValidationError as error:
        found = islice(own_faults(error), MAX_FAULTS)
        named = [fault_of({**each, "loc": ("body", *each["loc"])}) for each in found]
        raise RefusedError(*named) from error


def split(
    body: Body, member: str | None = None, key: str | None = None
) -> tuple[dict[str, Any], str | None]:
    """Return the body without its note and without the key that the address has, and the note.

    Args:
        body: what was sent.
        member: the member that may repeat the address's key.
        key: the key in the address; None where the address has none and the member is ignored.

    Raises:
        RefusedError: the body names another key than the address, or the note is no text.

    """
    rest = dict(body)
    repeated = rest.pop(member, key) if member is not None else key
    if key is not None and repeated != key:
        message = f"The address names {shown(key)} and the body another: leave {member} out."
        raise RefusedError(Fault("body", str(member), "other_key", message))
    try:
        return rest, _NOTE.validate_python(rest.pop("note", None))
    except ValidationError as error:
        message = "The note is no text, or it is too long."
        raise RefusedError(Fault("body", "note", "unreadable_text", message)) from error


def slug(text: str) -> str:
    """Return an id that a client has chosen.

    Raises:
        RefusedError: it is no slug.

    """
    try:
        return _SLUG.validate_python(text)
    except ValidationError as error:
        message = "An id is lower-case words and digits joined by hyphens, at most 100 characters."
        raise RefusedError(Fault("path", "id", "invalid_id", message)) from error
