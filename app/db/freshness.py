"""How new what this process knows of the database is: the number of the newest change.

Every write counts the number up in its own transaction, under the journal's lock, so numbers
become visible in their order and together with what they stand for. A process asks for the number
only when it needs it, and in good time before what it knows is older than `LONGEST_S`; so an idle
one asks nothing, and a busy one some times a second, whatever it answers in between.
"""

import asyncio
import time
from typing import Self

from sqlalchemy import select

from app.db.engine import Database
from app.db.prepared import Prepared
from app.db.register import ChangeNumber
from app.domain.errors import UnavailableError

LONGEST_S = 0.05
"""How long a number may be gone by: half of what a reader at another worker may have to wait."""

_NUMBER = Prepared(select(ChangeNumber.number))
_RENEWED_AFTER_S = LONGEST_S / 2
# A database that couldn't be asked isn't waited for again at once.
_RETRIED_AFTER_S = 0.5
_NEVER = float("-inf")


class Freshness:
    """The newest change that this process knows of, and how long ago it looked."""

    def __init__(self, database: Database) -> None:
        """Know nothing yet."""
        self._database = database
        self._number = 0
        self._looked = self._failed = self._advanced = _NEVER
        self._looking: asyncio.Task[int | None] | None = None

    def known(self) -> int | None:
        """Return the number if it may still be gone by, else None."""
        return self._number if self._age() < LONGEST_S else None

    def at_hand(self, at_least: int = 0) -> int | None:
        """Return the number if it is known, else None; see to it that it goes on to be known.

        Args:
            at_least: what a client has seen elsewhere; a lower number isn't gone by.

        """
        number = self.known()
        if number is None or number < at_least:
            return None
        if self._age() > _RENEWED_AFTER_S:
            self._begin_to_look()
        return number

    async def current(self, at_least: int = 0) -> int | None:
        """Return the number, asked for if need be; None where the database can't be asked.

        Args:
            at_least: what a client has seen elsewhere; a lower number isn't gone by.

        """
        if self._looking is not None and self.known() is None:
            await asyncio.wait({self._looking})
        number = self.known()
        if number is not None and number >= at_least:
            return number
        if time.monotonic() - self._failed < _RETRIED_AFTER_S:
            return None
        return await self.renewed()

    def advance(self, number: int) -> None:
        """Know of a change that this process has committed: nothing older is gone by any more."""
        self._number, self._advanced = max(self._number, number), time.monotonic()

    async def renewed(self) -> int | None:
        """Return the number as it is now, or None where the database can't be asked."""
        # Whoever comes while it is asked for waits for an answer that began after them.
        if self._looking is not None:
            await asyncio.wait({self._looking})
        looking = self._begin_to_look()
        await asyncio.wait({looking})
        # However long it took, it began after whoever is waiting came.
        return looking.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for what is looking: it holds a connection."""
        if self._looking is not None:
            await asyncio.wait({self._looking})

    def _age(self) -> float:
        return time.monotonic() - self._looked

    def _begin_to_look(self) -> asyncio.Task[int | None]:
        """Return what is looking, begun now if nobody was."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return self._looking

    async def _look(self) -> int | None:
        began = time.monotonic()
        try:
            number = await self._database.glance(_NUMBER)
        except UnavailableError:
            self._looked, self._failed = _NEVER, time.monotonic()
            return None
        # What was looked at before our own change may lack it.
        if began > self._advanced or number >= self._number:
            self._number, self._looked = number, began
        return self._number
