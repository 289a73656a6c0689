"""The event document of the contract: what readers are served, rendered once when it is written.

The same models are the published schema, so the bytes and their description can't drift apart.
Vocabularies are plain strings here, because a client must survive a value that is newer than it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as day
from hashlib import blake2b
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from app.domain.event import EventFacts, Participant

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
# No text within the document can hold this: there its quotation marks would be escaped.
_STAMP_BEGINS = ',"revision":'


def instant(moment: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with microseconds: `2026-11-23T10:00:00.123456Z`."""
    return moment.astimezone(UTC).strftime(INSTANT_FORMAT)


Instant = Annotated[datetime, PlainSerializer(instant, return_type=str, when_used="json")]


@dataclass(frozen=True, slots=True)
class Party:
    """What a document shows of a party."""

    id: str
    name: str
    kind: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the journal adds to the facts: which revision this is and when it was recorded."""

    revision: int
    recorded_at: datetime
    updated_at: datetime


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class ParticipantDocument(_Document):
    """A party in its role."""

    party: Annotated[str, Field(examples=["KZ"])]
    name: Annotated[str, Field(examples=["Kazakhstan"])]
    kind: Annotated[str, Field(examples=["state"])]
    country: Annotated[str | None, Field(examples=["KZ"])]
    role: Annotated[str, Field(examples=["actor"])]
    organ: Annotated[str | None, Field(examples=["Ministry of Foreign Affairs"])]
    person: str | None


class DatesDocument(_Document):
    """The dates that are known, as written; absent ones are left out."""

    occurred: str | None = None
    announced: str | None = None
    adopted: str | None = None
    signed: str | None = None
    effective: str | None = None
    effective_until: str | None = None


class RelationDocument(_Document):
    """A bearing on another event."""

    type: str
    event: str


class SourceDocument(_Document):
    """What the claim rests on."""

    url: str | None
    title: str | None
    publisher: str | None
    published: str | None
    quote: str | None
    language: str | None
    accessed: str | None
    archived: str | None


class EventDocument(_Document):
    """One event with everything that is known of it and the sources it rests on."""

    id: str
    kind: str
    status: str
    verification: str
    direction: str
    title: str
    summary: str
    date: Annotated[str, Field(description="The event's own date (EDTF), never made more precise.")]
    date_basis: Annotated[str, Field(description="Which of `dates` the own date is.")]
    earliest: Annotated[day | None, Field(description="First day of `date`, null where open.")]
    latest: Annotated[day | None, Field(description="Last day of `date`, null where open.")]
    dates: DatesDocument
    participants: list[ParticipantDocument]
    regime: str | None
    measure: str | None
    place: str | None
    relations: list[RelationDocument]
    sources: list[SourceDocument]
    revision: int
    recorded_at: Instant
    updated_at: Instant


class TombstoneDocument(_Document):
    """What is left to show of an event that was retracted or merged into another."""

    id: str
    state: Annotated[str, Field(description="`retracted` or `merged`.")]
    reason: Annotated[str | None, Field(description="Why, as the editor put it.")]
    merged_into: Annotated[str | None, Field(description="The event it was merged into.")]
    revision: int
    recorded_at: Instant
    updated_at: Instant


def tag_of(representation: bytes) -> str:
    """Return the strong entity tag of what is served (RFC 9110, section 8.8.3)."""
    return f'"{blake2b(representation, digest_size=12).hexdigest()}"'


def render(event: str, facts: EventFacts, stamp: Stamp, parties: Mapping[str, Party]) -> str:
    """Return the document's JSON text, ready to be sent."""
    return _document(event, facts, stamp, parties).model_dump_json(exclude_unset=True)


def without_stamp(document: str) -> str:
    """Return a document's text up to what the stamp adds, which always stands last.

    What is imported is rendered before it is known which revision it will be and when; a stamp put
    behind this text, and a brace, make the document.
    """
    return document[: document.rindex(_STAMP_BEGINS)]


def _document(
    event: str, facts: EventFacts, stamp: Stamp, parties: Mapping[str, Party]
) -> EventDocument:
    stated = facts.model_dump()
    days = facts.days
    return EventDocument.model_validate(
        stated
        | {
            "id": event,
            "direction": facts.direction,
            "date": facts.date,
            "date_basis": facts.dates.basis,
            "earliest": days.first,
            "latest": days.last,
            "dates": facts.dates.model_dump(exclude_none=True),
            "participants": [_participant(each, parties) for each in facts.participants],
            "revision": stamp.revision,
            "recorded_at": stamp.recorded_at,
            "updated_at": stamp.updated_at,
        }
    )


def _participant(stated: Participant, parties: Mapping[str, Party]) -> ParticipantDocument:
    party = parties[stated.party]
    return ParticipantDocument(
        party=party.id,
        name=party.name,
        kind=party.kind,
        country=party.country,
        role=stated.role,
        organ=stated.organ,
        person=stated.person,
    )
