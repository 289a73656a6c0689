"""Several processes upgrade an empty database at the same time."""

import asyncio
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
    return await _upgrade(f"{STARTERS} upgraders at once", rounds, place)


async def control(rounds: int, place: Path) -> Row:
    """Do the same where none waits for the others."""

    def unlocked(statement: str) -> Any:
        return text(statement.replace("pg_advisory_lock(:key)", "CAST(:key AS bigint)"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "text", unlocked)
        return await _upgrade("no lock", rounds, place)


async def _upgrade(fault: str, rounds: int, place: Path) -> Row:
    async with running(place) as postgres:
        ended = 0
        for number in range(rounds):
            await execute(postgres.url, f"CREATE DATABASE upgraded_{number}")
            url = make_url(postgres.url).set(database=f"upgraded_{number}").render_as_string()
            upgrades = (schema.migrate(url) for _ in range(STARTERS))
            results = await asyncio.gather(*upgrades, return_exceptions=True)
            ended += sum(result is None for result in results)
    begun = STARTERS * rounds
    return Row(fault, rounds, begun, lost=begun - ended)
