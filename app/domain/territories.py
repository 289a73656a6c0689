"""The places people filter by, and the exact way from what they typed to a code.

A **territory** is a state, a former state, another place, or a bloc. The word takes no position on
anybody's status: being in the table means that reports name it, and nothing else. `kind` says
where the row comes from, not what anybody is entitled to: "state" for the members and observers of
the United Nations, Kosovo and Taiwan; "former_state" for what ISO 3166 has withdrawn and people
still look up; "bloc" for organisations of states; "other" for all the rest.

A name matches exactly or not at all. A near miss is only ever suggested.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from app.domain.names import fold, nearest

TerritoryKind = Literal["state", "former_state", "other", "bloc"]

# Shorter texts mean something else once their spaces are gone: "n a" is not Namibia's code.
_SHORTEST_RUN_TOGETHER = 5


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
    table, names = territories(), _names()
    key = fold(text)
    if not key or key.removeprefix("the ") in _refused():
        # "Hamas" is no misspelling of the Bahamas.
        return ()
    # Most territories have several names that are near when one is.
    keys = nearest(key, names, limit * 8)
    codes = dict.fromkeys(code for near in keys for code in names[near])
    return tuple(table[code] for code in codes)[:limit]


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
    return _codes_by_key(key) or _codes_by_key(key.removeprefix("the "))


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
def _codes() -> dict[str, str]:
    return {code: each.code for each in territories().values() for code in each.codes}


@cache
def _names() -> dict[str, tuple[str, ...]]:
    return _gather(
        (fold(name), each.code) for each in territories().values() for name in each.names
    )


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
