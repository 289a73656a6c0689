"""`chancery upgrade-database` as an operator uses it, with an older PostgreSQL at hand."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.data_directory import DataDirectory
from app.db.embedded import Cluster, embedded
from app.db.programs import Programs, folder
from tests.support.commands import CHANCERY, TIMEOUT_S, chancery, complaint, said
from tests.support.database import FAST, execute, prepare
from tests.support.processes import postmasters
from tests.support.service import ROOT, started

OLD_PROGRAMS = [
    programs
    for programs in Path("/usr/lib/postgresql").glob("*/bin")
    if int(programs.parent.name) < 18
]
# Debian's 15.20 notes an option of its own with every column, and no newer version knows it.
FORGET_OPTIONS = "UPDATE pg_attribute SET attoptions = NULL WHERE attoptions IS NOT NULL"


@pytest.fixture
def old_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory with the sample timeline whose data an older PostgreSQL has made."""
    old, (programs, *_) = tmp_path / "old", OLD_PROGRAMS
    with DataDirectory(old) as directory:
        commands = Programs(directory.path, programs)
        directory.data.mkdir(mode=0o700)
        commands.own(directory.data)
        data = str(directory.data)
        commands.run("initdb", "-D", data, "-U", "chancery", "--locale=C.UTF-8", "--auth=trust")
        commands.run(
            *("postgres", "--single", "-D", data, "postgres"),
            standard_input="CREATE DATABASE chancery\n",
        )
        cluster = Cluster(directory, {"listen_addresses": ""}, programs)
        with directory.starting():
            cluster.start()
            asyncio.run(prepare(cluster.url, with_timeline=True))
            asyncio.run(execute(cluster.url, FORGET_OPTIONS))
            cluster.stop()
    yield old
    for place in (old, old / "upgrading"):
        if postmasters(place):
            with DataDirectory(place) as directory, directory.starting():
                Cluster(directory, {}).stop()


@pytest.mark.skipif(not OLD_PROGRAMS, reason="No older PostgreSQL is installed.")
class TestUpgradingTheDatabase:
    def test_brings_everything_along_and_keeps_the_old_data(self, old_dir: Path) -> None:
        version = OLD_PROGRAMS[0].parent.name
        assert "--old-programs" in complaint(chancery("upgrade-database", data_dir=old_dir))
        told = said(upgrade(old_dir))
        assert told.startswith(f"Upgraded 515 revisions from PostgreSQL {version} to 18.")
        assert f"postgres-{version} now" in told
        assert "Checked 515 revisions" in said(chancery("verify", data_dir=old_dir))
        assert (old_dir / f"postgres-{version}" / "PG_VERSION").read_text() == f"{version}\n"
        assert not (old_dir / "upgrading").exists()
        assert "already" in said(upgrade(old_dir))

    def test_refuses_what_is_in_use_or_of_another_version(
        self, old_dir: Path, tmp_path: Path
    ) -> None:
        assert "no register" in complaint(upgrade(tmp_path / "nowhere"))
        wrong = chancery("upgrade-database", "--old-programs", str(folder()), data_dir=old_dir)
        assert "are those of 18" in complaint(wrong)
        with DataDirectory(old_dir) as directory, directory.using():
            assert "is in use" in complaint(upgrade(old_dir))

    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
    def test_that_is_interrupted_loses_nothing(self, old_dir: Path, number: int) -> None:
        version = OLD_PROGRAMS[0].parent.name
        command = [*CHANCERY, "upgrade-database", "--old-programs", str(OLD_PROGRAMS[0])]
        with started(command, {"CHANCERY_DATA_DIR": str(old_dir)}, ROOT) as process:
            deadline = time.monotonic() + TIMEOUT_S
            while not postmasters(old_dir / "upgrading"):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            process.send_signal(number)
            assert process.wait(TIMEOUT_S) in {130, -signal.SIGKILL}
        assert (old_dir / "postgres" / "PG_VERSION").read_text() == f"{version}\n"
        assert "Upgraded 515 revisions" in said(upgrade(old_dir))


def test_an_interruption_between_the_last_two_steps_is_made_up_for(tmp_path: Path) -> None:
    with embedded(tmp_path, **FAST) as url:
        asyncio.run(prepare(url, with_timeline=True))
    (tmp_path / "postgres").rename(tmp_path / "postgres.upgraded")
    assert "Checked 515 revisions" in said(chancery("verify", data_dir=tmp_path))


def upgrade(data_dir: Path) -> subprocess.CompletedProcess[str]:
    programs = str(OLD_PROGRAMS[0])
    return chancery("upgrade-database", "--old-programs", programs, data_dir=data_dir)
