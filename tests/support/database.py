"""Real databases for tests: migrated templates, and clones of them.

Without CHANCERY_TEST_DATABASE_URL each test process runs an embedded PostgreSQL 18 of its own,
freed from the disk's pace by fsync=off; with it, the server behind that URL is used, whose user
must be allowed to create databases.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text

from app.commands.load import SAMPLE_AUTHOR, load_timeline, sample
from app.commands.parties import add_territories
from app.db import schema
from app.db.embedded import embedded
from app.db.engine import Database, engine
from app.db.url import driver_url
from app.domain.territories import territories

TERRITORIES = sum(territory.kind != "bloc" for territory in territories().values())
"""So many numbers of the journal are those of the territories, which every register begins with."""

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server on which databases can be made."""
    configured = os.environ.get("CHANCERY_TEST_DATABASE_URL")
    if configured:
        yield configured
    else:
        with embedded(tmp_path_factory.mktemp("postgres"), **FAST) as url:
            yield url


@pytest.fixture(scope="session")
def migrated_template(server_url: str) -> Iterator[str]:
    """Address of a migrated database that holds the territories and no events."""
    with cloned(server_url, None) as url:
        asyncio.run(prepare(url, with_timeline=False))
        yield url


@pytest.fixture(scope="session")
def timeline_template(server_url: str, migrated_template: str) -> Iterator[str]:
    """Address of a database with the sample timeline, to which nobody connects."""
    with cloned(server_url, migrated_template) as url:
        asyncio.run(prepare(url, with_timeline=True))
        yield url


@pytest.fixture(scope="session")
def timeline_url(server_url: str, timeline_template: str) -> Iterator[str]:
    """Address of a database with the sample timeline, which tests only read."""
    with cloned(server_url, timeline_template) as url:
        yield url


@pytest.fixture
def loaded_url(server_url: str, timeline_template: str) -> Iterator[str]:
    """Address of a database of the test's own with the sample timeline."""
    with cloned(server_url, timeline_template) as url:
        yield url


@pytest.fixture
def empty_url(server_url: str, migrated_template: str) -> Iterator[str]:
    """Address of a migrated database of the test's own, without events."""
    with cloned(server_url, migrated_template) as url:
        yield url


@pytest.fixture
def unmigrated_url(server_url: str) -> Iterator[str]:
    """Address of a database of the test's own in which nothing was done yet."""
    with cloned(server_url, None) as url:
        yield url


@contextmanager
def cloned(server_url: str, template: str | None) -> Iterator[str]:
    """Lend a new database, a copy of the template or an empty one."""
    name = f"chancery_test_{uuid4().hex}"
    source = make_url(template).database if template else "template0"
    asyncio.run(execute(server_url, f"CREATE DATABASE {name} TEMPLATE {source}"))
    try:
        url = make_url(server_url).set(database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        asyncio.run(execute(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def execute(url: str, *statements: str) -> None:
    """Run statements, each committed by itself."""
    maintenance = engine(driver_url(url), read_only=False, isolation_level="AUTOCOMMIT")
    try:
        async with maintenance.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await maintenance.dispose()


async def until_waiting(database: Database, count: int) -> None:
    """Return as soon as so many transactions of this database wait for a lock."""
    waiting = text(
        """
        SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND datname = current_database()
        """
    )
    async with asyncio.timeout(60), database.reading() as connection:
        # The database tells nobody of those who wait, so it is asked again and again.
        while (await connection.execute(waiting)).scalar_one() < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def prepare(url: str, *, with_timeline: bool) -> None:
    """Migrate a database and fill it with the territories, and the sample timeline if wanted."""
    await schema.migrate(url)
    async with Database(url) as database, database.writing() as connection:
        await add_territories(connection)
        if with_timeline:
            await load_timeline(connection, sample(), SAMPLE_AUTHOR)
