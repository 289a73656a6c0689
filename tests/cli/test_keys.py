"""`chancery keys` as an operator uses it: real processes, beside a running server as well."""

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.keys import public_id_of
from tests.support.commands import chancery, complaint, said, serving
from tests.support.keys import bearer


def made(*arguments: str, **where: Any) -> tuple[str, str]:
    """Return the key that a command makes, and what it says beside."""
    done = chancery("keys", "create", *arguments, **where)
    return said(done), done.stderr


def table(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    assert (done.returncode, done.stderr) == (0, "")
    return [re.split(" {2,}", line) for line in done.stdout.splitlines()]


def test_a_key_stands_alone_on_standard_output(empty_url: str) -> None:
    arguments = ("The newsroom", "--scope", "edit", "--scope", "admin", "--expires", "90d")
    key, beside = made(*arguments, url=empty_url)
    public_id = public_id_of(key)
    assert public_id is not None
    assert beside.count("\n") == 1
    for told in (public_id, "The newsroom", "edit", "admin", "expires 2"):
        assert told in beside
    assert key.split("_")[2] not in beside


def test_a_key_that_does_not_expire(empty_url: str) -> None:
    assert "doesn't expire" in made("x", "--scope", "edit", url=empty_url)[1]


def test_the_list_shows_what_is_known_and_no_secret(empty_url: str) -> None:
    first, _ = made("The newsroom\nin Almaty", "--scope", "edit", url=empty_url)
    second, _ = made("Администратор", "--scope", "admin", "--expires", "12h", url=empty_url)
    done = chancery("keys", "list", url=empty_url)
    heading, newest, oldest = table(done)
    assert heading == ["id", "name", "scopes", "created", "expires", "last used", "revoked"]
    assert newest[:3] == [public_id_of(second), "Администратор", "admin"]
    assert newest[4] > newest[3]
    assert newest[5:] == ["-", "-"]
    assert oldest[:3] == [public_id_of(first), "The newsroom in Almaty", "edit"]
    assert oldest[4:] == ["-", "-", "-"]
    for key in (first, second):
        assert not [part for part in key.split("_")[2:] if part in done.stdout]


def test_a_list_of_none_is_a_heading(empty_url: str) -> None:
    assert len(table(chancery("keys", "list", url=empty_url))) == 1


def test_a_revoked_key_is_listed_as_such(empty_url: str) -> None:
    key, _ = made("x", "--scope", "edit", url=empty_url)
    public_id = str(public_id_of(key))
    for _ in range(2):
        assert said(chancery("keys", "revoke", public_id, url=empty_url)).endswith("is revoked.")
    assert table(chancery("keys", "list", url=empty_url))[1][6].startswith("2")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("create", "x"), "--scope"),
        (("create", "x", "--scope", "root"), "--scope"),
        (("create", "x", "--scope", "edit", "--scope", ""), "--scope"),
        (("create", " ", "--scope", "edit"), "Name"),
        (("create", "x" * 501, "--scope", "edit"), "Name"),
        (("create", "a\x07b", "--scope", "edit"), "Name"),
        (("create", "x", "--scope", "edit", "--expires", "soon"), "90d"),
        (("create", "x", "--scope", "edit", "--expires", "0d"), "90d"),
        (("create", "x", "--scope", "edit", "--expires", "99999999w"), "90d"),
        (("create", "x", "--scope", "edit", "--expires", "-1d"), "90d"),
        (("create", "x", "--scope", "edit", "--expires", ""), "90d"),
        (("revoke", "nothing0"), "no key"),
        (("revoke", "no id at all"), "no key"),
    ],
)
def test_bad_input_is_one_sentence(empty_url: str, arguments: tuple[str, ...], named: str) -> None:
    assert named in complaint(chancery("keys", *arguments, url=empty_url))


@pytest.mark.parametrize("arguments", [("create", "x", "--scope", "edit"), ("list",)])
def test_an_unmigrated_database_is_one_sentence(
    unmigrated_url: str, arguments: tuple[str, ...]
) -> None:
    sentence = complaint(chancery("keys", *arguments, url=unmigrated_url))
    assert "`chancery migrate`" in sentence


def test_keys_are_made_and_revoked_beside_a_running_server(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serving(data_dir, "--workers", "2") as server:
        key, _ = made("x", "--scope", "admin", data_dir=data_dir)

        def status() -> set[int]:
            # Each connection may be answered by either worker.
            asked = (httpx.get(f"{server.address}/v1/keys", headers=bearer(key)) for _ in range(8))
            return {answer.status_code for answer in asked}

        assert status() == {200}
        assert table(chancery("keys", "list", data_dir=data_dir))[1][5] != "-"
        said(chancery("keys", "revoke", str(public_id_of(key)), data_dir=data_dir))
        assert status() == {401}
        output = server.stop()
    assert "revoked, id" in output
    assert key.split("_")[2] not in output
