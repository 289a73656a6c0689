"""Texts as words, and questions about words as people type them."""

import pytest

from app.domain.event import EventFacts
from app.domain.search import event_words, name_words, parse, territories_called, words_of
from tests.support.factories import facts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The U.S.A. lists al-Qaeda", ["the", "usa", "lists", "al", "qaeda"]),
        ("São Tomé", ["sao", "tome"]),
        ("طالبان‌ها", ["طالبان", "ها"]),
        ("Талибан, «Хамас»", ["талибан", "хамас"]),
        ("塔利班 2024 대표부", ["塔", "利", "班", "2024", "대", "표", "부"]),
        ("... — !?", []),
        ("x" * 600, ["x" * 500]),
    ],
)
def test_a_text_is_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("Kabul embassy", "('kabul') & ('embassy')"),
        ('"terrorist list"', "('terrorist' <-> 'list')"),
        ("“terrorist list”", "('terrorist' <-> 'list')"),
        ('"not closed', "('not' <-> 'closed')"),
        ('a"b c"d', "('a') & ('b' <-> 'c') & ('d')"),
        ("a or b c OR d", "('a') | ('b') & ('c') | ('d')"),
        ("-a --b", "!('a') & ('b')"),
        ("a - b -", "('a') & ('b')"),
        ('-"a b"', "!('a' <-> 'b')"),
        ("al-Qaeda", "('al' <-> 'qaeda')"),
        ("or a or", "('or') & ('a') & ('or')"),
        ('a "or" -or', "('a') & ('or') & !('or')"),
        ("a or ... or or b", "('a') | ('or') & ('b')"),
        ("a & b | !c:*", "('a') & ('and') & ('b') & ('c')"),
        ("'); --", ""),
        ('""', ""),
        ("", ""),
    ],
)
def test_what_is_typed_is_understood(typed: str, understood: str) -> None:
    query = parse(typed)
    assert query.tsquery(dict.fromkeys(query.phrases, ())) == understood


def test_a_name_stands_for_its_parties_beside_its_words() -> None:
    query = parse("Taliban -taliban")
    assert query.phrases == (("taliban",),)
    either = "('taliban' | '=a-party' | '=taliban')"
    assert query.tsquery({("taliban",): {"taliban", "a-party"}}) == f"{either} & !{either}"


def test_an_event_is_its_own_words_and_who_takes_part() -> None:
    stated = EventFacts.model_validate(facts(title="A list", summary="A movement"))
    assert event_words(stated) == (
        "'a':2A,10C,16D 'list':3A 'movement':11C 'it':13D 'happened':14D 'page':17D "
        "'=KZ':20B '=AF':22B"
    )


def test_names_are_told_apart() -> None:
    assert name_words(["Taliban Movement", "Талибан"]) == (
        "'taliban':2D 'movement':3D 'талибан':5D"
    )


@pytest.mark.parametrize(
    ("phrase", "some"),
    [(("казахстан",), {"KZ"}), (("united", "states"), {"US"}), (("states", "united"), set())],
)
def test_territories_are_called_in_many_languages(phrase: tuple[str, ...], some: set[str]) -> None:
    assert territories_called(phrase) >= some
    assert len(territories_called(phrase)) < 10
