"""The service as people start it: a process of its own, asked over the network."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60


@pytest.fixture(scope="session")
def service(timeline_url: str) -> Iterator[str]:
    """The address of a running service on the sample timeline."""
    with served({"CHANCERY_DATABASE_URL": timeline_url}) as address:
        yield address


@contextmanager
def served(environment: Mapping[str, str], *options: str, cwd: Path = ROOT) -> Iterator[str]:
    """Run `chancery serve` until it is ready, and stop it as an operator would."""
    with ready(environment, *options, cwd=cwd) as (address, process):
        yield address
        process.send_signal(signal.SIGTERM)
        process.wait(START_TIMEOUT_S)


@contextmanager
def ready(
    environment: Mapping[str, str], *options: str, cwd: Path = ROOT
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `chancery serve` until it is ready, and kill it if it is left running."""
    port = free_port()
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), *options]
    with started(command, environment, cwd) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, process)
        yield address, process


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str], cwd: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a command with these CHANCERY_ settings and no others; kill what it leaves running."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=clean_environment() | {"PYTHONPATH": str(ROOT)} | dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A group of its own, so that its workers can be ended with it.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of ours, and without coverage, which is slow.

    What commands and services run is covered by the tests that call it in their own process.
    """
    ours = ("CHANCERY_", "COVERAGE_")
    return {name: v for name, v in os.environ.items() if not name.startswith(ours)}


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until_ready(address: str, process: subprocess.Popen[str]) -> None:
    """Wait until the service says that it is ready."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stdout is not None
            pytest.fail(f"The service ended: {process.stdout.read()}")
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("The service did not become ready.")
