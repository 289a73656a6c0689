"""The facts of an event as an editor states them, and what must always hold between them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.dates import Days, EdtfDate, EdtfPoint, days_of
from app.domain.text import Code, Line, PartyId, Prose, Quotation, Slug, WebAddress, at_most
from app.domain.vocabulary import (
    DATE_PRECEDENCE,
    DIRECTION_OF_KIND,
    DateName,
    Direction,
    Kind,
    RelationType,
    Role,
    Status,
    Verification,
)

MAX_ENTRIES = 50
_FEW = at_most(MAX_ENTRIES)


class Facts(BaseModel):
    """Base of what editors state: nothing unknown is accepted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dates(Facts):
    """The named dates of an event, each as precisely as it is known and no more."""

    occurred: EdtfDate | None = None
    announced: EdtfDate | None = None
    adopted: EdtfDate | None = None
    signed: EdtfDate | None = None
    effective: EdtfDate | None = None
    effective_until: EdtfDate | None = None

    @model_validator(mode="after")
    def _has_a_date_and_ends_after_it_begins(self) -> Self:
        self.basis  # noqa: B018 - Its error is the check.
        if self.effective and self.effective_until:
            begins, ends = days_of(self.effective).first, days_of(self.effective_until).last
            if begins and ends and ends < begins:
                raise ValueError("effective_until ends before effective begins.")
        return self

    @property
    def basis(self) -> DateName:
        """Which of the dates is the event's own: the first present in the order of precedence."""
        for name in DATE_PRECEDENCE:
            if getattr(self, name) is not None:
                return name
        raise ValueError(f"An event needs at least one date of: {', '.join(DATE_PRECEDENCE)}.")


class Participant(Facts):
    """A party in its role, with the organ and the person through whom it acted."""

    party: PartyId
    role: Role
    organ: Line | None = None
    person: Line | None = None


class Relation(Facts):
    """A bearing of this event on another one."""

    type: RelationType
    event: Slug


class Source(Facts):
    """What a claim rests on: a page, or a named text with the words it says."""

    url: WebAddress | None = None
    title: Line | None = None
    publisher: Line | None = None
    published: EdtfPoint | None = None
    quote: Quotation | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    accessed: EdtfPoint | None = None
    archived: WebAddress | None = None

    @model_validator(mode="after")
    def _can_be_checked(self) -> Self:
        if self.url is None and (self.title is None or self.quote is None):
            raise ValueError("A source needs a url or, where there is none, a title and a quote.")
        return self


def _entries(minimum: int = 0) -> object:
    return Field(default=() if minimum == 0 else ..., min_length=minimum, max_length=MAX_ENTRIES)


class EventFacts(Facts):
    """One datable occurrence, as stated: everything in the document that isn't derived."""

    kind: Kind
    status: Status
    verification: Verification
    title: Line
    summary: Prose = ""
    dates: Dates
    participants: Annotated[tuple[Participant, ...], _entries(1), _FEW]
    regime: Code | None = None
    measure: Slug | None = None
    place: Line | None = None
    relations: Annotated[tuple[Relation, ...], _entries(), _FEW]
    sources: Annotated[tuple[Source, ...], _entries(1), _FEW]

    @model_validator(mode="after")
    def _has_an_actor(self) -> Self:
        if not any(participant.role is Role.ACTOR for participant in self.participants):
            raise ValueError("An event needs a participant with the role actor.")
        return self

    @property
    def direction(self) -> Direction:
        """Whether the kind of change eases or tightens relations."""
        return DIRECTION_OF_KIND[self.kind]

    @property
    def date(self) -> str:
        """The event's own date, as written."""
        return str(getattr(self.dates, self.dates.basis))

    @property
    def days(self) -> Days:
        """The days that the event's own date covers."""
        return days_of(self.date)
