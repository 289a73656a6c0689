"""The embedded register, brought to the major version of PostgreSQL that this release brings.

No version reads the data of an older one, so the older one's programs are needed once more. The
old data keep their place until the new ones are complete, and are then kept beside them.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db.backup import cleared, dump, fill, sync
from app.db.data_directory import DataDirectory
from app.db.embedded import Cluster, embedded
from app.db.programs import Programs
from app.domain.errors import MisconfiguredError


@contextmanager
def upgraded(data_dir: Path, old_programs: Path) -> Iterator[str]:
    """Lend the address of the upgraded register; it takes its place when the block ends well.

    Args:
        data_dir: where the register is.
        old_programs: the folder with `postgres` and `pg_ctl` of the version that made the data.

    Raises:
        MisconfiguredError: the programs are others', the register is in use, or there is none.

    """
    with DataDirectory(data_dir) as directory, directory.starting():
        kept = _check(directory, old_programs)
        with cleared(directory.path / "upgrading") as place:
            place.mkdir()
            with _running(directory, old_programs) as url:
                dump(url, place / "register.dump")
            with embedded(place) as url:
                fill(url, place / "register.dump")
                yield url
            # Left by an interruption after the next line; the register may have changed since.
            shutil.rmtree(directory.upgraded_data, ignore_errors=True)
            Programs(place).data.rename(directory.upgraded_data)
            sync(directory.path)
            directory.data.rename(kept)
            # Interrupted here, the next command does the rest, as soon as it has the lock.
            directory.upgraded_data.rename(directory.data)
            sync(directory.path)


def versions(data_dir: Path) -> tuple[int, int]:
    """Return which major version of PostgreSQL made the register, and which this release brings.

    Raises:
        MisconfiguredError: there is no register.

    """
    with DataDirectory(data_dir) as directory, directory.starting():
        programs = Programs(directory.path)
        if (made_by := programs.data_version()) is None:
            raise MisconfiguredError(f"There is no register in {data_dir}.")
        return made_by, programs.version()


def _check(directory: DataDirectory, old_programs: Path) -> Path:
    """Return where the old data are kept in the end, once nothing speaks against the upgrade."""
    made_by = Programs(directory.path).data_version()
    if not (old_programs / "postgres").is_file():
        raise MisconfiguredError(f"There is no program `postgres` in {old_programs}.")
    if (found := Programs(directory.path, old_programs).version()) != made_by:
        raise MisconfiguredError(
            f"The register in {directory.path} was made by PostgreSQL {made_by}, and the programs "
            f"in {old_programs} are those of {found}."
        )
    with directory.using() as users:
        if not users.are_gone():
            raise MisconfiguredError(
                f"The register in {directory.path} is in use: stop `chancery serve` first."
            )
    kept = directory.data.with_name(f"postgres-{made_by}")
    if kept.exists():
        raise MisconfiguredError(f"{kept} is in the way: move it elsewhere.")
    return kept


@contextmanager
def _running(directory: DataDirectory, programs: Path) -> Iterator[str]:
    """Lend the address of the old server, and stop it in the end."""
    cluster = Cluster(directory, {}, programs)
    try:
        cluster.start()
        yield cluster.url
    finally:
        cluster.stop()
