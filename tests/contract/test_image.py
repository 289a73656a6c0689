"""The image's own steps, run outside Docker, install a service that works from anywhere."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.dockerfile import Instruction, instructions, last_stage
from tests.support.processes import postmasters
from tests.support.service import (
    ROOT,
    clean_environment,
    free_port,
    started,
    wait_until_ready,
)

ENVIRONMENT = "/opt/chancery"
BUILD_STAGE = 1
UNREACHABLE = "after connection broken by"
REMOVED = ("pip", "hatchling", "editables")


@pytest.mark.slow
def test_the_images_steps_install_a_service_that_runs_anywhere(tmp_path: Path) -> None:
    build(tmp_path)
    place = tmp_path / "a place of its own"
    place.mkdir()
    check_commands(tmp_path, place)
    check_that_no_tools_are_left(tmp_path)
    check_service(tmp_path, place)


def test_the_build_context_holds_what_the_image_copies_and_no_more() -> None:
    first, *kept = ignore_lines()
    copied = {
        source.rstrip("/")
        for step in instructions()
        if step.name == "COPY" and "--from" not in step.argument
        for source in step.argument.split()[:-1]
    }
    assert first == "*"
    assert {line[1:] for line in kept if line.startswith("!")} == copied


def build(tmp_path: Path) -> None:
    """Run the steps of the build stage in a directory that stands for its root."""
    context, source = tmp_path / "context", tmp_path / "src"
    copy_context(context)
    source.mkdir()
    for step in instructions():
        if step.stage == BUILD_STAGE and step.name == "COPY":
            copy(step, context, source)
        elif step.stage == BUILD_STAGE and step.name == "RUN":
            run(step, tmp_path, source)


def copy_context(context: Path) -> None:
    """Copy what a clone would hold and the builder is sent: new files too, ignored ones not."""
    sent = {line[1:] for line in ignore_lines() if line.startswith("!")}
    for path in filter(lambda path: path.parts[0] in sent, tracked()):
        target = context / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)


def ignore_lines() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def tracked() -> Iterator[Path]:
    """Yield the files under version control and those about to be; without it, all files."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        named = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        paths = [path for path in found if "__pycache__" not in path.parts]
    else:
        paths = [Path(name) for name in named.stdout.split("\0") if name]
    # What was deleted but not committed yet is still listed.
    yield from (path for path in paths if (ROOT / path).is_file())


def copy(step: Instruction, context: Path, source: Path) -> None:
    """Copy as Docker does: of a directory its contents, a file under its name or the one given."""
    *names, destination = step.argument.split()
    target = source / destination
    for name in names:
        if (context / name).is_dir():
            shutil.copytree(context / name, target, dirs_exist_ok=True)
        else:
            shutil.copy2(context / name, target / name if destination.endswith("/") else target)


def run(step: Instruction, tmp_path: Path, source: Path) -> None:
    """Run a step in the shell, as Docker does, with the image's environment mapped to a place."""
    done = subprocess.run(
        ["/bin/sh", "-c", mapped(step.argument, tmp_path)],
        cwd=source,
        env=clean_environment() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode and UNREACHABLE in done.stdout:
        pytest.skip("The package index can't be reached at all, so nothing can be installed.")
    assert done.returncode == 0, f"{step.argument}: {done.stdout[-2000:]}"


def mapped(command: str, tmp_path: Path) -> str:
    return command.replace(ENVIRONMENT, shlex.quote(str(tmp_path / "environment")))


def check_commands(tmp_path: Path, place: Path) -> None:
    helped = subprocess.run(
        [program(tmp_path, "chancery"), "--help"],
        cwd=place,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in helped.stdout for name in ("serve", "migrate", "load", "rebuild"))


def check_that_no_tools_are_left(tmp_path: Path) -> None:
    tried = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    found = subprocess.run(
        [program(tmp_path, "python"), "-c", tried, *REMOVED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


def program(tmp_path: Path, name: str) -> str:
    return str(tmp_path / "environment" / "bin" / name)


def check_service(tmp_path: Path, place: Path) -> None:
    """Serve on the embedded database, with data in a path that holds blanks."""
    data, port = place / "the data", free_port()
    command = [program(tmp_path, "chancery"), *last_stage()["CMD"].words()[1:2]]
    environment = {"CHANCERY_DATA_DIR": str(data), "PYTHONPATH": ""}
    with started([*command, "--port", str(port)], environment, place) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, process)
        check_answers(address)
        assert health(tmp_path, port) == 0
        assert postmasters(data)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not postmasters(data)
    assert health(tmp_path, port) != 0


def check_answers(address: str) -> None:
    assert httpx.get(f"{address}/readyz").status_code == 200
    assert httpx.get(f"{address}/docs").status_code == 200
    answer = httpx.get(f"{address}/v1/events", params={"country": "Kazakhstan"})
    assert answer.status_code == 200
    codes = [
        {participant["country"] for participant in event["participants"]}
        for event in answer.json()["items"]
    ]
    assert codes
    assert all("KZ" in countries for countries in codes)


def health(tmp_path: Path, port: int) -> int:
    """Return the exit status of the image's health check, asked at this port."""
    _, option, code = last_stage()["HEALTHCHECK"].words()
    asked = code.replace(":8000/", f":{port}/")
    assert asked != code
    done = subprocess.run(
        [program(tmp_path, "python"), option, asked], capture_output=True, check=False
    )
    return done.returncode
