"""`chancery backup` and `chancery restore` as an operator uses them: real processes and servers."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db import schema
from app.db.backup import back_up
from app.db.embedded import embedded
from app.db.engine import Database, engine
from app.db.programs import run_program
from app.db.url import driver_url
from tests.support.commands import (
    CHANCERY,
    TIMEOUT_S,
    chancery,
    complaint,
    copy_data_dir,
    run_process,
    run_sql,
    said,
)
from tests.support.database import FAST, LOADED, until_waiting
from tests.support.editing import turbulence
from tests.support.factories import facts
from tests.support.processes import postmasters
from tests.support.service import ROOT, ready, started

PUBLIC = {"CHANCERY_PUBLIC_URL": "https://register.example"}
# Everything that answers from the register, with `{then}` for an instant before the last edits.
ADDRESSES = [
    "/v1/events?limit=200&include=total&include=facets",
    "/v1/events?country=KZ&sort=oldest&limit=7",
    "/v1/events?q=embassy&sort=relevance",
    "/v1/events?known_at={then}&limit=200&include=total",
    "/v1/events?known_at=2023-12-28&knowledge=announced&limit=200",
    "/v1/events/kz-taliban-delisting-2023",
    "/v1/events/kz-taliban-delisting-2023?known_at={then}",
    "/v1/events/kz-taliban-delisting-2023/revisions",
    "/v1/events/kz-taliban-delisting-2023/revisions/2",
    "/v1/events/kz-taliban-listing-2005",
    "/v1/events/retracted",
    "/v1/facets",
    "/v1/facets?by=country&by=year&known_at={then}",
    "/v1/positions?subject=taliban&as_of=2024-12-31",
    "/v1/positions?subject=taliban&as_of=2024-12-31&known_at={then}",
    "/v1/positions/history?actor=SA&subject=AF&from=2020&to=2025",
    "/v1/measures",
    "/v1/measures/kz-nlto-taliban",
    "/v1/changes?limit=200",
    f"/v1/changes?since={LOADED - 4}",
    "/v1/parties?q=renamed",
    "/v1/parties/taliban",
    "/v1/regimes?limit=200",
    "/v1/events.csv",
    "/v1/events.xlsx?country=KZ",
    "/v1/events.jsonl?known_at={then}",
    "/v1/events.atom",
    "/v1/events.ics",
    "/v1/events.timelinejs.json",
    "/v1/positions.csv?subject=taliban&as_of=2024-12-31",
    "/timeline?country=KZ",
    "/events/kz-taliban-delisting-2023",
]


@pytest.fixture(scope="module")
def register(filled_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the sample timeline, which tests only read."""
    data_dir = tmp_path_factory.mktemp("copies") / "register"
    copy_data_dir(filled_dir, data_dir)
    return data_dir


