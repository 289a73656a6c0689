"""What is stated in a body or a row: without what follows from it, and what is wrong with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from app.domain.document import EventDocument, ParticipantDocument
from app.domain.event import Dates, EventFacts, Participant, Relation, Source
from app.domain.reference import PartyFacts, RegimeFacts

_DERIVED = set(EventDocument.model_fields) - set(EventFacts.model_fields) - {"id"}
_DERIVED_OF_PARTICIPANT = set(ParticipantDocument.model_fields) - set(Participant.model_fields)

_MODELS = (EventFacts, Dates, Participant, Relation, Source, PartyFacts, RegimeFacts)
_MEMBERS = sorted({"note", *(name for model in _MODELS for name in model.model_fields)})
_LONGEST_GUESS = 80


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
            yield _explained(dict(each))


def _explained(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error that says what may have been meant by a word or a member that isn't known."""
    if error["type"] == "enum":
        known = [word.strip("'") for word in re.split(", | or ", error["ctx"]["expected"])]
        near = _near(str(error["input"]), known)
        message = f"This word is not in the list. {_meant(near) or _one_of(known)}"
        return error | {"msg": message, "ctx": {"suggestions": near or known}}
    if error["type"] == "extra_forbidden":
        near = _near(str(error["loc"][-1]), _MEMBERS)
        message = f"There is no such member here. {_meant(near)}".rstrip()
        return error | {"msg": message, "ctx": {"suggestions": near}}
    return error


def _near(typed: str, known: Sequence[str]) -> list[str]:
    return get_close_matches(typed[:_LONGEST_GUESS].lower(), known, n=3)


def _meant(near: Sequence[str]) -> str:
    return f"Did you mean {', '.join(near)}?" if near else ""


def _one_of(known: Sequence[str]) -> str:
    return f"Write one of: {', '.join(known)}."
