"""What a server's log says of why it has ended."""

import pytest

from app.db.server_log import find_reason

AT = "2026-01-05 10:00:00.000 UTC [7]"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", None),
        (f"{AT} LOG:  database system is shut down", None),
        (f"{AT} FATAL:  no room.", "FATAL: no room"),
        (f"{AT} FATAL:  no room\n{AT} DETAIL:  It is full.", "FATAL: no room (It is full.)"),
        (f"{AT} FATAL:  one\n{AT} PANIC:  two\n{AT} LOG:  three", "PANIC: two"),
        (f"{AT} PANIC:  two\n{AT} FATAL:  the database system is starting up", "PANIC: two"),
        (f"{AT} LOG:  one\n{AT} DETAIL:  Of one.\n{AT} FATAL:  two", "FATAL: two"),
    ],
)
def test_the_last_fatal_error_is_the_reason(log: str, reason: str | None) -> None:
    assert find_reason(log) == reason
