# ruff: noqa: RUF001, RUF003 -- Letters that look alike are what this is about.
"""Folding names into keys for exact matching, and finding near misses to suggest.

Two names are the same when their keys are equal. Folding only takes away what people leave out or
mistype when they write a name they know: case, accents, punctuation, vowel points, letters that
keyboards of neighbouring languages exchange. It never drops a word: `the`, `republic of` and the
like are part of a name, because what is left without them may be somebody else's.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from itertools import takewhile

from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel

# Letters that have no decomposition in Unicode, but that people write with their base letter.
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ə": "e",
    "ŋ": "n", "ħ": "h",
    # Letters that Arabic, Persian, Urdu and Pashto keyboards write with different characters.
    "ی": "ي", "ى": "ي", "ې": "ي", "ۍ": "ي", "ک": "ك", "ګ": "گ", "ة": "ه", "ہ": "ه", "ھ": "ه",
    "ە": "ه", "ٱ": "ا",
}  # fmt: skip
# Signs that are spoken: OPEC+ is another group than OPEC.
_SPOKEN = {"&": " and ", "+": " plus "}
# Dots and double quotes stand inside abbreviations (U.S.A., the gershayim of Hebrew), so that what
# is on both sides of them belongs together. Apostrophes and hyphens stand between words.
_JOINING = frozenset('."״“”„″׳\u0640\u00ad\u200d\ufeff')
_APOSTROPHES = frozenset("ʹʻʼʽʾʿˈꞌ")
# Marks of the scripts that are commonly written without them. Elsewhere, as in Devanagari or Thai,
# a mark is a vowel, and the voicing marks of kana tell words apart.
_OPTIONAL_MARKS = (
    (0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F),
    (0x0670, 0x0670), (0x06D6, 0x06ED), (0x08D3, 0x08FF), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F),
)  # fmt: skip
_LAST_CACHED = 0x2FFF
# The breve of й is part of the letter: without it, words that differ become one.
_SHORT_I = re.compile("и\u0306")
_SHORT_I_KEPT = "\ue000"
# Chinese, Japanese and Korean are written without spaces between words, or with them at will.
EAST_ASIAN = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_EAST_ASIAN_GAP = re.compile(f"(?<=[{EAST_ASIAN}]) (?=[{EAST_ASIAN}])")
_LONGEST_GUESS = 80
_SHORTEST_GUESS = 3
_SHORTEST_BEGINNING = 4
# Of all letters of two words, the part that they share; what difflib takes for close as well.
_LEAST_SIMILARITY = 0.6


class _Folding(dict[int, str]):
    """What becomes of each character, worked out when it is first met."""

    def __missing__(self, codepoint: int) -> str:
        folded = _fold_character(chr(codepoint))
        if codepoint <= _LAST_CACHED:
            # Hostile input cannot fill the memory with characters that nobody writes names in.
            self[codepoint] = folded
        return folded


def _fold_character(character: str) -> str:
    if character in _LETTERS:
        return _LETTERS[character]
    if character in _SPOKEN:
        return _SPOKEN[character]
    if character in _JOINING or _is_optional_mark(ord(character)):
        return ""
    if character == _SHORT_I_KEPT or unicodedata.category(character)[0] in "LMN":
        # The modifier letters are apostrophes to those who type them, as in Qozogʻiston.
        return " " if character in _APOSTROPHES else character
    return " "


def _is_optional_mark(codepoint: int) -> bool:
    return any(first <= codepoint <= last for first, last in _OPTIONAL_MARKS)


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Return the key under which a name is matched: two names are the same when theirs is.

    Case, accents, punctuation, vowel points and the width of spaces make no difference.
    """
    if text.isascii():
        return " ".join(text.lower().translate(_FOLDING).split())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = _SHORT_I.sub(_SHORT_I_KEPT, plain.replace(_SHORT_I_KEPT, " "))
    folded = " ".join(kept.translate(_FOLDING).split()).replace(_SHORT_I_KEPT, "й")
    return _EAST_ASIAN_GAP.sub("", unicodedata.normalize("NFC", folded))


def closest(text: str, candidates: Iterable[str], limit: int = 5) -> list[str]:
    """Return the candidates most like the text, best first, for "did you mean": never a match."""
    keys = {each: fold(each) for each in candidates}
    near = nearest(fold(text), sorted(set(keys.values())), limit)
    rank = {key: place for place, key in enumerate(near)}
    found = sorted(each for each in keys if keys[each] in rank)
    return sorted(found, key=lambda each: rank[keys[each]])[:limit]


def nearest(key: str, names: Sequence[str], limit: int = 5) -> list[str]:
    """Do the work of `closest` on different folded names in alphabetical order."""
    key = key[:_LONGEST_GUESS]
    allowed = _typos_allowed(len(key))
    # Letters changed, added, dropped or swapped with their neighbour (restricted Damerau).
    found = process.extract(key, names, scorer=OSA.distance, score_cutoff=allowed, limit=None)
    unlikeness = {name: typos / (allowed + 1) for name, typos, _ in found}
    if len(key) >= _SHORTEST_BEGINNING:
        longer = takewhile(lambda name: name.startswith(key), names[bisect_left(names, key) :])
        unlikeness |= {name: (1 - len(key) / len(name)) / 2 for name in longer}
    return nsmallest(limit, unlikeness, key=lambda name: (unlikeness[name], name))


def resembling(key: str, names: Sequence[str], limit: int = 5) -> list[str]:
    """Return the names that share most of their letters with the key in the same order.

    This is for words of which somebody remembers a part, such as `ufl` for `ru-ufl`.
    """
    scorer, least = Indel.normalized_similarity, _LEAST_SIMILARITY
    key = key[:_LONGEST_GUESS]
    found = process.extract(key, names, scorer=scorer, score_cutoff=least, limit=limit)
    return [name for name, _, _ in found]


def _typos_allowed(length: int) -> int:
    # A guess at a text of two letters would be any other two letters.
    return 0 if length < _SHORTEST_GUESS else min(1 + length // 5, 4)
