"""The event document of the contract: what readers are served.

It is rendered once, when the event is written, and holds only what the event itself says. What
belongs to the parties in it (name, kind, country) is put in when it is read, so that a party can be
renamed without rendering any document again.

The same models are the published schema, so the bytes and their description can't drift apart.
Vocabularies are plain strings here, because a client must survive a value that is newer than it.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as day
from hashlib import blake2b
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic_core import to_json

from app.domain.event import EventFacts

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
# No text within a document can hold these: there the quotation marks would be escaped.
_STAMP_BEGINS = ',"revision":'
_PARTICIPANT_BEGINS = '{"party":"'
_REVISION = re.compile(r'"revision":([0-9]+)')
_TAG = re.compile(r'"([0-9]{1,9})-[0-9a-f]{16}"')


def instant(moment: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with microseconds: `2026-11-23T10:00:00.123456Z`."""
    return moment.astimezone(UTC).strftime(INSTANT_FORMAT)


Instant = Annotated[datetime, PlainSerializer(instant, return_type=str, when_used="json")]


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


class _StoredParticipant(_Document):
    party: str
    role: str
    organ: str | None
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


class _StoredDocument(EventDocument):
    participants: list[_StoredParticipant]  # type: ignore[assignment]


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


def tag_of_revision(document: str) -> str:
    """Return the strong entity tag of a document that shows its `revision`: `"REVISION-DIGEST"`.

    An event's digest changes with the names of its parties as well, its revision doesn't: so
    readers are never told that they have what has changed, and editors compare the revision alone.
    """
    digest = blake2b(document.encode(), digest_size=8).hexdigest()
    return f'"{revision_of_document(document)}-{digest}"'


def revision_of_document(document: str) -> int:
    """Return the `revision` that a document or tombstone shows."""
    return int(_REVISION.findall(document)[-1])


def revision_in(tag: str) -> int | None:
    """Return the revision that such a tag names, None if it is none of ours or a weak one."""
    found = _TAG.fullmatch(tag)
    return None if found is None else int(found[1])


def name_revision(tags: Collection[str], revision: int) -> bool:
    """Tell whether any of these tags names a revision; `*` names any.

    The digest in them isn't compared: a party that was renamed since makes no difference.
    """
    return "*" in tags or revision in map(revision_in, tags)


def render(event: str, facts: EventFacts, stamp: Stamp) -> str:
    """Return the JSON text of a document as it is stored, without what belongs to the parties."""
    return _document(event, facts, stamp).model_dump_json(exclude_unset=True)


def without_stamp(document: str) -> str:
    """Return a document's text up to what the stamp adds, which always stands last.

    What is imported is rendered before it is known which revision it will be and when; a stamp put
    behind this text, and a brace, make the document.
    """
    return document[: document.rindex(_STAMP_BEGINS)]


def render_party(party: str, name: str, kind: str, country: str | None) -> str:
    """Return the members that a document shows of a party: the beginning of a participant."""
    members = {"party": party, "name": name, "kind": kind, "country": country}
    return to_json(members).decode()[:-1]


def parties_in(document: str) -> Iterator[str]:
    """Return the ids of the parties in a stored document, in their order."""
    for participant in document.split(_PARTICIPANT_BEGINS)[1:]:
        yield participant.partition('"')[0]


def insert_parties(document: str, find_members: Callable[[str], str]) -> str:
    """Return a stored document with what belongs to its parties: what readers are served.

    Args:
        document: as `render` has made it.
        find_members: returns what `render_party` made of a party, by its id.

    """
    pieces = document.split(_PARTICIPANT_BEGINS)
    for place in range(1, len(pieces)):
        party, _, rest = pieces[place].partition('"')
        pieces[place] = find_members(party) + rest
    return "".join(pieces)


def _document(event: str, facts: EventFacts, stamp: Stamp) -> _StoredDocument:
    days = facts.days
    return _StoredDocument.model_validate(
        facts.model_dump()
        | {
            "id": event,
            "direction": facts.direction,
            "date": facts.date,
            "date_basis": facts.dates.basis,
            "earliest": days.first,
            "latest": days.last,
            "dates": facts.dates.model_dump(exclude_none=True),
            "revision": stamp.revision,
            "recorded_at": stamp.recorded_at,
            "updated_at": stamp.updated_at,
        }
    )
