"""The service under a stream of writes and reads, while a fault comes and goes."""

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx

from app.domain.keys import Scope
from tests.faults.cable import Cable
from tests.faults.ledger import Found, Ledger, check_register, compared
from tests.faults.postgres import Postgres, children, running
from tests.support.database import execute
from tests.support.factories import facts
from tests.support.keys import bearer, key_for
from tests.support.processes import answers_on
from tests.support.service import START_TIMEOUT_S, ready

WRITERS = 4
# Nothing may be left without an answer for so long, and nothing may be away for so long.
ANSWER_S = 30
PATIENCE_S = 120
LOOK_AT_PROCESSES_S = 0.1


@dataclass
class Row:
    """What the table says of a fault."""

    fault: str
    rounds: int
    acknowledged: int
    lost: int = 0
    doubled: int = 0
    outage_s: float | None = None
    back_s: float | None = None

    @property
    def cells(self) -> list[str]:
        """What stands in the table."""
        counts = (self.rounds, self.acknowledged, self.lost, self.doubled)
        return [self.fault, *(f"{n:,}" for n in counts), _s(self.outage_s), _s(self.back_s)]

    @property
    def verdict(self) -> str:
        """What a control comes to."""
        return f"{self.lost:,} of {self.acknowledged:,} lost, {self.doubled:,} doubled"


def _s(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


@dataclass
class Siege:
    """A running service, its database, and those who ask both without a pause."""

    # Both only where the database isn't the service's own.
    _postgres: Postgres | None = None
    _cable: Cable | None = None
    idempotent: bool = True
    process: subprocess.Popen[str] = field(init=False)
    client: httpx.AsyncClient = field(init=False)
    regrets: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    random: Random = field(default_factory=lambda: Random(5))
    over: bool = False
    back_s: float = 0
    read_at: float = 0
    failed: int = 0
    found: Found = field(default_factory=lambda: Found(0, 0))

    @property
    def postgres(self) -> Postgres:
        """The database that the tests run."""
        assert self._postgres is not None
        return self._postgres

    @property
    def cable(self) -> Cable:
        """The way to it."""
        assert self._cable is not None
        return self._cable

    @property
    def workers(self) -> list[int]:
        """The processes that answer, apart from those that are only just starting."""
        port = self.client.base_url.port
        assert port is not None
        return [process for process in children(self.process.pid) if answers_on(process, port)]

    async def at_work(self, count: int) -> list[int]:
        """Return the processes that answer as soon as there are so many."""
        await self._until(lambda: len(self.workers) == count, LOOK_AT_PROCESSES_S)
        return self.workers

    async def replaced(self, before: set[int], count: int) -> None:
        """Wait until so many others answer, and none of those before."""

        def holds() -> bool:
            workers = set(self.workers)
            return len(workers) == count and not before & workers

        await self._until(holds, LOOK_AT_PROCESSES_S)

    async def acknowledged(self, more: int) -> None:
        """Wait until so many more writes are acknowledged."""
        enough = len(self.ledger.acknowledged) + more
        await self._until(lambda: len(self.ledger.acknowledged) >= enough)

    async def refused(self, more: int = 1) -> None:
        """Wait until so many more writes are refused."""
        enough = self.ledger.refused + more
        await self._until(lambda: self.ledger.refused >= enough)

    async def back(self) -> None:
        """Wait until there are writes and reads again, and note how long that took."""
        lifted = time.monotonic()
        await self._until(lambda: min(self.ledger.newest or 0, self.read_at) > lifted)
        self.back_s = max(self.back_s, time.monotonic() - lifted)

    def row(self, fault: str, rounds: int) -> Row:
        """Return what the table says."""
        gap, acknowledged = self.ledger.longest_gap, len(self.ledger.acknowledged)
        return Row(fault, rounds, acknowledged, *self.found, gap, self.back_s)

    async def write(self) -> None:
        """Write until it is over."""
        while not self.over:
            token = self.ledger.next_token()
            headers = {"Idempotency-Key": token} if self.idempotent else {}
            try:
                body = facts(title=token)
                response = await self.client.post("/v1/events", json=body, headers=headers)
            except httpx.TimeoutException:
                self.ledger.strange.append(f"No answer to a write within {ANSWER_S} s")
                self.ledger.unanswered.append(token)
            except httpx.TransportError:
                self.failed += 1
                self.ledger.unanswered.append(token)
                await asyncio.sleep(0.01)
            else:
                await self._note(token, response)

    async def _note(self, token: str, response: httpx.Response) -> None:
        if response.status_code == 201:
            self.ledger.acknowledge(token, response.json()["id"])
            return
        self.ledger.unanswered.append(token)
        self.ledger.refused += 1
        self.failed += 1
        if response.status_code != 503:
            self.ledger.strange.append(f"{response.status_code} to a write: {response.text}")
        await asyncio.sleep(0.02)

    async def read(self) -> None:
        """Read until it is over, every time something that isn't kept."""
        for number in count():
            if self.over:
                return
            try:
                parameters = {"limit": 1, "date_from": 1000 + number % 1000}
                response = await self.client.get("/v1/events", params=parameters)
            except httpx.TimeoutException:
                self.ledger.strange.append(f"No answer to a read within {ANSWER_S} s")
            except httpx.TransportError:
                self.failed += 1
            else:
                if response.status_code == 200:
                    self.read_at = time.monotonic()
                elif response.status_code == 503:
                    self.failed += 1
                else:
                    self.ledger.strange.append(f"{response.status_code} to a read")
            await asyncio.sleep(0.05)

    async def _until(self, holds: Callable[[], bool], every_s: float = 0.005) -> None:
        async with asyncio.timeout(PATIENCE_S):
            # Many tell of it, at different places.
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(every_s)


@asynccontextmanager
async def besieged(
    place: Path,
    *,
    workers: int = 1,
    idempotent: bool = True,
    commit_s: float = 0,
    parameters: Mapping[str, str] = {},
) -> AsyncIterator[Siege]:
    """Lend a besieged service; in the end `found` has what became of the writes."""
    async with running(place, parameters) as postgres, Cable(postgres.port).laid() as cable:
        key = await prepared(postgres.url, commit_s=commit_s)
        environment = {"CHANCERY_DATABASE_URL": postgres.url_through(cable.port)}
        siege = Siege(postgres, cable, idempotent)
        async with attacked(siege, key, environment, workers):
            yield siege
        await check(siege, postgres.url)


@asynccontextmanager
async def attacked(
    siege: Siege, key: str, environment: dict[str, str], workers: int
) -> AsyncIterator[None]:
    """Run the service, and write to it and read from it during the block."""
    environment |= {"CHANCERY_WRITES_A_MINUTE": "1000000"}
    async with _served(environment, "--workers", str(workers)) as (address, process):
        log = threading.Thread(target=_read_log, args=(process, siege.regrets), daemon=True)
        log.start()
        async with httpx.AsyncClient(
            base_url=address, headers=bearer(key), timeout=ANSWER_S
        ) as client:
            siege.process, siege.client = process, client
            tasks = [asyncio.create_task(siege.write()) for _ in range(WRITERS)]
            tasks.append(asyncio.create_task(siege.read()))
            try:
                yield
            finally:
                siege.over = True
                await asyncio.gather(*tasks)
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, START_TIMEOUT_S)
        log.join()


