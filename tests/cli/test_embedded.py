"""The embedded server and its directory: copied, renamed, damaged, killed."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app.db.data_directory import DataDirectory
from app.db.embedded import embedded
from app.db.engine import Database, engine
from app.db.programs import Programs
from app.db.url import driver_url
from tests.faults import disk_full
from tests.support.commands import (
    CHANCERY,
    TIMEOUT_S,
    Serving,
    chancery,
    complaint,
    run_process,
    said,
    serving,
    workers_of,
)
from tests.support.database import FAST, prepare, until_waiting
from tests.support.processes import postmasters
from tests.support.service import ROOT, started

# Promised are five seconds; a machine that is busy with other tests gets some more.
BACK_S = 20
WORKERS_END_S = 10


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the sample timeline, which tests copy."""
    data_dir = tmp_path_factory.mktemp("filled") / "data"
    with embedded(data_dir, **FAST) as url:
        asyncio.run(prepare(url, with_timeline=True))
    return data_dir


@pytest.fixture
def data_dir(filled: Path, tmp_path: Path) -> Iterator[Path]:
    """A filled data directory of the test's own; what is left running in its folder is stopped."""
    data_dir = copy(filled, tmp_path / "data")
    yield data_dir
    for place in tmp_path.iterdir():
        if postmasters(place):
            with embedded(place):
                pass


def copy(source: Path, target: Path) -> Path:
    # Of Python's own ways to copy none keeps the owner, which PostgreSQL insists on.
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    return target


def kill_postmaster(data_dir: Path) -> None:
    (process,) = postmasters(data_dir)
    os.kill(process, signal.SIGKILL)


