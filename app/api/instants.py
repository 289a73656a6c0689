"""Instants in a query: RFC 3339 with a zone, or a day."""

import re
from datetime import UTC, datetime, time

from app.api.parameters import fault
from app.domain.text import shown

# A plus sign in an address means a blank, so a blank may stand where the offset's sign was.
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)(Z|[+ -][0-9]{2}:[0-9]{2}))?",
    re.ASCII | re.IGNORECASE,
)
_FIRST_YEAR = 1000


def instant_of(text: str, *, at_end: bool = False) -> datetime:
    """Return the instant that a text names; a day alone is its beginning or its end, in UTC.

    Raises a fault that a validator may pass on where it names none.
    """
    message = f"“{shown(text)}” is no instant: write 2026-11-23T10:00:00Z or 2026-11-23."
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise fault(message, code="invalid_instant")
    day, clock, offset = found.groups()
    clock = clock or (time.max if at_end else time.min).isoformat()
    zone = (offset or "Z").replace(" ", "+").upper()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise fault(message, code="invalid_instant") from error
    if moment.year < _FIRST_YEAR:
        raise fault(message, code="invalid_instant")
    return moment
