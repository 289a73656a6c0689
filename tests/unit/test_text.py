from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.domain.text import (
    SHOWN_LENGTH,
    Code,
    Line,
    PartyId,
    Prose,
    Quotation,
    Slug,
    WebAddress,
    at_most,
    place_of,
    shown,
)

LINE: TypeAdapter[str] = TypeAdapter(Line)
ADDRESS: TypeAdapter[str] = TypeAdapter(WebAddress)


@given(st.text(min_size=1, max_size=200))
def test_accepted_text_can_be_stored_and_sent(text: str) -> None:
    try:
        accepted = LINE.validate_python(text)
    except ValidationError:
        return
    assert accepted == text
    assert "\0" not in accepted
    accepted.encode()


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\x1b[31m", "\x7f", "\ufffe"])
def test_text_that_cant_be_stored_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "\n", "\u00a0", "\u200b", "\u200d\ufeff\u2060", "\u0301", "\ufe0f", "\u00ad",
        "\u3164", "\u2800", "\u115f\u1160\uffa0", "\u034f", "\u180e",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Line, Quotation])
def test_text_with_nothing_to_read_is_refused(kind: Any, text: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    with pytest.raises(ValidationError, match="says nothing"):
        adapter.validate_python(text)


@pytest.mark.parametrize(
    "text", ["a", "7", "€", "☂", "是", "ﷺ", "\u200bа", "½", "คำ", "🇰🇿", "e\u0301", "!", "\ue000"]
)
def test_whatever_is_visible_can_be_read(text: str) -> None:
    assert LINE.validate_python(text) == text


@pytest.mark.parametrize(
    ("kind", "length"), [(Line, 500), (Quotation, 2_000), (Prose, 20_000), (Slug, 100), (Code, 100)]
)
def test_lengths_are_bounded(kind: Any, length: int) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    word = "A" if kind is Code else "a"
    assert adapter.validate_python(word * length)
    with pytest.raises(ValidationError):
        adapter.validate_python(word * (length + 1))


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a?b=c#d",
        "http://example.org",
        "https://www.toseeirani.ir/%D8%A8%D8%AE%D8%B4",
        "https://пример.рф/страница",
        "HTTP://example.org/@name?mail=a@b",
    ],
)
def test_a_web_address_is_kept_as_written(address: str) -> None:
    assert ADDRESS.validate_python(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "example.org",
        "ftp://example.org",
        "javascript:alert(1)",
        "https://",
        "https://example.org/a b",
        " https://example.org",
        "https:///example.org",
        "http:/example.org",
        "http:\\\\example.org",
        "http://somebody:secret@example.org",
        "http://example.com\\@example.org",
        "https://example.org/\u202egro",
        "https://example.org/\n",
        "https://example.org/" + "a" * 2_048,
    ],
)
def test_what_is_no_web_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        ADDRESS.validate_python(address)


@pytest.mark.parametrize("party", ["KZ", "SUHH", "CN-XZ", "X-SO", "taliban", "al-qaeda", "a1"])
def test_a_party_is_a_code_or_a_slug(party: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(PartyId)
    assert adapter.validate_python(party) == party


@pytest.mark.parametrize("party", ["", "Kz", "-a", "a-", "a--b", "a_b", "Taliban", "a b", "KZ\n"])
def test_what_is_neither_code_nor_slug_is_refused(party: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(PartyId)
    with pytest.raises(ValidationError):
        adapter.validate_python(party)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Kazakstan", "Kazakstan"),
        ("Қазақстан 🇰🇿 \u200dx", "Қазақстан 🇰🇿 \u200dx"),
        ("a\0b\x1b[31m", "a\ufffdb\ufffd[31m"),
        ("a\r\nb\u2028c", "a\ufffd\ufffdb\ufffdc"),
        ("\u202enatshkazaK\u2066", "\ufffdnatshkazaK\ufffd"),
        ("\ud800", "\ufffd"),
        ("a" * 10_000, "a" * SHOWN_LENGTH + "…"),
    ],
)
def test_what_was_sent_is_repeated_so_that_it_confuses_nobody(text: str, said: str) -> None:
    assert shown(text) == said


def test_a_place_in_a_document_is_said_in_short() -> None:
    assert place_of(("participants", 0, "party")) == "participants.0.party"
    assert len(place_of(("n" * 10_000,))) == SHOWN_LENGTH + 1


def test_a_list_that_is_too_long_is_refused_before_it_is_looked_at() -> None:
    lists: TypeAdapter[list[int]] = TypeAdapter(Annotated[list[int], at_most(3)])
    assert lists.validate_python([1, 2, 3]) == [1, 2, 3]
    with pytest.raises(ValidationError) as refused:
        lists.validate_python(["no number"] * 4)
    (fault,) = refused.value.errors()
    assert fault["type"] == "too_long"
    assert fault["msg"] == "There may be at most 3 entries, not 4."
    with pytest.raises(ValidationError, match="valid list"):
        lists.validate_python("no list")
