from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.names import closest, fold, nearest, resembling

SAME = [
    ("Côte d’Ivoire", "Cote d'Ivoire", "COTE D'IVOIRE", "cote d ivoire", "Côte-d'Ivoire"),
    ("U.S.A.", "USA", "usa"),
    ("Saint-Martin", "saint martin", "Saint  Martin\t"),
    ("Bosnia & Herzegovina", "Bosnia and Herzegovina"),
    ("Congo (Kinshasa)", "Congo - Kinshasa", "Congo–Kinshasa", "congo kinshasa"),
    ("Україна", "УКРАЇНА"),
    ("Йемен", "йемен", "Йемен"),
    ("Объединённые Эмираты", "Объединенные Эмираты"),
    ("İSTANBUL", "istanbul", "ıstanbul", "ISTANBUL", "İstanbul"),
    ("Łotwa", "Lotwa"),
    ("Azərbaycan", "Azerbaycan"),
    ("Weißrussland", "WEISSRUSSLAND"),
    ("Qozogʻiston", "Qozog'iston", "Qozog’iston"),
    ("الكويت", "الكويـت", "الكُوَيْت", "الکویت"),
    ("كرۀ جنوبي", "کره جنوبی", "کرهٔ جنوبی"),
    ("أفغانستان", "افغانستان"),
    ("ארה״ב", 'ארה"ב', "ארהב"),
    ("יִשְׂרָאֵל", "ישראל"),
    ("刚果（金）", "刚果(金)", "刚果金"),
    ("콩고 민주 공화국", "콩고민주공화국"),
    ("ＫＡＺ", "kaz"),
    ("Ελλάς", "ΕΛΛΑΣ"),
    ("\u200fמצרים\u200e", "מצרים"),
]
DIFFERENT = [
    ("N/A", "NA"),
    ("Congo", "Republic of the Congo"),
    ("the Gambia", "Gambia"),
    ("й", "и"),
    ("カ", "ガ"),
    ("माली", "मल"),
    ("Niger", "Nigeria"),
    ("Saint Lucia", "St. Lucia"),
]


@pytest.mark.parametrize("names", SAME, ids=lambda names: names[0])
def test_ways_to_write_a_name_have_one_key(names: tuple[str, ...]) -> None:
    assert [fold(one) for one, _ in combinations(names, 2)] == [
        fold(other) for _, other in combinations(names, 2)
    ]


@pytest.mark.parametrize("names", DIFFERENT, ids=lambda names: names[0])
def test_different_names_have_different_keys(names: tuple[str, str]) -> None:
    assert fold(names[0]) != fold(names[1])


@pytest.mark.parametrize("text", ["", " ", "…", "-", "'", "\u200b", "\u064b", "🇰🇿"])
def test_what_holds_no_letter_has_an_empty_key(text: str) -> None:
    assert fold(text) == ""


@given(st.text())
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_key_is_trimmed_and_single_spaced(text: str) -> None:
    assert fold(text) == " ".join(fold(text).split())


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_the_short_way_for_ascii_gives_the_same_key(text: str) -> None:
    assert fold(text) == fold(text + "\u0301")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Lybia", "Libya"),
        ("Kazakstan", "Kazakhstan"),
        ("Untied States", "United States"),
        ("Isreal", "Israel"),
        ("kazakh", "Kazakhstan"),
        ("COTE DIVOIRE", "Côte d’Ivoire"),
    ],
)
def test_closest_finds_the_name_that_was_meant(text: str, found: str) -> None:
    names = ["Kazakhstan", "Libya", "Lebanon", "United States", "Israel", "Côte d’Ivoire", "Chad"]
    assert closest(text, names)[:1] == [found]


def test_closest_gives_the_best_first_and_no_more_than_asked() -> None:
    assert closest("Nigeri", ["Algeria", "Niger", "Nigeria", "Liberia"], 2) == ["Nigeria", "Niger"]


@pytest.mark.parametrize("text", ["", "...", "xx", "qqqqqq", "x" * 10_000])
def test_closest_guesses_nothing_where_nothing_is_near(text: str) -> None:
    assert closest(text, ["Kazakhstan", "Libya", "Chad"]) == []


def typos(one: str, other: str) -> int:
    """Count the letters to change, add, drop or swap with their neighbour, as it is defined."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, counterpart in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != counterpart))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == counterpart:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


@given(st.text("abc", max_size=8), st.sets(st.text("abc", max_size=8)))
def test_nearest_finds_all_that_begin_so_or_differ_by_few_letters(
    key: str, names: set[str]
) -> None:
    allowed = 0 if len(key) < 3 else 1 + len(key) // 5
    expected = {
        name
        for name in names
        if typos(key, name) <= allowed or (len(key) >= 4 and name.startswith(key))
    }
    assert set(nearest(key, sorted(names), 1_000)) == expected


@pytest.mark.parametrize(
    ("key", "found"), [("ufl", ["ru-ufl"]), ("ru-ufl", ["ru-ufl"]), ("zzz", []), ("", [])]
)
def test_resembling_finds_a_word_by_a_part_of_it(key: str, found: list[str]) -> None:
    assert resembling(key, ["eu-comm", "ru-ufl", "us-sdgt"]) == found
