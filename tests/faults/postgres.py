"""A PostgreSQL to be maltreated: killed, cut off from its power, started again.

It is a copy of the embedded one, but listens on a port that stays the same when it is started
again, and is our own child, which a killed one must be to be gone at once.
"""

import asyncio
import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path

from app.db.embedded import START_TIMEOUT_S, embedded
from app.db.programs import Programs, folder
from tests.support.database import prepare
from tests.support.service import free_port

# Several of these run beside other servers, on machines that are small.
SMALL = {"shared_buffers": "32MB", "max_wal_size": "64MB", "max_connections": "60"}


class Postgres:
    """One server and its data."""

    def __init__(self, place: Path, parameters: Mapping[str, str] = {}) -> None:
        """Choose a port; nothing is made yet."""
        place.mkdir(parents=True, exist_ok=True)
        self._programs = Programs(place)
        self._data, self._log = self._programs.data, self._programs.log
        self.port = free_port()
        self.parameters = SMALL | {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        self.parameters |= {"unix_socket_directories": "", **parameters}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        return self.url_through(self.port)

    def url_through(self, port: int) -> str:
        """Return the address behind a port that leads to the server's."""
        return f"postgresql://chancery@127.0.0.1:{port}/chancery"

    async def start(self) -> None:
        """Start the server; where there are no data, on a register that is migrated and empty."""
        await asyncio.to_thread(self._start)

    async def kill(self) -> None:
        """Kill all its processes; the first is halted before, so that none can tell of it."""
        await asyncio.to_thread(self._kill)

    def freeze(self) -> None:
        """Halt all its processes: connections stay open, and nothing is answered."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Stop it in good order, if it runs."""
        await asyncio.to_thread(self._stop)

    @property
    def runs(self) -> bool:
        """Whether the server's first process is there."""
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        if not self._data.exists():
            subprocess.run(["cp", "-a", _template(), self._data], check=True)
        settings = (f"--{name}={value}" for name, value in self.parameters.items())
        program = str(folder() / "postgres")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._programs._without_root(), program, "-D", str(self._data), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        asked = [str(folder() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + START_TIMEOUT_S
        while subprocess.run(asked, check=False).returncode != 0:
            assert self.runs, self._log.read_text()[-2000:]
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.05)

    def _kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        """Send a signal to all processes, to the first one last."""
        assert self._process is not None
        first = self._process.pid
        for process in (*children(first), first):
            # Some may have ended by themselves.
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(START_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._kill()


@cache
def _template() -> Path:
    """Make the data of an empty register, once in a process, and return where they are."""
    place = Path(tempfile.mkdtemp(prefix="register-"))
    atexit.register(shutil.rmtree, place)
    with embedded(place) as url:
        asyncio.run(prepare(url, with_timeline=False))
    return Programs(place).data


@asynccontextmanager
async def running(place: Path, parameters: Mapping[str, str] = {}) -> AsyncIterator[Postgres]:
    """Lend a running server, and stop what is left of it."""
    server = Postgres(place, parameters)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
