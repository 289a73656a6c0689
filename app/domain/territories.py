"""The places people filter by, and the exact way from what they typed to a code.

A **territory** is a state, a former state, another place, or a bloc. The word takes no position on
anybody's status: being in the table means that reports name it, and nothing else. `kind` says
where the row comes from, not what anybody is entitled to: "state" for the members and observers of
the United Nations, Kosovo and Taiwan; "former_state" for what ISO 3166 has withdrawn and people
still look up; "bloc" for organisations of states; "other" for all the rest.

A name matches exactly or not at all. A near miss is only ever suggested.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from itertools import chain, islice
from types import MappingProxyType
from typing import Any, Literal

from app.domain.names import fold, nearest

TerritoryKind = Literal["state", "former_state", "other", "bloc"]

# Shorter texts mean something else once their spaces are gone: "n a" is not Namibia's code.
_SHORTEST_RUN_TOGETHER = 5
# Of the names that stand in a longer text only the first are suggested: near misses may be meant.
_MOST_WITHIN = 3
_SHORTEST_WITHIN = 4
_MOST_WORDS = 12
_SPELLED_OUT = {"rep": "republic", "dem": "democratic", "fed": "federal"}


@dataclass(frozen=True, slots=True)
class Territory:
    """One row of the table. `members` belongs to blocs, `successors` to former states."""

    code: str
    name: str
    kind: TerritoryKind
    alpha2: str | None = None
    alpha3: str | None = None
    numeric: str | None = None
    official_name: str | None = None
    aliases: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that stands for this territory and for no other."""
        return tuple(filter(None, dict.fromkeys((self.code, self.alpha2, self.alpha3))))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is recognised, the usual one first."""
        # A bloc's abbreviation is a name too: people write "the GCC" and "G.C.C.".
        others = self.official_name, self.code if self.kind == "bloc" else None
        return (self.name, *filter(None, others), *self.aliases)


@cache
def territories() -> Mapping[str, Territory]:
    """Return the table by code: the present ones, then parts, former states, and blocs."""
    rows = (_territory(row) for row in _data()["territories"])
    return MappingProxyType({row.code: row for row in rows})


def match(text: str) -> tuple[Territory, ...]:
    """Return whom the text names: nobody, exactly one, or all between whom it is ambiguous."""
    table = territories()
    return tuple(table[code] for code in _codes_named(text))


def suggest(text: str, limit: int = 5) -> tuple[Territory, ...]:
    """Return the territories with a name nearest to the text, best first, for "did you mean"."""
    table = territories()
    key = _spelled_out(fold(text).removeprefix("the "))
    codes = _hinted(key)
    # "Hamas" is no misspelling of the Bahamas.
    if not codes and key and key not in _refused():
        within = islice(_named_within(key), _MOST_WITHIN)
        codes = dict.fromkeys(chain(_dotted(key), within, _near(key, limit)))
    return tuple(table[code] for code in codes)[:limit]


def _hinted(key: str) -> Iterable[str]:
    """Return what a text may mean that is nobody's name, such as a number of ISO 3166."""
    return _hints().get(key) or _numbers().get(key.zfill(3)) or ()


def _dotted(key: str) -> Iterator[str]:
    """Yield whose code the text is with dots in it, as in N.Z."""
    code = _codes().get(key.upper())
    return iter([code] if code else [])


def _named_within(key: str) -> Iterator[str]:
    """Yield whose names stand in the text as words, the longest name first."""
    words = key.split()[:_MOST_WORDS]
    for length in range(len(words), 0, -1):
        for first in range(len(words) - length + 1):
            run = " ".join(words[first : first + length])
            if len(run) >= _SHORTEST_WITHIN:
                yield from _names().get(run, ())


def _near(key: str, limit: int) -> Iterator[str]:
    # Most territories have several names that are near when one is.
    return (code for near in nearest(key, _sorted_names(), limit * 8) for code in _names()[near])


def _spelled_out(key: str) -> str:
    """Return a folded name without the abbreviations that lists of countries use."""
    return " ".join(_SPELLED_OUT.get(word, word) for word in key.split())


@cache
def memberships() -> tuple[tuple[str, str], ...]:
    """Return whom the blocs stand for: pairs of a territory and a bloc, itself among them."""
    blocs = sorted(each.code for each in territories().values() if each.kind == "bloc")
    return tuple((code, bloc) for bloc in blocs for code in expand(bloc))


@cache
def memberships_digest() -> str:
    """Return what tells apart the memberships of one release from those of another."""
    return blake2b(repr(memberships()).encode(), digest_size=8).hexdigest()


def expand(code: str) -> tuple[str, ...]:
    """Return the present members of a bloc and the bloc itself; any other code as it is."""
    territory = territories().get(code)
    return (*territory.members, code) if territory else (code,)


def run_together(key: str) -> str:
    """Return a folded name without its spaces: Viet Nam and Vietnam are one."""
    joined = key.replace(" ", "")
    return joined if len(joined) >= _SHORTEST_RUN_TOGETHER else key


def _codes_named(text: str) -> tuple[str, ...]:
    code = _codes().get(text.strip().upper()) if text.isascii() else None
    if code:
        # A code is checked before anything is folded: "N/A" and "n.a." are not Namibia.
        return (code,)
    key = fold(text)
    bare = key.removeprefix("the ")
    return _codes_by_key(key) or _codes_by_key(bare) or _codes_by_key(_spelled_out(bare))


def _codes_by_key(key: str) -> tuple[str, ...]:
    return _names().get(key) or _joined_names().get(run_together(key), ())


@cache
def _data() -> dict[str, Any]:
    # Read when first asked for, because most commands never look up a territory.
    text = files("app.data").joinpath("territories.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@cache
def _refused() -> frozenset[str]:
    return frozenset(map(fold, _data()["refused"]))


@cache
def _hints() -> Mapping[str, list[str]]:
    return {fold(name): codes for name, codes in _data()["hints"].items()}


@cache
def _numbers() -> Mapping[str, list[str]]:
    return {each.numeric: [each.code] for each in territories().values() if each.numeric}


@cache
def _codes() -> dict[str, str]:
    return {code: each.code for each in territories().values() for code in each.codes}


@cache
def _names() -> dict[str, tuple[str, ...]]:
    return _gather(
        (fold(name), each.code) for each in territories().values() for name in each.names
    )


@cache
def _sorted_names() -> list[str]:
    return sorted(_names())


@cache
def _joined_names() -> dict[str, tuple[str, ...]]:
    return _gather((run_together(key), code) for key, codes in _names().items() for code in codes)


def _gather(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    gathered: dict[str, tuple[str, ...]] = {}
    for key, code in pairs:
        known = gathered.get(key, ())
        if code not in known:
            gathered[key] = (*known, code)
    return gathered


def _territory(row: dict[str, Any]) -> Territory:
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return Territory(**(row | lists))
