"""Clients go away before they are answered, thousands of them."""

import asyncio
import socket
from pathlib import Path

from sqlalchemy import text

from app.db.engine import Database
from tests.faults.cable import AT_ONCE
from tests.faults.siege import Row, Siege, besieged

AT_A_TIME = 50
LONGEST_S = 0.05
PATHS = ("/v1/events?limit=200&q=token", "/v1/events.csv", "/v1/facets?by=country", "/readyz")
# Transactions that nobody ends, whoever may have begun them: a write takes less long.
OPEN_S = 2
OPEN = f"""
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'chancery %' AND xact_start < now() - interval '{OPEN_S} seconds'
"""


async def run(rounds: int, place: Path) -> Row:
    """Break off so many requests; a transaction that is left open counts as lost."""
    async with besieged(place) as siege:
        leaked = await cause(siege, rounds)
    row = siege.row("disconnect storm", rounds)
    row.lost += leaked
    return row


async def cause(siege: Siege, rounds: int) -> int:
    """Break off so many requests, and return how many transactions nobody ends."""
    for begun in range(0, rounds, AT_A_TIME):
        count = min(AT_A_TIME, rounds - begun)
        await asyncio.gather(*(_break_off(siege) for _ in range(count)))
    await siege.back()
    await siege.acknowledged(5)
    await asyncio.sleep(OPEN_S + 1)
    async with Database(siege.postgres.url) as database, database.reading() as connection:
        leaked: int = (await connection.execute(text(OPEN))).scalar_one()
    return leaked


async def _break_off(siege: Siege) -> None:
    url = siege.client.base_url
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"GET {siege.random.choice(PATHS)} HTTP/1.1\r\nHost: {url.host}\r\n\r\n".encode())
    await asyncio.sleep(siege.random.uniform(0, LONGEST_S))
    end: socket.socket = writer.get_extra_info("socket")
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()
