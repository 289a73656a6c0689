"""`chancery verify` as an operator or an auditor uses it: real processes."""

import asyncio
from typing import Any

import pytest

from app.db import schema
from tests.support.chain import UNLINKED, tamper
from tests.support.client import client_of
from tests.support.commands import chancery, complaint, run_sql, said


@pytest.fixture
def register(loaded_url: str) -> str:
    """Address of a register with the sample timeline."""
    return loaded_url


def published(url: str) -> Any:
    async def look() -> Any:
        async with client_of(url) as client:
            return (await client.get("/v1/changes?limit=1")).json()["head"]

    return asyncio.run(look())


def test_an_untouched_register_is_as_it_was_recorded(register: str) -> None:
    head = published(register)
    told = said(chancery("verify", url=register))
    checked = "Checked 164 revisions in 1 link: all as recorded."
    assert told == f"{checked} Head: {head['seq']} {head['hash']}"


def test_nothing_is_as_it_was_recorded_as_well(empty_url: str) -> None:
    told = said(chancery("verify", url=empty_url))
    assert told == "Checked 0 revisions in 0 links: all as recorded."


def test_a_head_that_was_kept_is_found_as_long_as_the_past_is_the_same(register: str) -> None:
    kept = published(register)["hash"]
    run_sql(register, UNLINKED)
    told = said(chancery("verify", "--head", kept.upper(), url=register))
    assert "; 5 newer ones not linked yet; the head that was given stands at number 164." in told
    said(chancery("migrate", url=register))
    assert "169 revisions in 2 links" in said(chancery("verify", "--head", kept, url=register))
    # The chain is made anew, and so holds in itself.
    noted = "UPDATE event_revision SET note = 'Another' WHERE seq = 3"
    asyncio.run(tamper(register, noted, "DELETE FROM journal_link"))
    said(chancery("migrate", url=register))
    said(chancery("verify", url=register))
    done = chancery("verify", "--head", kept, url=register)
    assert f"No link has the head {kept}" in failed(done)


def test_what_was_tampered_with_is_one_sentence(register: str) -> None:
    asyncio.run(tamper(register, "UPDATE event_revision SET note = 'Another' WHERE seq = 3"))
    sentence = failed(chancery("verify", url=register))
    assert "numbers 1 to 164 isn't what was recorded" in sentence


@pytest.mark.parametrize("head", ["", "abc", "x" * 64, "0" * 63 + "\u0660"])
def test_what_is_no_head_is_one_sentence(register: str, head: str) -> None:
    assert "64 hexadecimal digits" in complaint(chancery("verify", "--head", head, url=register))


def test_what_was_recorded_before_there_was_a_chain_is_linked_by_an_upgrade(register: str) -> None:
    asyncio.run(schema.migrate(register, "0009"))
    asyncio.run(schema.migrate(register))
    assert "0 revisions in 0 links" in said(chancery("verify", url=register))
    assert published(register) is None
    said(chancery("migrate", url=register))
    assert "164 revisions in 1 link:" in said(chancery("verify", url=register))


def failed(done: Any) -> str:
    """Return the last line of a command that failed after its progress was shown."""
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    sentence: str = done.stderr.splitlines()[-1]
    assert sentence.startswith("chancery: ")
    return sentence