def wait_until_back(server: Serving) -> None:
    """Wait until a service that may not have noticed yet that its database is gone reads again."""
    deadline = time.monotonic() + BACK_S
    number = 1000
    while True:
        # Something that isn't in the cache.
        number += 1
        asked = httpx.get(f"{server.address}/v1/events", params={"date_from": number})
        if asked.status_code == 200:
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def count_keys(data_dir: Path) -> int:
    done = chancery("keys", "list", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    return done.stdout.count("\n") - 1


class TestACopy:
    def test_has_a_server_of_its_own_while_the_original_runs(self, data_dir: Path) -> None:
        with serving(data_dir) as original:
            running = postmasters(data_dir)
            duplicate = copy(data_dir, data_dir.with_name("duplicate"))
            assert (duplicate / "postgres" / "postmaster.pid").exists()
            made = run_process("keys", "create", "Ann", "--scope", "edit", data_dir=duplicate)
            assert f"is a copy of {data_dir}" in made.stderr
            assert (count_keys(duplicate), count_keys(data_dir)) == (1, 0)
            assert said(chancery("verify", data_dir=duplicate)).startswith("Checked 515 revisions")
            assert not postmasters(duplicate)
            assert postmasters(data_dir) == running
            wait_until_back(original)

    def test_can_be_served_beside_the_original(self, data_dir: Path) -> None:
        with serving(data_dir) as original:
            duplicate = copy(data_dir, data_dir.with_name("duplicate"))
            with serving(duplicate) as other:
                assert len(postmasters(data_dir) + postmasters(duplicate)) == 2
                assert other.events() == original.events()
                other.stop()
            wait_until_back(original)
            original.stop()
        assert not postmasters(data_dir)


class TestAnotherNameOfTheSameDirectory:
    def test_leads_to_the_same_server(self, data_dir: Path) -> None:
        link = data_dir.with_name("link")
        link.symlink_to(data_dir)
        with embedded(data_dir) as url, embedded(link) as same:
            assert url == same
            assert len(postmasters(data_dir)) == 1
            assert count_keys(link) == 0
        assert not postmasters(data_dir)

    def test_may_be_given_while_it_is_served(self, data_dir: Path) -> None:
        renamed = data_dir.with_name("renamed")
        with serving(data_dir) as server:
            data_dir.rename(renamed)
            assert count_keys(renamed) == 0
            wait_until_back(server)
            assert "Traceback" not in server.stop()
            assert server.process.returncode == 0
        with embedded(renamed):
            """The server was stopped in good order and starts anew under the new name."""
        assert not postmasters(data_dir) + postmasters(renamed)

    def test_may_be_longer_than_a_sockets_name(self, data_dir: Path) -> None:
        deep = data_dir.with_name("long " * 20) / "data"
        deep.parent.mkdir()
        data_dir.rename(deep)
        assert count_keys(deep) == 0


STALE = {"empty": "", "garbage": "garbage\n", "zeros": "\0" * 100, "another": "{us}\n{data}\n"}


@pytest.mark.parametrize("content", STALE.values(), ids=STALE)
def test_a_pid_file_that_names_no_server_of_this_directory_is_stale(
    data_dir: Path, content: str
) -> None:
    data = data_dir / "postgres"
    (data / "postmaster.pid").write_text(content.format(us=os.getpid(), data=data))
    assert count_keys(data_dir) == 0


def test_a_server_that_somebody_else_has_started_is_left_alone(
    data_dir: Path, tmp_path: Path
) -> None:
    with DataDirectory(data_dir) as directory:
        programs = Programs(directory.path)
        sockets = tmp_path / "elsewhere"
        sockets.mkdir()
        programs.own(sockets)
        place = ("-D", str(data_dir / "postgres"), "-l", "/dev/null", "-w")
        programs.run("pg_ctl", "start", *place, "-o", f"-k {sockets}")
        (process,) = postmasters(data_dir)
        sentence = complaint(chancery("keys", "list", data_dir=data_dir))
        assert f"Another PostgreSQL (process {process}) runs on" in sentence
        assert postmasters(data_dir) == [process]
        programs.run("pg_ctl", "stop", *place[:2], "-w")


def test_somebody_elses_link_is_not_followed(data_dir: Path) -> None:
    with DataDirectory(data_dir) as directory:
        link = directory.link
    link.mkdir()
    try:
        assert f"{link} is somebody else's" in complaint(chancery("load", data_dir=data_dir))
    finally:
        link.rmdir()


class TestAKilledServer:
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_is_started_again_at_the_same_address(self, data_dir: Path, workers: str) -> None:
        with serving(data_dir, "--workers", workers) as server:
            kill_postmaster(data_dir)
            wait_until_back(server)
            server.stop()
            assert server.process.returncode == 0
        assert not postmasters(data_dir)

    def test_may_be_started_again_by_another_command(self, data_dir: Path) -> None:
        with serving(data_dir) as server:
            for _ in range(3):
                kill_postmaster(data_dir)
                assert count_keys(data_dir) == 0
                wait_until_back(server)
            assert len(postmasters(data_dir)) == 1

    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_that_cannot_be_started_again_ends_the_service_with_the_reason(
        self, data_dir: Path, workers: str
    ) -> None:
        with serving(data_dir, "--workers", workers) as server:
            control = data_dir / "postgres" / "global" / "pg_control"
            control.write_bytes(bytes(control.stat().st_size))
            kill_postmaster(data_dir)
            output, _ = server.process.communicate(timeout=TIMEOUT_S)
            assert server.process.returncode == 1
        last = output.splitlines()[-1]
        assert last.startswith("chancery: The embedded PostgreSQL can't be started: ")
        assert "FATAL: database files are incompatible with server (" in last


class TestAStartThatFails:
    def test_names_a_damaged_control_file(self, data_dir: Path) -> None:
        (data_dir / "postgres" / "global" / "pg_control").write_bytes(b"\1" * 8192)
        sentence = complaint(chancery("keys", "list", data_dir=data_dir))
        assert "can't be started: FATAL: " in sentence
        assert "Examine" not in sentence

    @pytest.mark.parametrize(
        ("version", "advice"), [("15", "chancery upgrade-database"), ("99", "a newer release")]
    )
    def test_names_the_versions(self, data_dir: Path, version: str, advice: str) -> None:
        (data_dir / "postgres" / "PG_VERSION").write_text(f"{version}\n")
        sentence = complaint(chancery("keys", "list", data_dir=data_dir))
        assert f"was made by PostgreSQL {version}, and this release brings 18" in sentence
        assert advice in sentence


@pytest.mark.skipif(disk_full.why_not() is not None, reason=str(disk_full.why_not()))
def test_a_full_disk_ends_the_service_with_the_reason(filled: Path, tmp_path: Path) -> None:
    with disk_full.mounted(tmp_path / "disk") as disk:
        data_dir = copy(filled, disk / "data")
        with serving(data_dir) as server:
            server.process.send_signal(signal.SIGSTOP)
            kill_postmaster(data_dir)
            # The space of this one would do for another one.
            (data_dir / "postgres" / "postmaster.pid").unlink()
            disk_full.fill(disk / "filling")
            server.process.send_signal(signal.SIGCONT)
            output, _ = server.process.communicate(timeout=TIMEOUT_S)
            assert server.process.returncode == 1
            last = output.splitlines()[-1]
            assert last.startswith("chancery: The embedded PostgreSQL can't be started: FATAL: ")
            assert "No space left on device" in last
            (disk / "filling").unlink()
        assert count_keys(data_dir) == 0


def test_workers_end_with_their_parent(data_dir: Path) -> None:
    with serving(data_dir, "--workers", "2") as server:
        workers = [int(process) for process in workers_of(server)]
        server.process.kill()
        begun = time.monotonic()
        while any(map(is_alive, workers)):
            assert time.monotonic() < begun + WORKERS_END_S
            time.sleep(0.05)
    # And the port is free.
    with socket.create_server(("127.0.0.1", httpx.URL(server.address).port or 0)):
        """Nobody listens there any more."""


def is_alive(process: int) -> bool:
    """Tell whether a process runs; one that only wasn't collected yet doesn't."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_an_interrupt_ends_what_a_shell_has_started_in_the_background(data_dir: Path) -> None:
    """Without job control a shell has SIGINT ignored by what it starts there."""
    with embedded(data_dir) as url:
        engine_url = driver_url(url)

        async def interrupted() -> int:
            blocking = engine(engine_url, read_only=False)
            async with Database(url) as database, blocking.begin() as connection:
                await connection.execute(text("LOCK TABLE event_revision"))
                command = ["env", "--ignore-signal=INT", *CHANCERY, "backup"]
                command.append(str(data_dir.with_name("file")))
                with started(command, {"CHANCERY_DATA_DIR": str(data_dir)}, ROOT) as process:
                    await until_waiting(database, 1)
                    process.send_signal(signal.SIGINT)
                    await asyncio.sleep(0.5)
                    await connection.rollback()
                    status = await asyncio.to_thread(process.wait, TIMEOUT_S)
            await blocking.dispose()
            return status

        assert asyncio.run(interrupted()) == 130
    assert not data_dir.with_name("file").exists()
