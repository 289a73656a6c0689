"""What can go wrong, without HTTP. The web layer gives each its status in one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

MAX_FAULTS = 50
"""More of them would help nobody, and make a large answer to a small request."""


class ChanceryError(Exception):
    """Base of what the service reports to people; the message is written for them."""

    retry_after: int | None = None
    """After how many seconds the same request may succeed; None where waiting doesn't help."""


class NameKind(StrEnum):
    """What a name that nobody has should have been the name of."""

    PARTY = "party"
    REGIME = "regime"
    MEASURE = "measure"
    EVENT = "event"


class UnknownName(NamedTuple):
    """A name that nothing in the register has."""

    kind: NameKind
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where, which sort, why, and what might be meant.

    `unknown` is set where suggestions are still to be looked for, once it is certain that the fault
    will be shown.
    """

    location: str
    field: str
    code: str
    message: str
    suggestions: tuple[str, ...] = ()
    unknown: UnknownName | None = None


class RefusedError(ChanceryError):
    """The request can't be understood as it stands; every fault is listed."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults in the order in which they were found."""
        super().__init__(" ".join(fault.message for fault in faults))
        self.faults = faults


class FaultyImportError(RefusedError):
    """Rows of an import are faulty; the first faults are listed, all of them counted."""

    def __init__(self, count: int, faults: Sequence[Fault]) -> None:
        """Say how many there are instead of repeating them all."""
        super().__init__(*faults)
        listed = "" if count == len(faults) else f" The first {len(faults):,} are listed."
        self.args = (f"The file has {count:,} faults, so nothing was written.{listed}",)
        self.count = count


class NotFoundError(ChanceryError):
    """There is nothing of that name."""


class GoneError(ChanceryError):
    """The event was retracted; its tombstone says when and why."""

    def __init__(self, tombstone: str) -> None:
        """Keep the tombstone's JSON text."""
        super().__init__("This event was retracted: restore it first.")
        self.current = tombstone


class MergedError(ChanceryError):
    """The event was merged into another one, which takes its place."""

    def __init__(self, survivor: str) -> None:
        """Keep the survivor's id."""
        super().__init__(f"This event was merged into {survivor}: write to that one.")
        self.survivor = survivor


class ConflictError(ChanceryError):
    """What is asked for doesn't go with the present state of the event."""


class PreconditionRequiredError(ChanceryError):
    """A change must say which state it was made from."""

    def __init__(self) -> None:
        """Say how."""
        super().__init__("Send If-Match with the ETag of the state that you are changing.")


class PreconditionFailedError(ChanceryError):
    """Somebody was faster: what is changed is no longer in the state that it was seen in."""

    def __init__(self, current: str | None) -> None:
        """Keep the JSON text of what is there now, None where there is nothing."""
        super().__init__("This has changed meanwhile: look at it as it is now, and try again.")
        self.current = current


class UnavailableError(ChanceryError):
    """The database is away or overloaded; the same request may succeed a little later."""

    retry_after = 2

    def __init__(self) -> None:
        """Say so in one sentence."""
        super().__init__(
            "The database can't be reached or takes too long at the moment. Try again shortly."
        )


class BusyError(ChanceryError):
    """It can't be done beside what others are doing; it may succeed a little later."""

    retry_after = 30


class TooManyExportsError(ChanceryError):
    """So many long answers are under way that another one would slow everybody down."""

    retry_after = 10

    def __init__(self) -> None:
        """Say so in one sentence."""
        super().__init__("Too many exports are under way at the moment. Try again shortly.")


class DiskFullError(ChanceryError):
    """A temporary file of the service's own has no room; the database isn't concerned."""

    retry_after = 30

    def __init__(self) -> None:
        """Say so in one sentence."""
        super().__init__(
            "The service's disk has no room for temporary files at the moment. Try again later; "
            "CSV and JSON Lines need none."
        )


class OverloadedError(ChanceryError):
    """More is asked than can be answered in good time."""

    retry_after = 1

    def __init__(self) -> None:
        """Say so in one sentence."""
        super().__init__("More is asked at the moment than can be answered. Try again shortly.")


class MisconfiguredError(ChanceryError):
    """A setting or the state of the machine keeps the service from starting."""


class UnmigratedError(MisconfiguredError):
    """The database's schema is not the one that this release works on."""

    retry_after = 2


class TamperedError(ChanceryError):
    """The journal isn't what was linked in the audit chain."""


class UnauthenticatedError(ChanceryError):
    """A key is needed, and none was sent or it isn't accepted."""

    def __init__(self, reason: str | None = None) -> None:
        """Say what is wrong with the key that was sent, None where none was."""
        how = "Send an editor's key in a header, as Authorization: Bearer chancery_..."
        super().__init__(f"{reason} {how}" if reason else f"This needs a key. {how}")
        self.key_sent = reason is not None


class ForbiddenError(ChanceryError):
    """The key is good, but not for this."""

    def __init__(self, scope: str) -> None:
        """Keep the scope that the key lacks."""
        super().__init__(f"This key lacks the scope {scope}: use one that has it.")
        self.scope = scope


class ThrottledError(ChanceryError):
    """Too much of it in too short a time."""

    def __init__(self, retry_after: int) -> None:
        """Keep how many seconds to wait."""
        super().__init__(f"This was too much in a short time: try again in {retry_after} seconds.")
        self.retry_after = retry_after


class QuotaError(ChanceryError):
    """A key has written as often as it may in a minute."""

    def __init__(self, limit: int, retry_after: int) -> None:
        """Say how often that is, and keep how many seconds to wait."""
        super().__init__(
            f"A key may write {limit:,} times a minute: try again in {retry_after} seconds."
        )
        self.retry_after = retry_after


class TooManyUploadsError(ChanceryError):
    """A key sends too much at the same time."""

    retry_after = 10

    def __init__(self, limit: int) -> None:
        """Say how much may be on its way."""
        super().__init__(
            f"With one key {limit:,} bytes may be on their way at once: send this when others have "
            "arrived."
        )


class PayloadTooLargeError(ChanceryError):
    """The body is larger than is accepted."""

    def __init__(self, limit: int) -> None:
        """Say how large it may be."""
        super().__init__(f"The body may have {limit:,} bytes: send less at once.")


class UnsupportedMediaTypeError(ChanceryError):
    """The body is in a format, or packed in a way, that isn't read here."""

    def __init__(self, accepted: tuple[str, ...], reason: str = "") -> None:
        """Keep the media types that are read."""
        super().__init__(
            reason or f"Send the body as {' or '.join(accepted)}, and say so in its Content-Type."
        )
        self.accepted = accepted


class MalformedBodyError(ChanceryError):
    """The body can't be read."""


class MalformedHeaderError(ChanceryError):
    """A header can't be read."""


class ManyEventsError(ChanceryError):
    """More events have to be changed than others can wait for."""
