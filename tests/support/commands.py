"""The command line, run in the test's own process or, where signals and locks matter, as its own.

A process of its own takes one to two seconds to import the application.
"""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from app.cli import main
from app.db.embedded import embedded
from tests.support.database import FAST, execute, prepare
from tests.support.service import (
    ROOT,
    clean_environment,
    free_port,
    started,
    wait_until_ready,
)

TIMEOUT_S = 60
CHANCERY = (sys.executable, "-m", "app")


@dataclass(frozen=True, slots=True)
class Serving:
    """A running `chancery serve`."""

    address: str
    process: subprocess.Popen[str]

    def events(self) -> Any:
        answer = httpx.get(f"{self.address}/v1/events", params={"limit": 200})
        assert answer.status_code == 200
        return answer.json()["items"]

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Stop it and return all that it said."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=TIMEOUT_S)
        return said


@contextmanager
def serving(data_dir: Path, *options: str) -> Iterator[Serving]:
    port = free_port()
    command = [*CHANCERY, "serve", "--port", str(port), *options]
    with started(command, {"CHANCERY_DATA_DIR": str(data_dir)}, ROOT) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, process)
        yield Serving(address, process)


def chancery(
    *arguments: str,
    url: str = "",
    data_dir: Path | str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in this process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    settings = _settings(url, data_dir) | dict(environment or {})
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with (
            patch.object(sys, "argv", ["chancery", *arguments]),
            patch.dict(os.environ, clean_environment() | settings, clear=True),
            chdir(ROOT),
            redirect_stdout(stdout),
            redirect_stderr(stderr),
            pytest.raises(SystemExit) as ended,
        ):
            main()
    finally:
        # Commands that use the database say what SIGTERM does from then on.
        signal.signal(signal.SIGTERM, handler)
    # Python's own rule: none is success.
    status = int(ended.value.code or 0)
    return subprocess.CompletedProcess(arguments, status, stdout.getvalue(), stderr.getvalue())


def run_process(
    *arguments: str,
    url: str = "",
    data_dir: Path | str = "",
    cwd: Path = ROOT,
    before: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process of its own.

    Args:
        arguments: what the command is told.
        url: the database's address, "" for the embedded one.
        data_dir: where that lies, "" for the default.
        cwd: where the command is run.
        before: a command to run it by.

    """
    return subprocess.run(
        [*before, *CHANCERY, *arguments],
        cwd=cwd,
        env=clean_environment() | {"PYTHONPATH": str(ROOT)} | _settings(url, data_dir),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def _settings(url: str, data_dir: Path | str) -> dict[str, str]:
    return {"CHANCERY_DATABASE_URL": url, "CHANCERY_DATA_DIR": str(data_dir)}


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a successful command says."""
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed command says."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("chancery: ")
    assert done.stderr.count("\n") == 1
    assert "unexpected" not in done.stderr
    return done.stderr.strip()


def workers_of(server: Serving) -> list[str]:
    """Return the process ids of the workers of a running service."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return [
        child
        for child in children.read_text().split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def run_sql(url: str, statement: str) -> None:
    asyncio.run(execute(url, statement))


@pytest.fixture(scope="session")
def filled_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the sample timeline, which tests copy."""
    data_dir = tmp_path_factory.mktemp("filled")
    with embedded(data_dir, **FAST) as url:
        asyncio.run(prepare(url, with_timeline=True))
    return data_dir


def copy_data_dir(source: Path, target: Path) -> None:
    """Copy a data directory whose server isn't running."""
    # Of Python's own ways to copy none keeps the owner, which PostgreSQL insists on.
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
