"""A PostgreSQL of our own, for those who have none: started on demand, stopped by its last user.

Any number of processes share one server. Each holds a shared lock on a file while it uses it; who
leaves and can get that lock alone was the last, and stops the server. The kernel releases the
locks of a killed process, so a crash leaves nothing that has to be cleaned up by hand. The server
listens on no network, only on a socket in its data directory.
"""

import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from app.db.data_directory import DataDirectory
from app.db.programs import Programs, run_program
from app.db.server_log import ServerLog
from app.domain.errors import MisconfiguredError

START_TIMEOUT_S = 60
"""For so long a server may run and not answer at its socket."""

STOP_TIMEOUT_S = 60
_PAUSE_S = 0.1
# A killed server is missed after so long at most; to look costs 20 microseconds.
_WATCH_INTERVAL_S = 0.5
_SUPERUSER = "chancery"
_DATABASE = "chancery"


@contextmanager
def embedded(data_dir: Path, **parameters: str) -> Iterator[str]:
    """Yield the URL of the server on this data directory, starting it where it doesn't run.

    The URL stays the same as long as the directory exists, whoever starts the server again.

    Raises:
        MisconfiguredError: the server can't be started; the message says why.

    """
    with DataDirectory(data_dir) as directory, directory.using() as users:
        cluster = Cluster(directory, parameters)
        try:
            with directory.starting():
                cluster.start()
            yield cluster.url
        finally:
            with _undisturbed(), directory.starting():
                if users.are_gone():
                    cluster.stop()


@contextmanager
def watched(data_dir: Path) -> Iterator[None]:
    """Start the server again during the block whenever it is gone.

    Where it can't be, the process gets a SIGTERM, so that what the block does comes to its end.

    Raises:
        MisconfiguredError: the server was gone and couldn't be started again.

    """
    over, failures = threading.Event(), list[MisconfiguredError]()

    def watch() -> None:
        with DataDirectory(data_dir) as directory:
            try:
                while not over.wait(_WATCH_INTERVAL_S):
                    with directory.starting():
                        Cluster(directory, {}).restart(over)
            except MisconfiguredError as error:
                failures.append(error)
                os.kill(os.getpid(), signal.SIGTERM)

    watching = threading.Thread(target=watch, name="embedded PostgreSQL", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        if failures:
            raise failures[0]


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


class Cluster:
    """The data of one server, and the commands that make, start and stop it.

    Whoever calls them holds the directory's lock for starting.
    """

    def __init__(
        self, directory: DataDirectory, parameters: dict[str, str], folder: Path | None = None
    ) -> None:
        """Keep what is needed; nothing is touched yet.

        Args:
            directory: where the data are.
            parameters: settings of PostgreSQL that differ from its defaults.
            folder: PostgreSQL's programs; None for those of the package.

        """
        self._directory = directory
        self._parameters = parameters
        self._folder = folder

    @property
    def url(self) -> str:
        """The address of the running server."""
        return f"postgresql://{_SUPERUSER}@/{_DATABASE}?host={quote(str(self._directory.link))}"

    def start(self, over: threading.Event | None = None) -> None:
        """Make the cluster where there is none, and start the server where it doesn't run.

        Args:
            over: ends the waiting for a server that takes long to be ready.

        Raises:
            MisconfiguredError: it can't be started; the message says why.

        """
        try:
            if not self._directory.data.exists():
                with _undisturbed():
                    self._make()
            self._directory.link_sockets()
            self._start(over or threading.Event())
        except OSError as error:
            raise MisconfiguredError(
                f"The embedded PostgreSQL can't be started in {self._directory.path} "
                f"({error.strerror})."
            ) from error

    def _start(self, over: threading.Event) -> None:
        log, is_launched = ServerLog(self._programs), False
        answered = time.monotonic()
        while not over.is_set() and not self._is_ready():
            if self._directory.postmaster() is not None:
                # After a crash it answers, but isn't ready before it has read its log.
                answered = time.monotonic()
            if self._directory.is_served():
                if time.monotonic() > answered + START_TIMEOUT_S:
                    raise MisconfiguredError(
                        f"A PostgreSQL runs on {self._directory.data} and doesn't answer at its "
                        "socket: end its processes, and try again."
                    )
                over.wait(_PAUSE_S)
            elif is_launched:
                raise MisconfiguredError(log.explain_failed_start(self._options()))
            else:
                with _undisturbed():
                    self._launch()
                is_launched = True

    def restart(self, over: threading.Event) -> None:
        """Start the server again where it is gone, and see that the link leads to its socket."""
        if self._directory.is_served():
            self._directory.link_sockets()
        else:
            self.start(over)

    def stop(self) -> None:
        """Stop the server; open connections end, nothing committed is lost.

        Raises:
            MisconfiguredError: it doesn't end.

        """
        with suppress(MisconfiguredError):
            # The directory may have been renamed.
            self._directory.link_sockets()
        deadline, told = time.monotonic() + STOP_TIMEOUT_S, None
        while (process := self._directory.postmaster()) or self._directory.is_served():
            # One that was only just started listens a little later.
            if process and process != told:
                # It may have ended just now.
                with suppress(MisconfiguredError):
                    self._programs.run("pg_ctl", "kill", "INT", str(process))
                told = process
            if time.monotonic() > deadline:
                raise MisconfiguredError(
                    f"The PostgreSQL on {self._directory.data} doesn't end (its log: "
                    f"{self._programs.log})."
                )
            time.sleep(_PAUSE_S)
        self._directory.unlink_sockets()

    @property
    def _programs(self) -> Programs:
        return Programs(self._directory.path, self._folder)

    def _make(self) -> None:
        """Make the cluster beside its place and move it there whole, so that no half one stays."""
        unfinished = self._directory.data.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._programs.own(unfinished)
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
        unfinished.rename(self._directory.data)

    def _launch(self) -> None:
        """Start a server, and don't wait until it is ready."""
        self._programs.check_version()
        with self._directory.serving() as lock:
            self._directory.remove_stale_pid_file()
            self._programs.own(self._directory.clear_sockets())
            self._programs.log.touch()
            self._programs.own(self._programs.log)
            self._programs.run(
                *("pg_ctl", "start", "-D", str(self._directory.data), "-W"),
                *("-l", str(self._programs.log), "-o", shlex.join(self._options())),
                lock=lock,
            )

    def _options(self) -> list[str]:
        settings = {"unix_socket_directories": str(self._directory.link), **self._parameters}
        return [f"--{name}={value}" for name, value in settings.items()]

    def _is_ready(self) -> bool:
        if self._directory.postmaster() is None:
            return False
        with suppress(MisconfiguredError):
            run_program("pg_isready", "-h", str(self._directory.link), "-U", _SUPERUSER, "-t", "5")
            return True
        return False
