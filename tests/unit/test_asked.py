from datetime import UTC, datetime
from typing import Any

import pytest

from app.api.formats.asked import Asked

AT = datetime(2024, 11, 25, 23, 59, tzinfo=UTC)


def asked(**filter_: Any) -> Asked:
    return Asked("events", "https://register.example", "country=KZ", filter_, AT)


@pytest.mark.parametrize(
    ("understood", "name"),
    [
        ({}, "chancery-events-2024-11-25.csv"),
        ({"country": ["KZ"]}, "chancery-events-KZ-2024-11-25.csv"),
        (
            {"country": ["KZ", "RU"], "kind": ["designation.delist"], "date_match": "within"},
            "chancery-events-KZ-RU-designation.delist-2024-11-25.csv",
        ),
        ({"q": 'Талибан "x"; ../../etc/passwd\r\n'}, "chancery-events-x-etc-passwd-2024-11-25.csv"),
        ({"known_at": "2024-12-31T23:59:59Z"}, "chancery-events-known-at-2024-12-31.csv"),
    ],
)
def test_a_file_is_named_after_the_question(understood: dict[str, Any], name: str) -> None:
    assert asked(**understood).file_name("csv") == name


def test_a_files_name_is_short_and_plain() -> None:
    name = asked(measure=[f"measure-{number}" for number in range(60)]).file_name("csv")
    assert name.isascii()
    assert len(name) <= 100
    assert name.endswith("-2024-11-25.csv")


def test_the_same_question_has_an_address_in_every_format() -> None:
    assert asked().address("csv") == "https://register.example/v1/events.csv?country=KZ"
    assert asked().address() == "https://register.example/v1/events?country=KZ"


def test_a_link_leads_to_what_was_known_then() -> None:
    address = "https://register.example/events/an-event"
    assert asked(country=["KZ"]).permalink("an-event") == address
    past = asked(known_at="2024-12-31T00:00:00Z", knowledge="announced")
    query = "known_at=2024-12-31T00%3A00%3A00Z&knowledge=announced"
    assert past.permalink("an-event") == f"{address}?{query}"
