"""What an editor's body states: the facts and the note, without what follows from them.

Derived members are dropped, so that what was read can be sent back; unknown ones are refused.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.api.problems import fault_of
from app.domain.document import EventDocument, ParticipantDocument
from app.domain.errors import Fault, RefusedError
from app.domain.event import EventFacts, Facts, Participant
from app.domain.text import Prose

Stated = TypeVar("Stated", bound=Facts)
Body = Mapping[str, Any]

_NOTE: TypeAdapter[str | None] = TypeAdapter(Prose | None)
_DERIVED = set(EventDocument.model_fields) - set(EventFacts.model_fields) - {"id"}
_DERIVED_OF_PARTICIPANT = set(ParticipantDocument.model_fields) - set(Participant.model_fields)


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
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise refused(error) from error


def refused(error: ValidationError) -> RefusedError:
    """Return the refusal of a body that doesn't hold what it should."""
    errors = error.errors(include_url=False)
    return RefusedError(*(fault_of({**each, "loc": ("body", *each["loc"])}) for each in errors))


def without_derived(body: Body) -> dict[str, Any]:
    """Return the body without the members that follow from others."""
    stated = {name: value for name, value in body.items() if name not in _DERIVED}
    if isinstance(stated.get("participants"), list):
        stated["participants"] = [_stated_of_participant(p) for p in stated["participants"]]
    return stated


def _stated_of_participant(participant: Any) -> Any:
    if not isinstance(participant, dict):
        return participant
    return {n: value for n, value in participant.items() if n not in _DERIVED_OF_PARTICIPANT}


def split(
    body: Body, member: str | None = None, value: str | None = None
) -> tuple[Body, str | None]:
    """Return the body without its note and without its own key, and the note.

    Args:
        body: what was sent.
        member: the member that repeats the address's key, where there is one.
        value: the key in the address.

    Raises:
        RefusedError: the body names another key than the address, or the note is no text.

    """
    rest = dict(body)
    if member is not None and rest.pop(member, value) != value:
        message = f"The address names {value} and the body another: leave {member} out."
        raise RefusedError(Fault("body", member, "other_key", message))
    try:
        note = _NOTE.validate_python(rest.pop("note", None))
    except ValidationError as error:
        raise RefusedError(
            Fault("body", "note", "unreadable_text", "The note is no text.")
        ) from error
    return rest, note


def schema_of(model: type[BaseModel], *media_types: str) -> dict[str, Any]:
    """Return how OpenAPI describes a body that a route reads by itself."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {
        media_type: {"schema": schema} for media_type in media_types or ("application/json",)
    }
    return {"requestBody": {"required": True, "content": content}}
