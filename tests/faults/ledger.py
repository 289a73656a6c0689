"""What the writers know of their writes, kept outside the service, and its comparison with it.

Every write carries a token of its own. One that was answered with 201 is acknowledged; of any other
nobody knows what became of it, so it is sent again under the same key. In the end each acknowledged
token must be in the register exactly once, every other one at most once, and nothing else.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import text

from app.db.engine import Database
from tests.support.projections import check_rebuild

RECORDED = "SELECT seq, event, facts->>'title' AS title FROM event_revision ORDER BY seq"


@dataclass
class Ledger:
    """What was sent and what was said to it."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    refused: int = 0
    number: int = 0
    longest_gap: float = 0
    newest: float | None = None

    def next_token(self) -> str:
        """Return what to send: first what got no answer, then something new."""
        if self.unanswered:
            return self.unanswered.pop()
        self.number += 1
        return f"token {self.number}"

    def acknowledge(self, token: str, event: str) -> None:
        """Note that a token was recorded as this event."""
        now = time.monotonic()
        self.longest_gap = max(self.longest_gap, now - (self.newest or now))
        self.newest = now
        self.acknowledged[token] = event


class Found(NamedTuple):
    """What became of what was acknowledged."""

    lost: int
    doubled: int


async def compared(url: str, ledger: Ledger) -> Found:
    """Return how much is lost and how much is there twice; nothing else may be there at all."""
    async with Database(url) as database, database.reading() as connection:
        recorded = (await connection.execute(text(RECORDED))).all()
    events = {row.title: row.event for row in recorded}
    assert set(events) <= set(ledger.acknowledged) | set(ledger.unanswered)
    lost = sum(token not in events for token in ledger.acknowledged)
    doubled = sum(count > 1 for count in Counter(row.title for row in recorded).values())
    return Found(lost, doubled)


async def check_register(url: str, ledger: Ledger) -> None:
    """Make sure that the journal has no gaps, and the projection is what a rebuild makes of it."""
    async with Database(url) as database:
        async with database.reading() as connection:
            recorded = (await connection.execute(text(RECORDED))).all()
        # Parties and regimes were recorded before, and none since.
        first = recorded[0].seq if recorded else 1
        assert [row.seq for row in recorded] == list(range(first, first + len(recorded)))
        events = {row.title: row.event for row in recorded}
        assert ledger.acknowledged.items() <= events.items()
        await check_rebuild(database)
