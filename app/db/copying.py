"""Many rows at once; COPY is by far the fastest way to put them into a table."""

import asyncio
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from types import NoneType
from typing import Any

from sqlalchemy import Table, insert, text
from sqlalchemy.dialects.postgresql import Range

from app.db.connections import WriteConnection
from app.db.engine import engine
from app.db.url import driver_url

# What has a meaning of its own in COPY's text format.
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_INFINITE = {date.min: "-infinity", date.max: "infinity"}


def copied(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Return rows in COPY's text format."""
    lines = ("\t".join(_text(row.get(name)) for name in columns) + "\n" for row in rows)
    return "".join(lines).encode()


def _text(value: Any) -> str:
    return _TEXTS.get(type(value), str)(value)


def _escaped(value: str) -> str:
    return value.translate(_ESCAPED)


def _bound(day: date | None) -> str:
    return "" if day is None else day.isoformat()


_TEXTS: Mapping[type, Callable[[Any], str]] = {
    NoneType: lambda _: r"\N",
    str: _escaped,
    # Their entries are ids and codes, in which no character has a meaning here.
    list: lambda values: f"{{{','.join(values)}}}",
    dict: lambda value: _escaped(json.dumps(value, ensure_ascii=False)),
    date: lambda day: _INFINITE.get(day) or day.isoformat(),
    Range: lambda days: f"[{_bound(days.lower)},{_bound(days.upper)}]",
}


async def copy(
    connection: WriteConnection, table: str, columns: Sequence[str], data: bytes
) -> None:
    """Add rows that are in COPY's text format, within the connection's transaction."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # noqa: S101 - The connection is open.
    await driver.copy_to_table(table, source=io.BytesIO(data), columns=list(columns))


async def insert_many(
    connection: WriteConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert many rows.

    The driver, cancelled while it is sending them, would wait for ever for the answer to what it
    hasn't sent (asyncpg's `bind_execute_many`), so its connection is cut off before.
    """
    sending = asyncio.ensure_future(connection.execute(insert(table), rows))
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.terminate()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        raise


async def vacuum(url: str) -> None:
    """Let the planner know what the tables hold now, and index scans spare looking at them."""
    maintenance = engine(driver_url(url), read_only=False, isolation_level="AUTOCOMMIT")
    try:
        async with maintenance.connect() as connection:
            await connection.execute(text("SET statement_timeout = 0"))
            await connection.execute(text("VACUUM ANALYZE"))
    finally:
        await maintenance.dispose()
