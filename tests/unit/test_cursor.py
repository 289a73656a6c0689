import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import cursor
from app.domain.errors import RefusedError

QUESTION = {"of": "events", "filter": {"country": ["KZ"]}, "sort": "newest"}
POSITIONS = st.lists(st.text(max_size=30), min_size=1, max_size=3)


@given(POSITIONS)
def test_a_cursor_gives_back_its_position(position: list[str]) -> None:
    assert cursor.decode(cursor.encode(position, QUESTION), QUESTION) == position


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        cursor.decode(text, QUESTION)


def test_a_cursor_of_another_question_is_refused() -> None:
    foreign = cursor.encode(["a"], QUESTION | {"sort": "oldest"})
    with pytest.raises(RefusedError):
        cursor.decode(foreign, QUESTION)


@given(POSITIONS, st.integers(0, 200), st.integers(1, 255))
def test_an_edited_cursor_is_refused(position: list[str], place: int, change: int) -> None:
    text = cursor.encode(position, QUESTION)
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[place % len(raw)] ^= change
    with pytest.raises(RefusedError):
        cursor.decode(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="), QUESTION)
