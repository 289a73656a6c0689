"""What questions cost at 20,000 and at 200,000 events: no table is read whole, and few pages are.

Counted by PostgreSQL itself while the application answers, so that nothing it asks is left out.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from app.db.engine import Database
from app.db.prepared import Prepared
from app.db.reading import rows
from tests.support.client import client_of
from tests.support.database import cloned
from tests.support.keys import bearer
from tests.support.multiplied import multiply
from tests.support.schedule import slow

pytestmark = pytest.mark.exhaustive

# Copies of the sample: 20,000 events show the plans that 200,000 are read with.
COPIES, DAYS = [122, *slow(1_220)], 4_000
LARGE = ["event", "event_party", "event_pair", "event_revision"]
# So often, because PostgreSQL may change its plan after five executions of a statement.
TIMES = 8
# The pages of 8 KiB that are looked at for one answer: twice to three times what was counted.
QUESTIONS = {
    "/v1/events?limit=20": 120,
    "/v1/events?limit=20&sort=oldest": 120,
    "/v1/events?limit=20&sort=recently_updated": 120,
    "/v1/events?limit=20&country=KZ": 250,
    "/v1/events?limit=20&country=EU": 4_000,
    "/v1/events?limit=20&country=KZ&known_at={now}": 600,
    "/v1/events?limit=20&subject=hamas": 300,
    "/v1/events?limit=20&regime=KZ-NLTO": 120,
    "/v1/events?limit=20&measure=ru-suspension-law-2024": 1_000,
    "/v1/events?limit=20&status=rejected": 4_000,
    "/v1/events?limit=20&date_from=2024-03-01&date_to=2024-03-02": 400,
    "/v1/events?limit=20&date_to=1990": 400,
    "/v1/events?limit=20&q=taliban": 150,
    "/v1/events/kz-taliban-delisting-2023": 20,
    "/v1/events/kz-taliban-delisting-2023/revisions": 60,
    "/v1/facets": 20,
    "/v1/changes?since=100000&limit=20": 1_000,
    "/v1/parties?limit=20": 50,
}
COUNTED = """
    SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)
        + coalesce(toast_blks_hit + toast_blks_read, 0)) FROM pg_statio_user_tables
"""
SCANNED = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(:large)"


@pytest.fixture(scope="module", params=COPIES)
def large_url(
    server_url: str, timeline_template: str, request: pytest.FixtureRequest
) -> Iterator[str]:
    with cloned(server_url, timeline_template) as url:
        asyncio.run(multiply(url, request.param, DAYS))
        yield url


async def counters(url: str) -> tuple[int, dict[str, int]]:
    async with Database(url) as database, database.writing() as connection:
        blocks = (await connection.execute(text(COUNTED))).scalar_one()
        rows = await connection.execute(text(SCANNED), {"large": LARGE})
        return int(blocks), {row.relname: row.seq_scan for row in rows}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_cost_follows_the_answer(large_url: str, question: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    before, scans = await counters(large_url)
    async with client_of(large_url) as client:
        for _ in range(TIMES):
            # What is asked with a key is answered from no cache.
            answer = await client.get(question.format(now=now), headers=bearer("none"))
            assert answer.status_code == 200, answer.text
    # Its connections are closed, so that what they counted is known.
    after, scanned = await counters(large_url)
    assert scanned == scans
    assert (after - before) / TIMES <= QUESTIONS[question]


async def test_each_question_is_planned_for_its_own_values(timeline_url: str) -> None:
    shown = "SELECT current_setting('plan_cache_mode') AS mode"
    async with Database(timeline_url) as database:
        async with database.reading() as connection:
            assert await connection.scalar(text(shown)) == "force_custom_plan"
            (row,) = await rows(
                connection, Prepared(select(func.current_setting("plan_cache_mode"))), {}
            )
            assert row[0] == "force_custom_plan"
        async with database.streaming() as connection:
            assert await connection.scalar(text(shown)) == "force_custom_plan"
