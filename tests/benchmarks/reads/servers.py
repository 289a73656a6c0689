"""The candidates as processes of their own, each asked over the network."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.service import free_port

UVICORN = ("-m", "uvicorn", "--log-level", "warning", "--no-access-log")
READY_S = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running candidate."""

    address: str
    pid: int
    started_s: float

    def memory_mb(self) -> float:
        """Return what its process and its workers hold in memory, the largest of them."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return max(_resident_mb(each) for each in (str(self.pid), *children))

    def cpu_s(self) -> float:
        """Return the seconds of a processor that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: str) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def service(url: str, *options: str) -> Iterator[Server]:
    """Run this service, as it is shipped."""
    with _running(("-m", "app", "serve", *options), {"CHANCERY_DATABASE_URL": url}) as server:
        yield server


@contextmanager
def unbounded(url: str) -> Iterator[Server]:
    """Run this service without its bounds on what is answered at a time."""
    program = (*UVICORN, "--factory", "tests.benchmarks.overload:unbounded")
    with _running(program, {"CHANCERY_DATABASE_URL": url}) as server:
        yield server


@contextmanager
def plain(url: str) -> Iterator[Server]:
    """Run the plain way."""
    program = (*UVICORN, "tests.benchmarks.reads.plain:app")
    with _running(program, {"CHANCERY_DATABASE_URL": url}, "/openapi.json") as server:
        yield server


@contextmanager
def floor(body: Path, name: str) -> Iterator[Server]:
    """Run `bare` or `parsing`, which answer with these bytes."""
    program = (*UVICORN, f"tests.benchmarks.reads.floor:{name}")
    with _running(program, {"CONSTANT_BODY": str(body)}, "/v1/events") as server:
        yield server


@contextmanager
def datasette(program: str, database: Path, metadata: Path) -> Iterator[Server]:
    """Run Datasette on a copy of the same events."""
    options = ("--metadata", str(metadata), "--setting", "sql_time_limit_ms", "30000")
    command = (program, "serve", "--immutable", str(database), *options)
    with _running(command, {}, "/-/versions.json", python=()) as server:
        yield server


@contextmanager
def _running(
    command: tuple[str, ...],
    environment: Mapping[str, str],
    ready: str = "/readyz",
    *,
    python: tuple[str, ...] = (sys.executable,),
) -> Iterator[Server]:
    port = free_port()
    began = time.monotonic()
    process = subprocess.Popen(
        [*python, *command, "--port", str(port)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address + ready, process)
        yield Server(address, process.pid, time.monotonic() - began)
    finally:
        process.terminate()
        process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise RuntimeError(f"{address} did not get ready.")
