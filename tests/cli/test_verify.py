"""`chancery verify` as an operator or an auditor uses it: real processes."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.db import schema
from app.db.engine import Database
from tests.support.chain import UNLINKED, tamper
from tests.support.client import client_of
from tests.support.commands import chancery, complaint, run_sql, said
from tests.support.database import TERRITORIES


@pytest.fixture
def register(loaded_url: str) -> str:
    """Address of a register with the sample timeline."""
    return loaded_url


def published(url: str) -> Any:
    async def look() -> Any:
        async with client_of(url) as client:
            return (await client.get("/v1/changes?limit=1")).json()["head"]

    return asyncio.run(look())


# The parties of the sample and its regimes come between the territories and the events.
REVISIONS = TERRITORIES + 28 + 12 + 164
LINKS = 4


def test_an_untouched_register_is_as_it_was_recorded(register: str) -> None:
    head = published(register)
    told = said(chancery("verify", url=register))
    checked = f"Checked {REVISIONS} revisions in {LINKS} links, and what is read: all as recorded."
    assert told == f"{checked} Head: {head['seq']} {head['hash']}"


def test_nothing_is_as_it_was_recorded_as_well(unmigrated_url: str) -> None:
    asyncio.run(schema.migrate(unmigrated_url))
    told = said(chancery("verify", url=unmigrated_url))
    assert told == "Checked 0 revisions in 0 links, and what is read: all as recorded."


def test_a_head_that_was_kept_is_found_as_long_as_the_past_is_the_same(register: str) -> None:
    kept = published(register)["hash"]
    run_sql(register, UNLINKED)
    said(chancery("rebuild", url=register))
    told = said(chancery("verify", "--head", kept.upper(), url=register))
    assert "; 5 newer ones not linked yet" in told
    assert f"; the head that was given stands at number {REVISIONS}." in told
    said(chancery("migrate", url=register))
    told = said(chancery("verify", "--head", kept, url=register))
    assert f"{REVISIONS + 5} revisions in {LINKS + 1} links" in told
    # The chain is made anew, and so holds in itself.
    noted = f"UPDATE event_revision SET note = 'Another' WHERE seq = {REVISIONS}"
    asyncio.run(tamper(register, noted, "DELETE FROM journal_link"))
    said(chancery("migrate", url=register))
    said(chancery("verify", url=register))
    done = chancery("verify", "--head", kept, url=register)
    assert f"No link has the head {kept}" in failed(done)


@pytest.mark.parametrize(
    "revision",
    [
        "event_revision WHERE event = 'kz-taliban-delisting-2023'",
        "reference_revision WHERE id = 'taliban'",
    ],
)
def test_what_was_tampered_with_is_one_sentence(register: str, revision: str) -> None:
    table, _, which = revision.partition(" ")
    asyncio.run(tamper(register, f"UPDATE {table} SET note = 'Another' {which}"))
    number = asyncio.run(fetch_value(register, f"SELECT seq FROM {revision}"))
    sentence = failed(chancery("verify", url=register))
    assert f"What the journal holds under number {number} isn't what was recorded" in sentence


def test_what_is_read_of_the_journal_is_checked_as_well(register: str) -> None:
    run_sql(register, "UPDATE event SET document = replace(document, 'Kazakhstan', 'Absurdistan')")
    sentence = failed(chancery("verify", url=register))
    assert sentence.startswith("chancery: What is read isn't what the journal makes of it: event (")
    said(chancery("rebuild", url=register))
    said(chancery("verify", url=register))


@pytest.mark.parametrize("head", ["", "abc", "x" * 64, "0" * 63 + "\u0660"])
def test_what_is_no_head_is_one_sentence(register: str, head: str) -> None:
    assert "64 hexadecimal digits" in complaint(chancery("verify", "--head", head, url=register))


def test_what_was_recorded_before_there_was_a_chain_is_linked_by_an_upgrade(register: str) -> None:
    asyncio.run(schema.migrate(register, "0009"))
    asyncio.run(schema.migrate(register))
    assert "run `chancery migrate`" in complaint(chancery("verify", url=register))
    said(chancery("migrate", url=register))
    assert f"{REVISIONS} revisions in 1 link," in said(chancery("verify", url=register))


async def fetch_value(url: str, statement: str) -> Any:
    async with Database(url) as database, database.reading() as connection:
        return await connection.scalar(text(statement))


def failed(done: Any) -> str:
    """Return the last line of a command that failed after its progress was shown."""
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    sentence: str = done.stderr.splitlines()[-1]
    assert sentence.startswith("chancery: ")
    return sentence
