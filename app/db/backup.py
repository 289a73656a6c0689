"""The embedded register in one file, and a register made from such a file.

The file is an archive of pg_dump's, so that any newer PostgreSQL can read it as well. It has its
name only when it is whole, and what is restored its place only when it is complete.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db.data_directory import DataDirectory, has_register
from app.db.embedded import Cluster, embedded
from app.db.programs import ProgramError, Programs, run_program
from app.domain.errors import MisconfiguredError

# An archive names the roles that have rights, and doesn't make them: they are the server's.
_ROLES = "CREATE ROLE chancery_reader NOLOGIN; CREATE ROLE chancery_writer NOLOGIN;"
_JOURNAL = "TABLE DATA public event_revision "
_LONGEST_WAIT_S = 60


def back_up(data_dir: Path, file: Path) -> int:
    """Write the register as it is at one moment to a new file, and return how many bytes it has.

    Raises:
        MisconfiguredError: there is no register, or the file is there already or can't be written.

    """
    if not has_register(data_dir):
        raise MisconfiguredError(f"There is no register in {data_dir} to be backed up.")
    with _whole(file.absolute()) as unfinished:
        with embedded(data_dir) as url:
            dump(url, unfinished)
        if not _holds_a_register(unfinished):
            raise MisconfiguredError(f"There is no register in {data_dir} to be backed up.")
        return unfinished.stat().st_size


def dump(url: str, file: Path) -> None:
    """Write a server's register to a file; it lies on the disk when this returns."""
    to = (f"--file={file}", "--format=custom")
    run_program("pg_dump", *to, f"--lock-wait-timeout={_LONGEST_WAIT_S}s", f"--dbname={url}")


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """Lend a file that gets this name when the block ends without an error, and is gone else."""
    _check_unused(file)
    try:
        opened, name = tempfile.mkstemp(".unfinished", f".{file.name}.", file.parent)
    except OSError as error:
        raise MisconfiguredError(f"{file} can't be written ({error.strerror}).") from error
    os.close(opened)
    unfinished = Path(name)
    try:
        yield unfinished
        _check_unused(file)
        unfinished.rename(file)
        sync(file.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _check_unused(file: Path) -> None:
    if file.exists():
        raise MisconfiguredError(f"{file} is there already: choose another name.")


@contextmanager
def restored(file: Path, data_dir: Path) -> Iterator[str]:
    """Lend the address of what was restored; it takes its place when the block ends well.

    Whoever wants to start a server on the data directory waits meanwhile.

    Raises:
        MisconfiguredError: the directory holds a register already, or the file is no whole backup.

    """
    with DataDirectory(data_dir) as directory, directory.starting():
        if directory.data.exists():
            raise MisconfiguredError(
                f"There is a register in {data_dir} already: set CHANCERY_DATA_DIR to a new place."
            )
        if not _holds_a_register(file):
            raise MisconfiguredError(f"{file} is no backup of a register.")
        with cleared(directory.path / "restoring") as place:
            with embedded(place) as url:
                fill(url, file)
                yield url
            Programs(place).data.rename(directory.data)
            sync(directory.path)


def _holds_a_register(file: Path) -> bool:
    try:
        return _JOURNAL in run_program("pg_restore", "--list", str(file.absolute()))
    except ProgramError:
        return False


def fill(url: str, file: Path) -> None:
    """Restore a backup to an empty server.

    Raises:
        MisconfiguredError: the file isn't whole.

    """
    to = f"--dbname={url}"
    run_program("psql", to, "--no-psqlrc", "--set=ON_ERROR_STOP=1", standard_input=_ROLES)
    options = ("--single-transaction", "--no-owner")
    try:
        run_program("pg_restore", to, *options, str(file.absolute()))
    except ProgramError as error:
        raise MisconfiguredError(
            f"{file} can't be restored ({error.complaint}): is it whole?"
        ) from error


@contextmanager
def cleared(place: Path) -> Iterator[Path]:
    """Lend a directory that is removed before and after, with the server that runs on it.

    A process that was killed may have left one running.
    """
    _clear(place)
    try:
        yield place
    finally:
        _clear(place)


def _clear(place: Path) -> None:
    if place.exists():
        with DataDirectory(place) as directory:
            Cluster(directory, {}).stop()
        shutil.rmtree(place)


def sync(folder: Path) -> None:
    """Make sure that a new name in a folder outlasts a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
