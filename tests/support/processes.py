"""What of an embedded PostgreSQL is running and lying about, as the machine itself knows it."""

from pathlib import Path

from app.db.programs import Programs

SOCKET_LINE = 4


def postmasters(data_dir: Path) -> list[int]:
    """Return the processes that serve this data directory.

    A process that ended but wasn't collected by its parent yet has no command line any more.
    """
    folder = str(data_dir.resolve() / "postgres").encode()
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if {b"-D", folder} <= set(_command_line(process).split(b"\0"))
    ]


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        # It ended meanwhile.
        return b""


def socket_dir(data_dir: Path) -> Path:
    """Return the directory in which the running server has its socket."""
    lines = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    return Path(lines[SOCKET_LINE])


def answers_on(process: int, port: int) -> bool:
    """Tell whether a process waits for connections to a port: having inherited it isn't enough."""
    listening = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {int(word[9]) for word in listening if word[1].endswith(f":{port:04X}")}
    try:
        watched = [file.read_text() for file in Path(f"/proc/{process}/fdinfo").iterdir()]
    except OSError:
        # It ended meanwhile.
        return False
    return any(f"ino:{inode:x} " in text for inode in inodes for text in watched if inode)


class Control:
    """Stops and starts the server behind the service's back, as an operator would."""

    def __init__(self, data_dir: Path) -> None:
        self._programs = Programs(data_dir)
        self._place = ("-D", str(data_dir / "postgres"), "-l", str(data_dir / "postgres.log"))

    def __call__(self, *arguments: str) -> None:
        self._programs.run("pg_ctl", *arguments, *self._place, "-w")
