"""Servers of a test's own: the embedded PostgreSQL 18, and Debian's 15 where that is installed."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from app.db.embedded import embedded
from app.db.engine import Database
from app.db.programs import folder
from tests.support.database import FAST, execute

OLDEST = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(params=[15, 18])
def own_server_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a server that nothing else uses, as its superuser; each version has a turn."""
    if request.param == 15:
        if not OLDEST.is_dir():
            pytest.skip("PostgreSQL 15 is not installed")
        with oldest() as url:
            yield url
    else:
        with embedded(tmp_path / "server", **FAST) as url:
            yield url


@contextmanager
def oldest() -> Iterator[str]:
    """Run a PostgreSQL 15; root has to leave that to the user `postgres`."""
    is_root = os.getuid() == 0
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if is_root else []
    with tempfile.TemporaryDirectory(prefix="chancery-pg15-", dir="/tmp") as name:
        place = Path(name)
        if is_root:
            subprocess.run(["chown", "postgres", name], check=True)

        def run(program: str, *arguments: str) -> None:
            command = [*drop, str(OLDEST / program), "-D", str(place / "data"), *arguments]
            subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)

        run("initdb", "-U", "chancery", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        fast = " ".join(f"-c {setting}={value}" for setting, value in FAST.items())
        options = f"-k {place} -c listen_addresses= {fast}"
        run("pg_ctl", "-w", "-l", str(place / "log"), "-o", options, "start")
        try:
            yield f"postgresql://chancery@/postgres?host={place}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


def programs_of(url: str) -> Path:
    """Return where the programs of a server of ours are."""
    return OLDEST if "chancery-pg15-" in url else folder()


def of(url: str, login: str, database: str) -> str:
    """Return the address of a database as a user who logs in."""
    return make_url(url).set(username=login, database=database).render_as_string()


async def own(url: str, owner: str, *rights: str) -> str:
    """Make a user with a database of the same name, and return its address."""
    await execute(
        url,
        f"CREATE ROLE {owner} LOGIN {' '.join(rights)}",
        f"CREATE DATABASE {owner} OWNER {owner}",
    )
    return of(url, owner, owner)


async def roles_of(url: str) -> tuple[str, str]:
    """Return what reads and writes run as."""
    statement = text("SELECT current_user")
    async with Database(url) as database:
        async with database.reading() as connection:
            reader = await connection.scalar(statement)
        async with database.writing() as connection:
            return str(reader), str(await connection.scalar(statement))
