"""Rules about the code that a machine can check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "app").rglob("*.py"))
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 45


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def test_imports_point_inward() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; exit(lint_imports())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_importing_the_application_does_nothing() -> None:
    """Nothing is connected, read from the environment or made before it is asked for."""
    code = (
        "import sys; sys.addaudithook(lambda name, args: name in ('socket.connect', "
        "'subprocess.Popen') and sys.exit(name)); import app.main, app.cli"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={"CHANCERY_DATABASE_URL": "nonsense", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= MAX_FUNCTION_LINES, f"{function.name} has {length} lines"


def test_only_the_database_rooms_know_the_driver() -> None:
    for path in SOURCES:
        if "app/db" not in path.as_posix():
            text = path.read_text(encoding="utf-8")
            assert "asyncpg" not in text, path
            assert "create_async_engine" not in text, path


def test_no_name_is_a_rag_bag() -> None:
    banned = {"utils", "helpers", "common", "manager", "base", "service"}
    assert not [path for path in SOURCES if path.stem in banned]
