"""The front proxy as it is shipped, running before whatever a test puts behind it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.service import ROOT, free_port

CONFIGURATION = ROOT / "app/data/haproxy.cfg"
PATIENCE_S = 20


@dataclass(frozen=True)
class Proxy:
    """A running proxy."""

    port: int
    control: Path

    @property
    def address(self) -> str:
        """What clients ask."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, line: str) -> str:
        """Give an operator's command, and return what it says."""
        with socket.socket(socket.AF_UNIX) as operator:
            operator.connect(str(self.control))
            operator.sendall(line.encode() + b"\n")
            return b"".join(iter(lambda: operator.recv(65_536), b"")).decode()


@pytest.fixture(scope="session")
def haproxy() -> str:
    """The proxy's program."""
    program = installed_haproxy()
    if program is None:
        pytest.skip("There is no HAProxy: neither on the PATH nor in /usr/sbin.")
    return program


def installed_haproxy() -> str | None:
    """Return the proxy's program, or None where there is none."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def proxied(program: str, server: str, place: Path, **settings: str | int) -> Iterator[Proxy]:
    """Run the shipped proxy before a server, which it takes to be up until it has looked.

    Args:
        program: the proxy's program.
        server: host and port.
        place: a directory for what an operator needs.
        settings: its settings without `PROXY_`.

    """
    proxy = Proxy(free_port(), place / "operator.sock")
    operators = place / "operator.cfg"
    operators.write_text(f'global\n    stats socket "{proxy.control}" level admin\n')
    given = {"LISTEN": f"127.0.0.1:{proxy.port}", "SERVER": server} | settings
    with subprocess.Popen(
        [program, "-db", "-f", CONFIGURATION, "-f", operators],
        env=os.environ | {f"PROXY_{name.upper()}": str(value) for name, value in given.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_until_it_takes_requests(proxy)
            yield proxy
        finally:
            process.kill()


def _wait_until_it_takes_requests(proxy: Proxy) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", proxy.port)):
            return
        time.sleep(0.02)
    pytest.fail("The proxy did not become ready.")
