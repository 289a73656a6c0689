"""What is stated in a body or a row: without what follows from it, and what is wrong with it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from app.domain.document import EventDocument, ParticipantDocument
from app.domain.event import EventFacts, Participant

_DERIVED = set(EventDocument.model_fields) - set(EventFacts.model_fields) - {"id"}
_DERIVED_OF_PARTICIPANT = set(ParticipantDocument.model_fields) - set(Participant.model_fields)


def without_derived(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body without the members that follow from others, as they may be sent back."""
    stated = {name: value for name, value in body.items() if name not in _DERIVED}
    if isinstance(stated.get("participants"), list):
        stated["participants"] = [_stated_of_participant(p) for p in stated["participants"]]
    return stated


def _stated_of_participant(participant: Any) -> Any:
    if not isinstance(participant, dict):
        return participant
    return {n: value for n, value in participant.items() if n not in _DERIVED_OF_PARTICIPANT}


def own_faults(error: ValidationError) -> Iterator[dict[str, Any]]:
    """Return each of Pydantic's errors, without those that only follow from one further inside.

    It counts the entries of a list that are in order, so a list whose only entry is faulty is too
    short as well.
    """
    found = error.errors(include_url=False)
    for each in found:
        place = each["loc"]
        within = (o["loc"] for o in found if o is not each and o["loc"][: len(place)] == place)
        if each["type"] != "too_short" or not any(within):
            yield dict(each)
