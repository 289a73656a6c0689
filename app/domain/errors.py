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
