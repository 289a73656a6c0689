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
from typing import IO

from app.db.embedded import Cluster, alone, embedded, made
from app.db.programs import ProgramError, Programs
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
    programs = Programs(data_dir.resolve())
    if not programs.data.exists():
        raise MisconfiguredError(f"There is no register in {data_dir} to be backed up.")
    with _whole(file) as unfinished:
        with embedded(data_dir) as url, unfinished.open("wb") as written:
            options = ("--format=custom", f"--lock-wait-timeout={_LONGEST_WAIT_S}s")
            programs.run("pg_dump", *options, f"--dbname={url}", standard_output=written)
            os.fsync(written.fileno())
        with unfinished.open("rb") as archive:
            if not _holds_a_register(archive, programs):
                raise MisconfiguredError(f"There is no register in {data_dir} to be backed up.")
        return unfinished.stat().st_size


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
        _sync(file.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _check_unused(file: Path) -> None:
    if file.exists():
        raise MisconfiguredError(f"{file} is there already: choose another name.")


@contextmanager
def restored(file: Path, archive: IO[bytes], data_dir: Path) -> Iterator[str]:
    """Lend the address of what was restored; it takes its place when the block ends well.

    Whoever wants to start a server on the data directory waits meanwhile.

    Raises:
        MisconfiguredError: the directory holds a register already, or the file is no whole backup.

    """
    target = Programs(made(data_dir))
    place = target.data.with_name("restoring")
    with alone(data_dir):
        if target.data.exists():
            raise MisconfiguredError(
                f"There is a register in {data_dir} already: set CHANCERY_DATA_DIR to a new place."
            )
        if not _holds_a_register(archive, target):
            raise MisconfiguredError(f"{file} is no backup of a register.")
        _clear(place)
        try:
            with embedded(place) as url:
                _fill(url, file, archive, Programs(place))
                yield url
            Programs(place).data.rename(target.data)
            _sync(target.data.parent)
        finally:
            _clear(place)


def _holds_a_register(archive: IO[bytes], programs: Programs) -> bool:
    try:
        listed = programs.run("pg_restore", "--list", standard_input=archive)
    except ProgramError:
        return False
    return _JOURNAL in listed


def _fill(url: str, file: Path, archive: IO[bytes], programs: Programs) -> None:
    # The program that listed it has read from the same open file.
    os.lseek(archive.fileno(), 0, os.SEEK_SET)
    to = f"--dbname={url}"
    programs.run("psql", to, "--no-psqlrc", "--set=ON_ERROR_STOP=1", standard_input=_ROLES)
    options = ("--single-transaction", "--no-owner")
    try:
        programs.run("pg_restore", to, *options, standard_input=archive)
    except ProgramError as error:
        raise MisconfiguredError(
            f"{file} can't be restored ({error.complaint}): is it whole?"
        ) from error


def _clear(place: Path) -> None:
    """Remove what was restored, with the server that a killed process may have left running."""
    if place.exists():
        Cluster(place, {}).stop()
        shutil.rmtree(place)


def _sync(folder: Path) -> None:
    """Make sure that a new name in a folder outlasts a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
