"""Four workers, writers and readers: no answer is older than it may be."""

import asyncio
import time
from dataclasses import dataclass, field

import httpx

from app.commands.keys import create_key
from app.db.engine import Database
from app.domain.keys import Scope
from tests.support.service import served

WRITERS, READERS, SECONDS = 2, 6, 6.0
# However slow the machine is, so many are made.
WRITES, READS_BY_NUMBER = 6, 50
# What another worker may be late, and what a busy machine needs to send and receive.
LATEST_S = 0.1
LEEWAY_S = 0.5
EVENTS = ["kz-taliban-delisting-2023", "ru-taliban-listing-2003"]


@dataclass
class Ledger:
    """What was acknowledged when, kept outside the service."""

    written: dict[str, list[tuple[float, int, int]]] = field(default_factory=dict)
    reads: int = 0
    reads_by_number: int = 0
    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    @property
    def is_over(self) -> bool:
        """Whether enough was written and read, in time enough."""
        written = min(map(len, self.written.values()))
        enough = written >= WRITES and self.reads_by_number > READS_BY_NUMBER
        return enough and time.monotonic() > self.ends

    def least(self, event: str, since: float) -> int:
        """Return the revision that a read begun at an instant may not fall behind."""
        return max((r for at, r, _ in self.written[event] if at <= since), default=0)


async def write(address: str, key: str, ledger: Ledger, event: str) -> None:
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {key}"}) as c:
        while not ledger.is_over:
            tag = (await c.get(f"/v1/events/{event}")).headers["etag"]
            title = {"title": f"Written {time.monotonic()}"}
            done = await c.patch(f"/v1/events/{event}", json=title, headers={"If-Match": tag})
            assert done.status_code == 200, done.text
            revision, number = done.json()["revision"], int(done.headers["chancery-change"])
            ledger.written[event].append((time.monotonic(), revision, number))
            await asyncio.sleep(0.1)


async def read(address: str, ledger: Ledger, turn: int) -> None:
    event = EVENTS[turn % len(EVENTS)]
    # A connection for every request, so that any of the workers may answer it.
    each_its_own = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, limits=each_its_own) as client:
        while not ledger.is_over:
            began = time.monotonic()
            if turn % 3 and ledger.written[event]:
                least, number = ledger.written[event][-1][1:]
                headers = {"Chancery-Change": str(number)}
                ledger.reads_by_number += 1
            else:
                least, headers = ledger.least(event, began - LATEST_S - LEEWAY_S), {}
            found = (await client.get(f"/v1/events/{event}", headers=headers)).json()
            assert found["revision"] >= least, (found["revision"], least, headers)
            ledger.reads += 1


async def test_no_answer_is_older_than_it_may_be(loaded_url: str) -> None:
    async with Database(loaded_url) as database, database.writing() as connection:
        key, _ = await create_key(connection, "a test", [Scope.EDIT], None)
    ledger = Ledger({event: [] for event in EVENTS})
    environment = {"CHANCERY_DATABASE_URL": loaded_url, "CHANCERY_WRITES_A_MINUTE": "100000"}
    with served(environment, "--workers", "4") as address:
        writers = (write(address, key, ledger, EVENTS[n % 2]) for n in range(WRITERS))
        readers = (read(address, ledger, turn) for turn in range(READERS))
        await asyncio.gather(*writers, *readers)
    assert ledger.reads > ledger.reads_by_number
