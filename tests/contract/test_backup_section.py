"""Every line of the README's section on backups is one that works."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from app.db.programs import folder
from tests.support.database import FAST
from tests.support.servers import own, programs_of, roles_of
from tests.support.service import ROOT, clean_environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## Backup\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL)
LINES = [[line.removeprefix("$ ") for line in block.splitlines()] for block in BLOCKS]
VERIFIED = "Checked 515 revisions in 4 links, and what is read: all as recorded."


def run(lines: list[str], cwd: Path, server: Path, **settings: str) -> list[str]:
    """Run lines of a shell one after the other, and return what they said.

    `server` is where PostgreSQL's own programs are.
    """
    programs = cwd / "programs"
    programs.mkdir()
    chancery = programs / "chancery"
    chancery.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m app "$@"\n')
    chancery.chmod(0o755)
    path = f"{programs}:{server}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=cwd,
        env=clean_environment() | {"PYTHONPATH": str(ROOT), "PATH": path} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


async def fill(url: str) -> None:
    await schema.migrate(url)
    async with Database(url) as database, database.writing() as connection:
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)


def test_the_embedded_register_is_backed_up_and_restored(tmp_path: Path) -> None:
    with embedded(tmp_path / ".chancery", **FAST) as url:
        asyncio.run(fill(url))
    backed_up, restored, verified = run(LINES[0] + LINES[1], tmp_path, folder())
    assert backed_up.startswith("Backed up the register to register.dump (")
    assert restored == "Restored 515 revisions from register.dump to restored."
    assert verified.startswith(
        "Checked 515 revisions in 4 links, and what is read: all as recorded."
    )


@pytest.mark.parametrize(
    ("rights", "roles"), [(["CREATEROLE"], ("new_reader", "new_writer")), ([], ("new", "new"))]
)
def test_a_database_of_ones_own_is_backed_up_and_restored_by_its_owner(
    own_server_url: str, tmp_path: Path, rights: list[str], roles: tuple[str, str]
) -> None:
    old = asyncio.run(own(own_server_url, "old", *rights))
    new = asyncio.run(own(own_server_url, "new", *rights))
    asyncio.run(fill(old))
    addresses = {"CHANCERY_DATABASE_URL": old, "NEW_DATABASE_URL": new}
    verified = run(LINES[2], tmp_path, programs_of(own_server_url), **addresses)[-1]
    assert verified.startswith(
        "Checked 515 revisions in 4 links, and what is read: all as recorded."
    )
    assert asyncio.run(roles_of(new)) == roles