async def check(siege: Siege, url: str) -> None:
    """Note what became of the writes."""
    assert not siege.ledger.strange, (siege.ledger.strange, siege.regrets)
    siege.found = await compared(url, siege.ledger)
    if not any(siege.found):
        await check_register(url, siege.ledger)


async def endured(
    fault: str, cause: Callable[[Siege, int], Awaitable[None]], rounds: int, place: Path, **how: Any
) -> Row:
    """Cause a fault so often in a siege, and return what the table says of it.

    Args:
        fault: what it is called.
        cause: what causes it, and waits each time until all is well again.
        rounds: how often.
        place: where the database lies.
        how: what else `besieged` takes.

    """
    async with besieged(place, **how) as siege:
        await cause(siege, rounds)
    return siege.row(fault, rounds)


@asynccontextmanager
async def _served(
    environment: dict[str, str], *options: str
) -> AsyncIterator[tuple[str, subprocess.Popen[str]]]:
    """Run the service; it is waited for in a thread, as the loop carries what it asks."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, ready(environment, *options))


async def prepared(url: str, *, commit_s: float) -> str:
    """Make the register ready and return an editor's key."""
    if commit_s:
        await execute(url, *_slow_commits(commit_s))
    key = await key_for(url, Scope.EDIT)
    # A control that loses this as well could show nothing of what was acknowledged.
    await execute(url, "CHECKPOINT")
    return key


def _slow_commits(seconds: float) -> tuple[str, str]:
    return (
        f"""
        CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$
        """,
        """
        CREATE CONSTRAINT TRIGGER take_time AFTER INSERT ON event_revision
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_time()
        """,
    )


def _read_log(process: subprocess.Popen[str], regrets: list[str]) -> None:
    """Take what the service says, lest it waits for somebody to do so, and keep what it regrets."""
    assert process.stdout is not None
    regrets += (line for line in process.stdout if '"level": "error"' in line)
