"""What the roles may do, tried with the roles themselves."""

import asyncio
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database
from tests.support.client import client_of
from tests.support.database import FAST, execute

ROOT = Path(__file__).parents[2]
REFUSED = r"permission denied|must be owner"
FORBIDDEN = [
    "UPDATE event_revision SET note = 'changed'",
    "DELETE FROM event_revision",
    "TRUNCATE event_revision",
    "UPDATE reference_revision SET note = 'changed'",
    "DELETE FROM reference_revision",
    "UPDATE journal_link SET head = digest",
    "DELETE FROM journal_link",
    "TRUNCATE journal_link",
    "UPDATE sealing_key SET key = sha256('guessed')",
    "DELETE FROM sealing_key",
    "DELETE FROM api_key",
    "ALTER TABLE event_revision DISABLE TRIGGER append_only",
    "DROP TRIGGER append_only ON event_revision",
    "DROP TABLE event",
    "CREATE TABLE public.another (number int)",
    "UPDATE alembic_version SET version_num = '0000'",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_writing_role_cant_touch_the_truth(empty_url: str, statement: str) -> None:
    async with Database(empty_url) as database:
        with pytest.raises(DBAPIError, match=REFUSED):
            async with database.writing() as connection:
                await connection.execute(text(statement))


@pytest.mark.parametrize(
    "table", ["event", "party", "event_revision", "journal_link", "api_key", "sealing_key"]
)
async def test_the_reading_role_can_only_look(empty_url: str, table: str) -> None:
    async with Database(empty_url) as database, database.reading() as connection:
        await connection.execute(text("SET default_transaction_read_only = off"))
        await connection.execute(text(f"SELECT * FROM {table} LIMIT 1"))
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text(f"DELETE FROM {table}"))


async def test_each_pool_takes_its_role_on_and_keeps_it(empty_url: str) -> None:
    async with Database(empty_url) as database:
        for _ in range(2):
            async with database.reading() as connection:
                assert await connection.scalar(text("SELECT current_user")) == "chancery_reader"
            with pytest.raises(RuntimeError):
                async with database.writing() as connection:
                    assert await connection.scalar(text("SELECT current_user")) == "chancery_writer"
                    raise RuntimeError


def test_the_service_of_the_compose_file_works_with_the_rights_it_gets(tmp_path: Path) -> None:
    compose = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    roles = compose["configs"]["roles"]["content"].replace("${", "").replace("}", "")
    environment = compose["services"]["chancery"]["environment"]
    login = make_url(environment["CHANCERY_DATABASE_URL"]).username
    with embedded(tmp_path, **FAST) as url:
        asyncio.run(_serve_as(url, [s for s in roles.split(";") if s.strip()], str(login)))


async def _serve_as(url: str, roles: list[str], login: str) -> None:
    await execute(url, *roles)
    await schema.migrate(url)
    as_service = make_url(url).set(username=login).render_as_string(hide_password=False)
    async with Database(as_service) as database, database.writing() as connection:
        assert await connection.scalar(text("SELECT session_user")) == login
        await load_timeline(connection, sample(), SAMPLE_AUTHOR)
    async with client_of(as_service) as client:
        assert (await client.get("/readyz")).status_code == 200
        assert len((await client.get("/v1/events?limit=200")).json()["items"]) == 164
    with pytest.raises(DBAPIError, match=REFUSED):
        await execute(as_service, "DELETE FROM event_revision")
