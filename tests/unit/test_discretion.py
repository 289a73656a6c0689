"""What may be written to a log."""

import pytest

from app.domain.discretion import discreet
from app.domain.keys import new_key


def test_of_a_key_only_its_public_id_is_left() -> None:
    key, public_id = new_key()
    secret, checksum = key.split("_")[2:]
    for text in (key, key[:-9], f"/v1/events/{key}/retract", f"Bearer {key}", f"'{key}',"):
        told = discreet(text)
        assert secret[:30] not in told
        assert checksum not in told
    assert discreet(f"of {key}.") == f"of chancery_{public_id}_***."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("authorization: Bearer abc.def-ghi", "authorization: Bearer ***"),
        ("{'authorization': 'basic dTpw'}", "{'authorization': 'basic ***'}"),
        ("postgresql://me:secret@host/db?x=1", "postgresql://me:***@host/db?x=1"),
        ("at postgresql://me:p@ss/w:rd@host/db twice", "at postgresql://me:***@host/db twice"),
        ("postgresql://:secret@host", "postgresql://:***@host"),
    ],
)
def test_nothing_is_left_of_a_password(text: str, told: str) -> None:
    assert discreet(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "http://register.example:8000/v1/events",
        "postgresql://me@host:5432/db",
        "chancery_reader lacks the right",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert discreet(text) == text
