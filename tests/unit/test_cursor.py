import base64
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.api.cursor import CursorCodec
from app.db.engine import Database
from app.domain.errors import RefusedError

QUESTION = {"of": "events", "filter": {"country": ["KZ"]}, "sort": "newest"}
POSITIONS = st.lists(st.text(max_size=30), min_size=1, max_size=3)
TEXTS: TypeAdapter[list[str]] = TypeAdapter(list[str])


class Keyring:
    """A database that has nothing but a sealing key."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.times_asked = 0

    async def glance(self, _: Any) -> bytes:
        self.times_asked += 1
        return self.key


def codec_with(key: bytes) -> CursorCodec:
    return CursorCodec(cast("Database", Keyring(key)))


CODEC = codec_with(b"k" * 32)


@given(POSITIONS)
async def test_a_cursor_gives_back_its_position(position: list[str]) -> None:
    cursor = await CODEC.encode(position, QUESTION)
    assert await CODEC.decode(cursor, QUESTION, TEXTS) == position


async def test_no_cursor_is_the_first_page_and_no_position_the_last() -> None:
    assert await CODEC.decode(None, QUESTION, TEXTS) is None
    assert await CODEC.encode(None, QUESTION) is None


@given(st.text(max_size=60))
async def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        await CODEC.decode(text, QUESTION, TEXTS)


async def test_a_cursor_of_another_question_is_refused() -> None:
    foreign = await CODEC.encode(["a"], QUESTION | {"sort": "oldest"})
    with pytest.raises(RefusedError):
        await CODEC.decode(foreign, QUESTION, TEXTS)


async def test_a_cursor_under_another_key_is_refused() -> None:
    foreign = await codec_with(b"o" * 32).encode(["a"], QUESTION)
    with pytest.raises(RefusedError):
        await CODEC.decode(foreign, QUESTION, TEXTS)


async def test_a_position_of_another_type_is_refused() -> None:
    foreign = await CODEC.encode([1], QUESTION)
    with pytest.raises(RefusedError):
        await CODEC.decode(foreign, QUESTION, TEXTS)


@given(POSITIONS, st.integers(0, 200), st.integers(1, 255))
async def test_an_edited_cursor_is_refused(position: list[str], place: int, change: int) -> None:
    text = await CODEC.encode(position, QUESTION)
    assert text is not None
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[place % len(raw)] ^= change
    edited = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    with pytest.raises(RefusedError):
        await CODEC.decode(edited, QUESTION, TEXTS)


async def test_the_key_is_read_once() -> None:
    keyring = Keyring(b"k" * 32)
    codec = CursorCodec(cast("Database", keyring))
    await codec.encode(["a"], QUESTION)
    await codec.encode(["b"], QUESTION)
    assert keyring.times_asked == 1
