"""The directory of an embedded register, and what its users agree on through it.

Nothing here goes by what a file says of a process, because a copied directory holds a copy of
that file. The kernel knows better: a lock belongs to one file, however its directory is called,
and ends with the last process that holds it; whoever connects to a socket in this directory
meets the server that listens in this directory.
"""

import fcntl
import logging
import os
import shutil
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from app.domain.errors import MisconfiguredError

logger = logging.getLogger("chancery.embedded")

# Held by whoever starts or stops the server, by whoever uses it, and by the server's processes.
_START_LOCK, _USERS_LOCK, _SERVER_LOCK = "start.lock", "users.lock", "server.lock"
_DATA, _UPGRADED_DATA = "postgres", "postgres.upgraded"
_PORT = 5432
# struct ucred of unix(7): process, user, group.
_CREDENTIALS = struct.Struct("3i")
_CONNECT_TIMEOUT_S = 5.0


def has_register(path: Path) -> bool:
    """Tell whether a data directory holds a register; nothing is made or opened."""
    return any((path / name).exists() for name in (_DATA, _UPGRADED_DATA))


class DataDirectory:
    """An open data directory: found again when it is renamed, and never taken for its copy."""

    def __init__(self, path: Path) -> None:
        """Open the directory, and make it where it isn't there.

        Raises:
            MisconfiguredError: it can't be made or written.

        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / _START_LOCK).touch()
            self._opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise MisconfiguredError(
                f"The data directory {path} can't be made or written ({error.strerror}): "
                "set CHANCERY_DATA_DIR to one that can."
            ) from error

    @property
    def path(self) -> Path:
        """Where the directory is now, without symbolic links."""
        return Path(f"/proc/self/fd/{self._opened}").readlink()

    @property
    def data(self) -> Path:
        """Where PostgreSQL keeps its data."""
        return self.path / _DATA

    @property
    def upgraded_data(self) -> Path:
        """Where upgraded data wait, complete, to take the place of the old ones."""
        return self.path / _UPGRADED_DATA

    @property
    def sockets(self) -> Path:
        """Where the server has its socket."""
        return self.path / "socket"

    @property
    def link(self) -> Path:
        """A short name for `sockets`, the same as long as the directory exists.

        A socket's path ends at 107 bytes (unix(7)), and a directory's may be longer.
        """
        found = os.fstat(self._opened)
        return Path(f"/tmp/chancery-{os.geteuid()}-{found.st_dev:x}-{found.st_ino:x}")  # noqa: S108 - Its owner is checked.

    def link_sockets(self) -> None:
        """Have the link lead to where the sockets are now.

        Raises:
            MisconfiguredError: somebody else has taken the name.

        """
        link, target = self.link, self.sockets
        try:
            if link.is_symlink() and link.readlink() != target:
                link.unlink()
            with suppress(FileExistsError):
                link.symlink_to(target)
        except OSError as error:
            raise MisconfiguredError(f"{link} can't be made ({error.strerror}).") from error
        if not self._is_linked():
            raise MisconfiguredError(f"{link} is somebody else's: remove it and try again.")

    def _is_linked(self) -> bool:
        with suppress(OSError):
            is_ours = self.link.lstat().st_uid == os.geteuid()
            return is_ours and self.link.readlink() == self.sockets
        return False

    def clear_sockets(self) -> Path:
        """Return where the sockets are, without those of a former server or of a copied one."""
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        # On a full disk there would be no room for a new directory.
        for left in self.sockets.iterdir():
            left.unlink()
        return self.sockets

    def unlink_sockets(self) -> None:
        """Remove the sockets and the link to them, once no server runs."""
        if self._is_linked():
            self.link.unlink()
        shutil.rmtree(self.sockets, ignore_errors=True)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Keep others from starting, stopping or replacing the server meanwhile."""
        with self._locked(_START_LOCK, fcntl.LOCK_EX):
            # An upgrade was interrupted between its last two steps.
            if self.upgraded_data.exists() and not self.data.exists():
                self.upgraded_data.rename(self.data)
            yield

    @contextmanager
    def using(self) -> Iterator["Users"]:
        """Count as a user of the server meanwhile."""
        with self._locked(_USERS_LOCK, fcntl.LOCK_SH) as lock:
            yield Users(lock)

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Lend the lock that a new server inherits and holds, with all its processes, to their end.

        Raises:
            BlockingIOError: a server holds it.

        """
        with self._locked(_SERVER_LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB) as lock:
            yield lock

    def is_served(self) -> bool:
        """Tell whether any process of a server on this directory is left."""
        try:
            with self.serving():
                return False
        except BlockingIOError:
            return True

    def postmaster(self) -> int | None:
        """Return the process that listens in this directory, None where there is none."""
        if not self._is_linked():
            return None
        path = self.link / f".s.PGSQL.{_PORT}"
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_CONNECT_TIMEOUT_S)
            client.connect(str(path))
            sent = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            process: int = _CREDENTIALS.unpack(sent)[0]
            return process
        return None

    def remove_stale_pid_file(self) -> None:
        """Remove postmaster.pid, which keeps a server from starting, where nobody holds the lock.

        It may have been copied with the data, be left empty by a power cut or a full disk, or name
        a process that meanwhile is another one, or ended and wasn't collected by its parent.

        Raises:
            MisconfiguredError: it names a living server on these data; an older release or an
                operator has started it, as it doesn't hold the lock.

        """
        file = self.data / "postmaster.pid"
        try:
            lines = file.read_text(errors="replace").splitlines()
            process, place = int(lines[0]), lines[1]
        except FileNotFoundError:
            return
        except (ValueError, IndexError):
            pass
        else:
            if _serves(process, place, self.data):
                raise MisconfiguredError(
                    f"Another PostgreSQL (process {process}) runs on {self.data}, which this "
                    "release hasn't started: stop what has started it first."
                )
            if Path(place) != self.data:
                logger.warning(
                    "%s is a copy of %s, or was moved from there: it gets a PostgreSQL of its own.",
                    self.data,
                    place,
                )
        file.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, name: str, operation: int) -> Iterator[int]:
        # Opened anew each time, as threads that share an open file would share its lock.
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=self._opened)
        try:
            fcntl.flock(lock, operation)
            yield lock
        finally:
            os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._opened)


class Users:
    """The users of a server, seen by one of them."""

    def __init__(self, lock: int) -> None:
        """Keep the lock that this one shares with the others."""
        self._lock = lock

    def are_gone(self) -> bool:
        """Tell whether all others have left."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _serves(process: int, place: str, data: Path) -> bool:
    """Tell whether a living process is a server on these data: it works in their directory."""
    try:
        return Path(f"/proc/{process}/cwd").samefile(data)
    except PermissionError:
        # Root in a container may not look; then what the file says must do.
        return Path(place).exists() and Path(place).samefile(data)
    except OSError:
        return False
