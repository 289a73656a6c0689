"""Reference data that editors keep: parties other than states, and regimes."""

from typing import Annotated

from pydantic import Field

from app.domain.event import Facts
from app.domain.text import Code, Line, PartyId, at_most
from app.domain.vocabulary import PartyKind

MAX_ALIASES = 200
Aliases = Annotated[tuple[Line, ...], Field(max_length=MAX_ALIASES), at_most(MAX_ALIASES)]


class PartyFacts(Facts):
    """Somebody who acts or is acted upon, and at most one territory or bloc it belongs to."""

    id: PartyId
    kind: PartyKind
    name: Line
    country: Code | None = None
    aliases: Aliases = ()

    @property
    def called(self) -> tuple[str, ...]:
        """What people call this party."""
        return (self.name, *self.aliases)

    @property
    def names(self) -> tuple[str, ...]:
        """Every way to write this party."""
        return (self.id, *self.called)


class RegimeFacts(Facts):
    """A list or legal instrument, who keeps it, and how an entry leaves it."""

    code: Code
    issuer: PartyId
    name: Line
    aliases: Aliases = ()
    legal_basis: Line | None = None
    removal: Line | None = None
