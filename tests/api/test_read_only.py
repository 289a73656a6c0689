"""A database that takes no writes, and what else PostgreSQL reports of itself: never a 500."""

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.db.engine import Database
from app.domain.errors import UnavailableError
from tests.support.client import client_of
from tests.support.database import execute
from tests.support.editing import editor_of
from tests.support.factories import facts
from tests.support.problems import problem_of

# By class 08, 25, 40, 53, 55, 57 and 58.
PASSING = [
    *("08000", "08006", "25P03", "25P04", "40001", "40P01", "53000", "53100", "53200", "53300"),
    *("53400", "55P03", "57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05", "58030"),
]
# Faults of ours, of the rights and of the data.
LASTING = ["22023", "23505", "25006", "42501", "42P01", "54001", "58P01", "XX000", "XX001"]


def raising(state: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '{state}'; END $$"


@pytest.mark.parametrize("state", PASSING)
async def test_what_passes_is_said_to(timeline_url: str, state: str) -> None:
    async with Database(timeline_url) as database:
        with pytest.raises(UnavailableError):
            async with database.reading() as connection:
                await connection.execute(text(raising(state)))
        with pytest.raises(UnavailableError):
            async with database.editing() as edit:
                await edit.execute(text(raising(state)))


@pytest.mark.parametrize("state", LASTING)
async def test_what_waiting_does_not_mend_is_a_fault(timeline_url: str, state: str) -> None:
    async with Database(timeline_url) as database:
        with pytest.raises(DBAPIError):
            async with database.reading() as connection:
                await connection.execute(text(raising(state)))


async def test_a_database_that_takes_no_writes_is_read(empty_url: str) -> None:
    async with editor_of(empty_url) as editor:
        key = editor.headers["Authorization"]
        assert (await editor.post("/v1/events", json=facts())).status_code == 201
    name = make_url(empty_url).database
    await execute(empty_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with client_of(empty_url) as editor:
        editor.headers["Authorization"] = key
        for answer in (
            await editor.post("/v1/events", json=facts(title="Another")),
            await editor.put("/v1/parties/AE", json={"kind": "state", "name": "X"}),
            await editor.put("/v1/regimes/X", json={"issuer": "AE", "name": "X"}),
            await editor.post("/v1/imports", content=b"{}\n", headers={"Content-Type": "text/csv"}),
        ):
            assert problem_of(answer, 503)["code"] == "read-only"
            assert int(answer.headers["Retry-After"]) >= 1
        assert (await editor.get("/readyz")).json() == {"status": "ready", "writable": False}
        assert len((await editor.get("/v1/events")).json()["items"]) == 1


@pytest.mark.usefixtures("shipped_timeouts")
async def test_a_register_whose_writers_are_all_busy_is_ready(timeline_url: str) -> None:
    async with client_of(timeline_url) as client:
        database: Database = client._transport.app.state.database  # type: ignore[attr-defined]
        async with database.editing(), database.editing():
            answer = await client.get("/readyz")
        assert answer.json() == {"status": "ready", "writable": False}
