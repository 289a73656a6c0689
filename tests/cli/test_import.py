"""`chancery import` as an operator uses it: real processes."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.api.examples import EVENT
from app.db.engine import Database
from app.domain.cells import template
from tests.support.commands import chancery, said
from tests.support.factories import facts
from tests.support.projections import projections
from tests.support.service import ROOT, clean_environment

ROW = {"id": "one", **facts()}


def written(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def events(url: str) -> list[str]:
    async def look() -> list[str]:
        async with Database(url) as database:
            return [row["id"] for row in (await projections(database))["event"]]

    return asyncio.run(look())


def test_a_file_is_imported(empty_url: str, tmp_path: Path) -> None:
    file = written(tmp_path / "events.jsonl", ROW)
    told = said(chancery("import", file, "--dry-run", url=empty_url))
    assert told == "Would be 1 recorded, 0 corrected, 0 left alone, of 1 rows."
    assert events(empty_url) == []
    told = said(chancery("import", file, "--by", "The archive", url=empty_url))
    assert told == "Done: 1 recorded, 0 corrected, 0 left alone, of 1 rows."
    assert events(empty_url) == ["one"]
    told = said(chancery("import", file, url=empty_url))
    assert told == "Done: 0 recorded, 0 corrected, 1 left alone, of 1 rows."


def test_csv_is_known_by_its_name_and_faults_by_their_lines(empty_url: str, tmp_path: Path) -> None:
    file = tmp_path / "events.CSV"
    file.write_text(template(EVENT), encoding="utf-8")
    done = chancery("import", str(file), url=empty_url)
    assert done.returncode == 1
    assert "line 2: participants.1.party: There is no party taliban." in done.stderr
    assert "line 2: regime: There is no regime KZ-NLTO." in done.stderr
    assert "chancery: The file has 2 faults, so nothing was written." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "complaint"), [("events.xlsx", "name the file"), ("no.jsonl", "can't be read")]
)
def test_files_that_cant_be_read_are_named(
    empty_url: str, tmp_path: Path, name: str, complaint: str
) -> None:
    done = chancery("import", str(tmp_path / name), url=empty_url)
    assert done.returncode == 1
    assert complaint in done.stderr


def test_who_imports_must_have_a_name(empty_url: str, tmp_path: Path) -> None:
    done = chancery("import", written(tmp_path / "a.jsonl", ROW), "--by", "x" * 501, url=empty_url)
    assert done.returncode == 1
    assert "500 characters" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_an_import_that_is_stopped_leaves_nothing(
    empty_url: str, tmp_path: Path, how: signal.Signals
) -> None:
    rows = [{"id": f"event-{number}", **facts()} for number in range(20_000)]
    file = written(tmp_path / "events.jsonl", *rows)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "import", file],
        cwd=ROOT,
        env=clean_environment() | {"CHANCERY_DATABASE_URL": empty_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        # It says so when it begins to read; then it is stopped in the middle.
        assert process.stderr is not None
        assert b"Importing" in process.stderr.readline()
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(how)
        process.wait(30)
        assert process.returncode != 0
    finally:
        process.kill()
        process.communicate()
    assert events(empty_url) == []
    # What was begun doesn't stand in the way of another try.
    told = said(chancery("import", written(tmp_path / "few.jsonl", *rows[:50]), url=empty_url))
    assert told.startswith("Done: 50 recorded")
