"""Several processes upgrade an empty database at the same time."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from app.db import schema
from tests.faults.postgres import running
from tests.faults.siege import Row
from tests.support.database import execute

STARTERS = 8


async def run(rounds: int, place: Path) -> Row:
    """Start several upgrades at once, again and again; each must end well."""
    return await _upgrade(f"{STARTERS} upgraders at once", rounds, place, is_locked=True)


async def control(rounds: int, place: Path) -> Row:
    """Do the same where none waits for the others."""
    return await _upgrade("no lock", rounds, place, is_locked=False)


async def _upgrade(fault: str, rounds: int, place: Path, *, is_locked: bool) -> Row:
    loop, ended = asyncio.get_running_loop(), 0
    # Processes of their own, as Alembic lets a process migrate one database at a time.
    with ProcessPoolExecutor(STARTERS, get_context("spawn")) as processes:
        async with running(place) as postgres:
            for number in range(rounds):
                await execute(postgres.url, f"CREATE DATABASE upgraded_{number}")
                url = make_url(postgres.url).set(database=f"upgraded_{number}").render_as_string()
                upgrades = (
                    loop.run_in_executor(processes, _ends_well, url, is_locked)
                    for _ in range(STARTERS)
                )
                ended += sum(await asyncio.gather(*upgrades))
    begun = STARTERS * rounds
    return Row(fault, rounds, begun, lost=begun - ended)


def _ends_well(url: str, is_locked: bool) -> bool:  # noqa: FBT001 - Executors pass no names.
    with pytest.MonkeyPatch.context() as patch:
        if not is_locked:
            patch.setattr(schema, "text", _unlocked)
        try:
            asyncio.run(schema.migrate(url))
        except Exception:  # noqa: BLE001 - Whatever it is, this start failed.
            return False
    return True


def _unlocked(statement: str) -> Any:
    return text(statement.replace("pg_try_advisory_lock(:key)", "CAST(:key AS bigint) > 0"))
