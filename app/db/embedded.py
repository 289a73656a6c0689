"""A PostgreSQL 18 of our own, for those who have none: started on demand, stopped by its last user.

Any number of processes share one server. Each holds a shared lock on a file while it uses it; who
leaves and can get that lock alone was the last, and stops the server. The kernel releases the
locks of a killed process, so a crash leaves nothing that has to be cleaned up by hand.

The server listens on no network. Its socket lies in a short private directory under /tmp, because
a socket's path ends at 107 bytes (unix(7)) and a checkout's path may be longer or hold blanks.
"""

import fcntl
import shlex
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

from app.db.programs import Programs
from app.domain.errors import MisconfiguredError

START_TIMEOUT_S = 60
_SUPERUSER = "chancery"
_DATABASE = "chancery"
# The fifth line of postmaster.pid names the socket's directory (storage/pidfile.h).
_SOCKET_LINE = 4


@contextmanager
def embedded(data_dir: Path, **parameters: str) -> Iterator[str]:
    """Yield the URL of the server on this data directory, starting it where it doesn't run.

    Raises:
        MisconfiguredError: the server can't be started; the message says why.

    """
    cluster = Cluster(made(data_dir), parameters)
    with (data_dir / "users.lock").open("w") as users:
        try:
            with alone(data_dir), _undisturbed():
                fcntl.flock(users, fcntl.LOCK_SH)
                cluster.start()
            yield cluster.url()
        finally:
            with alone(data_dir), _undisturbed():
                if _was_last(users):
                    cluster.stop()


def made(data_dir: Path) -> Path:
    """Make the data directory where it isn't there, and return its absolute path.

    Raises:
        MisconfiguredError: it can't be made or written.

    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / "start.lock").touch()
    except OSError as error:
        raise MisconfiguredError(
            f"The data directory {data_dir} can't be made or written ({error.strerror}): "
            "set CHANCERY_DATA_DIR to one that can."
        ) from error
    return data_dir.resolve()


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Keep other processes from starting or stopping the server meanwhile."""
    with (data_dir / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put SIGTERM and Ctrl-C off to the block's end, so that no half-started server is left."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {
        put_off: signal.signal(put_off, lambda number, _: came.append(number))
        for put_off in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for put_off, handler in handlers.items():
            signal.signal(put_off, handler)
    for number in came:
        signal.raise_signal(number)


def _was_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Cluster:
    """The data of one server, and the commands that make, start and stop it."""

    def __init__(self, data_dir: Path, parameters: dict[str, str]) -> None:
        """Keep the places; nothing is touched yet."""
        self._programs = programs = Programs(data_dir)
        self._data, self._log = programs.data, programs.log
        self._parameters = parameters
        self._sockets: Path | None = None

    def url(self) -> str:
        """Return the address of the running server."""
        return f"postgresql://{_SUPERUSER}@/{_DATABASE}?host={quote(str(self._sockets))}"

    def start(self) -> None:
        """Make the cluster where there is none, and start the server where it doesn't run."""
        if not self._data.exists():
            self._make()
        if not self._is_ready():
            self._start()
        self._sockets = self._socket_dir()

    def stop(self) -> None:
        """Stop the server; open connections end, nothing committed is lost."""
        # A server that somebody else has shut down names its directory no more.
        socket_dir = self._socket_dir() or self._sockets
        if self._runs():
            self._programs.run("pg_ctl", "stop", "-D", str(self._data), "-m", "fast", "-w")
        _remove_socket_dir(socket_dir)

    def _make(self) -> None:
        """Make the cluster beside its place and move it there whole, so that no half one stays."""
        unfinished = self._data.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._programs.own(_new_directory(unfinished))
        # The built-in locale sorts alike on every machine, whatever its C library.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        self._programs.run(
            *("initdb", "-D", str(unfinished), "-U", _SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", *locale, "--no-instructions"),
            *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"),
        )
        self._programs.run(
            *("postgres", "--single", "-D", str(unfinished), "postgres"),
            standard_input=f"CREATE DATABASE {_DATABASE}\n",
        )
        unfinished.rename(self._data)

    def _start(self) -> None:
        _remove_socket_dir(self._socket_dir())
        self._log.touch()
        self._programs.own(self._log)
        socket_dir = self._programs.own(Path(tempfile.mkdtemp(prefix="chancery-", dir="/tmp")))
        settings = {"unix_socket_directories": str(socket_dir), **self._parameters}
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())
        try:
            self._retry_start(options)
        except MisconfiguredError:
            _remove_socket_dir(socket_dir)
            raise

    def _retry_start(self, options: str) -> None:
        """Start the server, again for a while where a killed one seems to be alive still.

        Until its parent has collected it, a killed server's process number is taken, and
        PostgreSQL then won't start beside it.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._programs.run(
                    *("pg_ctl", "start", "-D", str(self._data), "-l", str(self._log)),
                    *("-o", options, "-w", "-t", str(START_TIMEOUT_S)),
                )
            except MisconfiguredError:
                if time.monotonic() > deadline or not (self._data / "postmaster.pid").exists():
                    raise
                time.sleep(0.5)
            else:
                return

    def _socket_dir(self) -> Path | None:
        with suppress(OSError, IndexError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return Path(lines[_SOCKET_LINE])
        return None

    def _runs(self) -> bool:
        with suppress(MisconfiguredError):
            self._programs.run("pg_ctl", "status", "-D", str(self._data))
            return True
        return False

    def _is_ready(self) -> bool:
        socket_dir = self._socket_dir()
        if socket_dir is None:
            return False
        with suppress(MisconfiguredError):
            self._programs.run("pg_isready", "-h", str(socket_dir), "-U", _SUPERUSER, "-t", "5")
            return True
        return False


def _new_directory(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def _remove_socket_dir(path: Path | None) -> None:
    if path is not None and path.name.startswith("chancery-"):
        shutil.rmtree(path, ignore_errors=True)
