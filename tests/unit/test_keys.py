"""Keys as text: their form, their checksum, what is stored of them."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.keys import _base62, digest, is_public_id, new_key, public_id_of

KEY, PUBLIC_ID = new_key()


def test_a_key_is_recognised_by_people_and_by_scanners() -> None:
    form = "chancery_[0-9a-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}"
    assert all(re.fullmatch(form, new_key()[0]) for _ in range(200))


def test_the_public_id_stands_in_the_key() -> None:
    assert public_id_of(KEY) == PUBLIC_ID == KEY.split("_")[1]
    assert is_public_id(PUBLIC_ID)
    assert not any(map(is_public_id, ("", "short", "ABCDEFGH", PUBLIC_ID + "\n", "١٢٣٤٥٦٧٨")))


def test_no_two_keys_are_alike() -> None:
    made = [new_key() for _ in range(500)]
    assert len({key for key, _ in made}) == len({public_id for _, public_id in made}) == 500


@given(st.integers(0, len(KEY) - 1), st.sampled_from("abcXYZ019_-"))
def test_a_single_mistyped_character_is_noticed(place: int, character: str) -> None:
    mistyped = KEY[:place] + character + KEY[place + 1 :]
    assert (public_id_of(mistyped) is None) == (mistyped != KEY)


@given(st.integers(0, len(KEY) - 2))
def test_two_characters_in_the_wrong_order_are_noticed(place: int) -> None:
    mistyped = KEY[:place] + KEY[place + 1] + KEY[place] + KEY[place + 2 :]
    assert (public_id_of(mistyped) is None) == (mistyped != KEY)


@pytest.mark.parametrize("template", ["", "x", "{}a", " {}", "{}\n", "{0}{0}", "{}_"])
def test_what_is_no_key_is_none(template: str) -> None:
    assert public_id_of(template.format(KEY)) is None
    assert public_id_of(template.format(KEY[:-1])) is None
    assert public_id_of(template.format(KEY.upper())) is None


@given(st.text(max_size=80))
def test_any_text_can_be_looked_at(text: str) -> None:
    assert public_id_of(text) is None


def test_a_digest_is_stored_and_no_part_of_the_key() -> None:
    assert digest(KEY) == sha256(KEY.encode()).digest()


def test_the_longest_numbers_fit() -> None:
    assert _base62(2**256 - 1, 43) != _base62(0, 43)
    assert 62**43 > 2**256
    assert 62**6 > 2**32
    assert _base62(61, 3) == "00z"
