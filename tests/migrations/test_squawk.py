"""What would lock others out for long, or break the release before, is found by squawk."""

import importlib.util
import io
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
# Those before were written without it, and lead to a schema that nobody's register stands at.
FIRST_GUARDED = "0008"
GUARDED = sorted(each for each in VERSIONS.glob("0*.py") if each.name >= FIRST_GUARDED)
# `app.db.schema` sets both timeouts. The last is about the room that a number has, not about locks.
ELSEWHERE = "require-lock-timeout,require-statement-timeout,prefer-bigint-over-int"
SQUAWK = shutil.which("squawk", path=str(Path(sys.executable).parent)) or "squawk"


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sql_of(path: Path) -> str:
    """Return what a migration has PostgreSQL do, without asking one."""
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written}
    )
    with Operations.context(context):
        module_of(path).upgrade()
    # Each runs in a transaction, which it may leave and come back to.
    return f"BEGIN;\n{written.getvalue()}\nCOMMIT;\n"


def complaints(sql: str) -> str:
    options = ("--reporter", "gcc", "--pg-version", "15", "--exclude", ELSEWHERE)
    done = subprocess.run(
        [SQUAWK, *options, "--stdin-filepath", "migration.sql"],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize("path", GUARDED, ids=lambda path: path.stem)
def test_no_migration_stands_in_anybodys_way(path: Path) -> None:
    assert complaints(sql_of(path)) == ""


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX ix_event_title ON event (title);",
        "ALTER TABLE event ALTER COLUMN title TYPE VARCHAR(10);",
        "ALTER TABLE event RENAME COLUMN title TO name;",
    ],
)
def test_it_would_be_seen(statement: str) -> None:
    assert complaints(statement) != ""