@pytest.fixture(scope="module")
def archive(register: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    file = tmp_path_factory.mktemp("backups") / "register.dump"
    back_up(register, file)
    return file


@pytest.fixture
def new_dir(tmp_path: Path) -> Iterator[Path]:
    """A place for a register, at which nothing is left running."""
    data_dir = tmp_path / "a new place"
    yield data_dir
    for place in (data_dir, data_dir / "restoring"):
        if postmasters(place):
            with embedded(place):
                pass


def answers(address: str, then: str) -> dict[str, Any]:
    """Return what each address is answered with: the status, the tag and every byte."""
    with httpx.Client(base_url=address, timeout=30) as client:
        responses = {path: client.get(path.format(then=then)) for path in ADDRESSES}
    return {
        path: (found.status_code, found.headers.get("etag"), found.content)
        for path, found in responses.items()
    }


async def edited(address: str, key: str) -> str:
    """Edit the register in every way, and return an instant before the last edits."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as editor:
        await editor.put("/v1/events/retracted", json=facts(title="Soon retracted"))
        page = (await editor.get(f"/v1/changes?since={LOADED}")).json()
        await editor.post(
            "/v1/events/retracted/retract", json={"reason": "Test."}, headers={"If-Match": "*"}
        )
        await turbulence(editor)
    then: str = page["items"][0]["recorded_at"]
    return then


def test_a_restored_register_answers_identically(
    register: Path, new_dir: Path, tmp_path: Path
) -> None:
    original, file = tmp_path / "the original", tmp_path / "the backup"
    copy_data_dir(register, original)
    key = chancery("keys", "create", "Ann", "--scope", "edit", data_dir=original).stdout.strip()
    with ready(PUBLIC | {"CHANCERY_DATA_DIR": str(original)}) as (address, process):
        then = asyncio.run(edited(address, key))
        before = answers(address, then)
        assert f"to {file} (" in said(run_process("backup", str(file), data_dir=original))
        # What comes afterwards isn't in it.
        with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as editor:
            assert editor.post(f"{address}/v1/events", json=facts()).status_code == 201
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT_S)
    assert {status for status, *_ in before.values()} == {200, 308, 410}
    told = said(run_process("restore", str(file), data_dir=new_dir))
    assert told == f"Restored {LOADED + 8} revisions from {file} to {new_dir}."
    with ready(PUBLIC | {"CHANCERY_DATA_DIR": str(new_dir)}) as (address, process):
        after = answers(address, then)
        for path, answer in before.items():
            assert after[path] == answer, path
        head = httpx.get(f"{address}/v1/changes").json()["head"]["hash"]
        assert "all as recorded" in said(chancery("verify", "--head", head, data_dir=new_dir))
        with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as editor:
            assert editor.post(f"{address}/v1/events", json=facts()).status_code == 201
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT_S)
    assert not postmasters(new_dir)
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == [file.name]


def test_an_older_releases_backup_is_brought_up_to_date_by_the_next_start(
    register: Path, new_dir: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    copy_data_dir(register, older)
    with embedded(older, **FAST) as url:
        asyncio.run(schema.migrate(url, "0007"))
    said(chancery("backup", str(tmp_path / "file"), data_dir=older))
    said(chancery("restore", str(tmp_path / "file"), data_dir=new_dir))
    with ready({"CHANCERY_DATA_DIR": str(new_dir)}) as (address, _):
        assert len(httpx.get(f"{address}/v1/events?limit=200").json()["items"]) == 164
        # What isn't an event is appended behind the numbers that were given.
        appended = LOADED - 164
        assert httpx.get(f"{address}/v1/changes").json()["head"]["seq"] == LOADED + appended


def test_a_file_that_is_there_is_not_overwritten(register: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("Something else.")
    sentence = complaint(chancery("backup", str(file), data_dir=register))
    assert f"{file} is there already" in sentence
    assert file.read_text() == "Something else."


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@asynccontextmanager
async def held_up(register: Path, file: Path) -> AsyncIterator[subprocess.Popen[str]]:
    """Run a backup that can't go on before the block ends."""
    with embedded(register) as url:
        blocking = engine(driver_url(url), read_only=False)
        async with Database(url) as database, blocking.begin() as connection:
            await connection.execute(text("LOCK TABLE event_revision"))
            command = [*CHANCERY, "backup", str(file)]
            with started(command, {"CHANCERY_DATA_DIR": str(register)}, ROOT) as process:
                await until_waiting(database, 1)
                yield process
                await connection.rollback()
                await asyncio.to_thread(process.wait, TIMEOUT_S)
        await blocking.dispose()


async def test_a_file_that_comes_meanwhile_is_not_overwritten(
    register: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    async with held_up(register, file) as process:
        file.write_text("Something else.")
    assert process.returncode == 1
    assert names(tmp_path) == ["file"]
    assert file.read_text() == "Something else."


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_a_backup_that_is_interrupted_has_no_name(
    register: Path, tmp_path: Path, number: int
) -> None:
    async with held_up(register, tmp_path / "file") as process:
        assert not (tmp_path / "file").exists()
        process.send_signal(number)
        await asyncio.to_thread(process.wait, TIMEOUT_S)
    if number == signal.SIGKILL:
        (left,) = names(tmp_path)
        assert left.endswith(".unfinished")
    else:
        assert (process.returncode, names(tmp_path)) == (130, [])


def test_where_there_is_no_register_nothing_is_backed_up(new_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    sentence = complaint(chancery("backup", str(file), data_dir=new_dir))
    assert "There is no register in" in sentence
    assert not new_dir.exists()
    with embedded(new_dir, **FAST):
        pass
    sentence = complaint(chancery("backup", str(file), data_dir=new_dir))
    assert "There is no register in" in sentence
    assert names(tmp_path) == [new_dir.name]


def test_a_place_that_cannot_be_written_is_one_sentence(register: Path, tmp_path: Path) -> None:
    file = tmp_path / "no" / "file"
    assert f"{file} can't be written" in complaint(chancery("backup", str(file), data_dir=register))


def test_a_register_is_never_restored_over_another(register: Path, archive: Path) -> None:
    sentence = complaint(chancery("restore", str(archive), data_dir=register))
    assert "There is a register in" in sentence
    assert "all as recorded" in said(chancery("verify", data_dir=register))


NO_BACKUP, DAMAGED = "is no backup of a register", "is it whole?"


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (slice(0, 0), NO_BACKUP),
        (slice(1_000, 9_000), NO_BACKUP),
        (slice(0, 30_000), NO_BACKUP),
        (slice(0, 150_000), DAMAGED),
        (slice(0, -1), DAMAGED),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    archive: Path, new_dir: Path, tmp_path: Path, part: slice, reason: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(archive.read_bytes()[part])
    sentence = complaint(chancery("restore", str(file), data_dir=new_dir))
    assert str(file) in sentence
    assert reason in sentence
    check_nothing_was_left(new_dir)


def test_another_databases_archive_is_refused_and_so_is_what_is_not_there(
    new_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    assert "can't be read" in complaint(chancery("restore", str(file), data_dir=new_dir))
    assert "can't be read" in complaint(chancery("restore", str(tmp_path), data_dir=new_dir))
    with embedded(tmp_path / "another", **FAST) as url:
        run_sql(url, "CREATE TABLE other AS SELECT 1")
        run_program("pg_dump", "--format=custom", f"--file={file}", f"--dbname={url}")
    assert NO_BACKUP in complaint(chancery("restore", str(file), data_dir=new_dir))
    check_nothing_was_left(new_dir)


def test_a_newer_releases_backup_is_refused_and_leaves_nothing(
    register: Path, new_dir: Path, tmp_path: Path
) -> None:
    newer, file = tmp_path / "newer", tmp_path / "file"
    copy_data_dir(register, newer)
    with embedded(newer, **FAST) as url:
        run_sql(url, "UPDATE alembic_version SET version_num = '9999'")
    back_up(newer, file)
    sentence = complaint(chancery("restore", str(file), data_dir=new_dir))
    assert "made by a newer release (its schema is at 9999)" in sentence
    check_nothing_was_left(new_dir)


def check_nothing_was_left(data_dir: Path) -> None:
    assert not data_dir.exists() or names(data_dir) == ["start.lock"]
    assert not postmasters(data_dir / "restoring")


def restoring(archive: Path, data_dir: Path, number: int) -> int:
    """Interrupt a restore as soon as its server runs, and return how it ended."""
    command = [*CHANCERY, "restore", str(archive)]
    place = data_dir / "restoring"
    with started(command, {"CHANCERY_DATA_DIR": str(data_dir)}, ROOT) as process:
        deadline = time.monotonic() + TIMEOUT_S
        while not postmasters(place):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        return process.wait(TIMEOUT_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_restore_that_is_interrupted_leaves_nothing(
    archive: Path, new_dir: Path, number: int
) -> None:
    assert restoring(archive, new_dir, number) == 130
    check_nothing_was_left(new_dir)


def test_a_restore_that_is_killed_leaves_no_register_and_can_be_done_again(
    archive: Path, new_dir: Path
) -> None:
    assert restoring(archive, new_dir, signal.SIGKILL) == -signal.SIGKILL
    assert not (new_dir / "postgres").exists()
    assert "Restored 515 revisions" in said(chancery("restore", str(archive), data_dir=new_dir))
    assert names(new_dir) == ["postgres", "start.lock"]
    assert not postmasters(new_dir / "restoring")


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_database_of_ones_own_has_programs_of_its_own(
    archive: Path, tmp_path: Path, command: str
) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    file = archive if command == "restore" else tmp_path / "file"
    assert "pg_dump" in complaint(chancery(command, str(file), url=url))
