"""The server is killed at random moments under a stream of writes, again and again.

The writers keep their ledger outside: what was acknowledged, and what was sent without an answer
and is sent again under the same key. In the end the register must hold every acknowledged event,
none twice, with a journal without gaps and a projection that equals a rebuilt one.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random

import httpx
from sqlalchemy import text

from app.commands.keys import create_key
from app.db.engine import Database
from app.domain.keys import Scope
from tests.support.database import execute
from tests.support.factories import facts
from tests.support.projections import projections, rebuilt
from tests.support.service import ready

# Commits take their time, so that kills hit them: the event is there, and nobody was told.
SLOW_COMMITS = (
    """
    CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(0.01); RETURN NULL; END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER take_time AFTER INSERT ON event_revision
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_time()
    """,
)
ROUNDS = 20
WRITERS = 4


@dataclass
class Ledger:
    """What the writers know of their writes."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    number: int = 0
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def next_token(self) -> str:
        """Return what to send: first what got no answer, then something new."""
        if self.unanswered:
            return self.unanswered.pop()
        self.number += 1
        return f"token {self.number}"


async def write(client: httpx.AsyncClient, ledger: Ledger) -> None:
    """Send writes until the connection breaks."""
    while True:
        token = ledger.next_token()
        try:
            response = await client.post(
                "/v1/events", json=facts(title=token), headers={"Idempotency-Key": token}
            )
        except httpx.TransportError:
            ledger.unanswered.append(token)
            return
        if response.status_code == 201:
            ledger.acknowledged[token] = response.json()["id"]
            ledger.grown.set()
        else:
            ledger.unanswered.append(token)


async def one_round(url: str, key: str, ledger: Ledger, random: Random) -> None:
    with ready({"CHANCERY_DATABASE_URL": url}) as (address, process):
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=5) as client:
            writing = asyncio.gather(*(write(client, ledger) for _ in range(WRITERS)))
            enough = len(ledger.acknowledged) + random.randint(1, 12)
            async with asyncio.timeout(30):
                while len(ledger.acknowledged) < enough:
                    await ledger.grown.wait()
                    ledger.grown.clear()
            await asyncio.sleep(random.uniform(0, 0.03))
            process.kill()
            await writing


async def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(empty_url: str) -> None:
    random, ledger = Random(5), Ledger()
    await execute(empty_url, *SLOW_COMMITS)
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            key, _ = await create_key(connection, "a writer", [Scope.EDIT], None)
        for _ in range(ROUNDS):
            await one_round(empty_url, key, ledger, random)
        async with database.reading() as connection:
            rows = await connection.execute(
                text("SELECT seq, event, facts->>'title' AS title FROM event_revision ORDER BY seq")
            )
            recorded = rows.all()
        titles = [row.title for row in recorded]
        events = {row.title: row.event for row in recorded}
        assert [row.seq for row in recorded] == list(range(1, len(recorded) + 1))
        assert len(titles) == len(set(titles))
        assert ledger.acknowledged.items() <= events.items()
        assert set(titles) <= set(ledger.acknowledged) | set(ledger.unanswered)
        before = await projections(database)
        await rebuilt(database)
        assert await projections(database) == before
