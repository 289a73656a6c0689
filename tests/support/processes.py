"""What of an embedded PostgreSQL is running and lying about, as the machine itself knows it."""

from pathlib import Path

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
