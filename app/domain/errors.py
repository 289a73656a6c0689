"""What can go wrong, without HTTP. The web layer gives each its status in one table."""

from dataclasses import dataclass


class ChanceryError(Exception):
    """Base of what the service reports to people; the message is written for them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where, which sort, why, and what might be meant."""

    location: str
    field: str
    code: str
    message: str
    suggestions: tuple[str, ...] = ()


class RefusedError(ChanceryError):
    """The request can't be understood as it stands; every fault is listed."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults in the order in which they were found."""
        super().__init__(" ".join(fault.message for fault in faults))
        self.faults = faults


class NotFoundError(ChanceryError):
    """There is nothing of that name."""


class GoneError(ChanceryError):
    """The event was retracted; its tombstone says when and why."""

    def __init__(self, tombstone: str) -> None:
        """Keep the tombstone's JSON text."""
        super().__init__("This event was retracted.")
        self.tombstone = tombstone


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
    """Somebody was faster: the event is no longer in the state that the change was made from."""

    def __init__(self, current: str | None) -> None:
        """Keep the JSON text of what is there now, None where there is nothing."""
        super().__init__("The event has changed meanwhile: look at it as it is now, and try again.")
        self.current = current


class UnavailableError(ChanceryError):
    """The database is away or overloaded; the same request may succeed a little later."""

    def __init__(self) -> None:
        """Say so in one sentence."""
        super().__init__(
            "The database can't be reached or takes too long at the moment. Try again shortly."
        )


class MisconfiguredError(ChanceryError):
    """A setting or the state of the machine keeps the service from starting."""


class UnmigratedError(MisconfiguredError):
    """The database's schema is not the one that this release works on."""
