"""Whether anybody notices 2,000 clients that hold a connection and say next to nothing on it.

Run it with `python -m tests.benchmarks.slow_clients [SECONDS]`; it starts a PostgreSQL of its own,
the service with the 1,024 open files that a process usually may have, and HAProxy as it is shipped.
It is no part of the test suite.
"""

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from app.db.embedded import embedded
from tests.benchmarks.overload import filled, say, share
from tests.benchmarks.reads import servers
from tests.support.proxy import installed_haproxy, proxied
from tests.support.slow import Slow

SECONDS = 60.0
COUNT = 2_000
USUAL_FILES = 1_024
A_SECOND = 20
PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Held:
    """What became of the slow connections."""

    cut: int
    turned_away: int
    longest_s: float


@contextmanager
def few_files() -> Iterator[None]:
    """Let what is started meanwhile have as many open files as is usual."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_FILES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def hold(port: int, seconds: float) -> Held:
    """Hold all connections for a while; this runs in a process of its own."""
    slow = Slow(port, COUNT)

    async def run() -> None:
        async with slow.at_work():
            await asyncio.sleep(seconds)

    asyncio.run(run())
    return Held(slow.cut, slow.turned_away, slow.longest_s)


async def look(address: str, seconds: float) -> tuple[list[float], int]:
    """Ask as others do, every other time on a new connection; return times and failures."""
    times: list[float] = []
    failed, end = 0, time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:
        while (began := time.monotonic()) < end:
            number = len(times)
            headers = {"Connection": "close"} if number % 2 else {}
            try:
                path = f"/v1/events?country=KZ&limit={number % 200 + 1}"
                failed += (await client.get(path, headers=headers)).status_code != 200
            except httpx.TransportError:
                failed += 1
            times.append(time.monotonic() - began)
            await asyncio.sleep(max(0, began + 1 / A_SECOND - time.monotonic()))
    return times, failed


def tell(name: str, times: list[float], failed: int, held: Held | None) -> None:
    """Print a line of the table."""
    about = (
        "" if held is None else f"{held.cut:>10,}{held.longest_s:>9.1f} s{held.turned_away:>13,}"
    )
    say(
        f"{name:<38}{len(times):>8,}{failed:>8,}"
        f"{share(times, 0.5):>9.1f}{share(times, 0.99):>10.1f} ms{about}"
    )


def measure(name: str, address: str, seconds: float) -> None:
    """Look how healthy clients fare, first alone and then among slow ones."""
    times, failed = asyncio.run(look(address, seconds / 6))
    tell(f"{name}, alone", times, failed, None)
    port = urlsplit(address).port or 0
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        held = elsewhere.submit(hold, port, seconds + 1)
        time.sleep(1)
        times, failed = asyncio.run(look(address, seconds))
        tell(f"  among {COUNT:,} slow ones", times, failed, held.result())


def run(url: str, place: Path, seconds: float) -> None:
    """Measure with the proxy, without it, and without any of the bounds."""
    with ExitStack() as stack:
        with few_files():
            service = stack.enter_context(servers.service(url))
            plain = stack.enter_context(servers.unbounded(url))
        say(
            f"{'':<38}{'asked':>8}{'failed':>8}{'p50':>9}{'p99':>13}"
            f"{'cut off':>10}{'longest':>11}{'turned away':>13}"
        )
        program = installed_haproxy()
        if program is not None:
            server = urlsplit(service.address).netloc
            with proxied(program, server, place, requests=100_000) as proxy:
                measure("through the proxy", proxy.address, seconds)
        measure("without it", service.address, seconds)
        measure("uvicorn's own protocol", plain.address, seconds)


def main() -> None:
    """Measure on a server of its own."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as name, embedded(Path(name) / "postgres") as url:
        asyncio.run(filled(url))
        run(url, Path(name), seconds)


if __name__ == "__main__":
    main()
