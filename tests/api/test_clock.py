"""The database's clock, and nobody else's, tells what is past; that it ran ahead is said."""

import logging
from datetime import UTC, datetime, timedelta, tzinfo

import httpx
import pytest
from sqlalchemy import text

from app.commands import journal
from app.db.engine import Database
from app.domain.document import instant
from app.queries import clock
from tests.support.chain import tamper
from tests.support.client import client_of
from tests.support.editing import editor_of
from tests.support.factories import facts
from tests.support.metrics import Metrics
from tests.support.problems import problem_of

READS = [
    "/v1/events",
    "/v1/events?q=embassy",
    "/v1/events/kz-taliban-delisting-2023",
    "/v1/events/kz-taliban-delisting-2023/revisions",
    "/v1/events.csv",
    "/v1/facets?by=country",
    "/v1/measures",
    "/v1/positions?actor=KZ",
    "/v1/positions/history?actor=KZ&subject=taliban",
    "/v1/positions.csv?actor=KZ",
]


class Fast(datetime):
    """A clock that runs two seconds ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Fast":
        return super().now(tz) + timedelta(seconds=2)


@pytest.fixture
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the application's clock run ahead of the database's."""
    monkeypatch.setattr(clock, "datetime", Fast)


def ahead(**by: float) -> str:
    return instant(datetime.now(UTC) + timedelta(**by))


@pytest.mark.usefixtures("_fast")
@pytest.mark.parametrize("basis", ["", "announced"])
@pytest.mark.parametrize("path", READS)
async def test_what_is_not_past_for_the_database_is_refused(
    client: httpx.AsyncClient, path: str, basis: str
) -> None:
    then = {"known_at": ahead(seconds=1.5), "knowledge": basis}
    problem = problem_of(
        await client.get(path, params=httpx.QueryParams(httpx.URL(path).query).merge(then)), 422
    )
    (fault,) = problem["errors"]
    assert (fault["field"], fault["code"]) == ("known_at", "in_the_future")
    assert "clock ran ahead" not in fault["message"]


@pytest.mark.usefixtures("_fast")
async def test_what_is_past_has_one_answer_whatever_is_written(empty_url: str) -> None:
    async with editor_of(empty_url) as editor:
        known_at = ahead(seconds=-0.01)
        before = (await editor.get("/v1/events", params={"known_at": known_at})).json()
        assert (await editor.post("/v1/events", json=facts())).status_code == 201
        assert (await editor.get("/v1/events", params={"known_at": known_at})).json() == before


async def test_a_day_that_is_long_over_needs_no_look_at_the_clock(
    timeline_url: str, statements: list[str]
) -> None:
    async with client_of(timeline_url) as client:
        for days, looks in ((2, 0), (0.5, 1)):
            statements.clear()
            answer = await client.get("/v1/events", params={"known_at": ahead(days=-days)})
            assert answer.status_code == 200
            assert len([each for each in statements if "clock_timestamp" in each]) == looks


async def test_a_clock_that_ran_ahead_is_told_of(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with editor_of(empty_url) as editor:
        assert (await editor.post("/v1/events", json=facts())).status_code == 201
        assert Metrics(await editor.get("/metrics")).values("chancery_clock_ahead_seconds") == [0]
        await tamper(empty_url, "UPDATE event_revision SET recorded_at = now() + interval '2 h'")
        with caplog.at_level(logging.WARNING, "chancery.journal"):
            for _ in range(2):
                answer = await editor.post("/v1/events", json=facts(title="Another one"))
                assert answer.status_code == 201
        (line,) = [each for each in caplog.records if each.name == "chancery.journal"]
        assert "7200 s ahead" in line.getMessage() or "7199 s ahead" in line.getMessage()
        (seconds,) = Metrics(await editor.get("/metrics")).values("chancery_clock_ahead_seconds")
        assert 7_000 < seconds < 7_201
        known_at = answer.json()["updated_at"]
        problem = problem_of(await editor.get("/v1/events", params={"known_at": known_at}), 422)
        assert "clock ran ahead" in problem["detail"]
        assert known_at in problem["detail"]


async def test_the_clock_is_asked_of_the_database(empty_url: str) -> None:
    async with Database(empty_url) as database, database.writing() as connection:
        place = await journal.next_place(connection)
        now = await connection.scalar(text("SELECT clock_timestamp()"))
        assert place.recorded_at <= now
