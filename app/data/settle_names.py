"""Giving every name in the territory table to whom it belongs, or stopping where that is open.

A part of the builder, see build_territories.py: a name leads to one territory, to the several
between whom it is ambiguous on purpose, or to nobody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.domain.names import fold
from app.domain.territories import run_together

_SHORTEST_NAME = 2
_FIRST_EAST_ASIAN = "\u3000"

Row = dict[str, Any]


class ConflictError(Exception):
    """The overlay contradicts itself or CLDR: each message says what to decide."""


@dataclass
class Draft:
    """A territory while its names are being sorted out.

    Names of the overlay are claimed: they win over those that CLDR and ISO merely offer.
    """

    row: Row
    claimed: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """Return the code that the row is filed under."""
        return str(self.row["code"])

    @property
    def codes(self) -> list[str]:
        """Return every code that belongs to this territory alone."""
        keys = ("code", "alpha2", "alpha3")
        return [self.row[key] for key in keys if self.row.get(key)]


def settle_names(drafts: list[Draft], overlay: Row) -> None:
    """Give every name to whom it belongs, and stop where that isn't decided."""
    settled = _Settlement(drafts, overlay)
    conflicts = [*settled.conflicts()]
    if conflicts:
        raise ConflictError("\n".join(sorted(conflicts)))
    for draft in drafts:
        draft.row["aliases"] = settled.aliases(draft)


class _Settlement:
    """Who may have which name, by the key under which it is looked up."""

    def __init__(self, drafts: list[Draft], overlay: Row) -> None:
        """Look up all that is held, claimed, offered, shared and refused."""
        self.drafts = drafts
        self.refused = {key_of(name) for name in overlay["refused"]}
        self.holders = {code.lower(): each.code for each in drafts for code in each.codes}
        self.shared = {
            key_of(name): (group["codes"], name)
            for group in overlay["ambiguous"]
            for name in group["names"]
        }
        self.claims = _by_key((each.code, _own_names(each)) for each in drafts)
        self.offers = _by_key((each.code, each.offered) for each in drafts)

    def conflicts(self) -> Iterator[str]:
        """Say what the overlay has to decide."""
        for key, owners in self.claims.items():
            if key in self.refused or self._is_code_of_another(key, owners):
                yield f"{key!r} is claimed by {owners}, but is refused or somebody's code."
            elif key in self.shared or len(owners) > 1:
                yield f"{key!r} is claimed by {owners}: list it as ambiguous, or take it away."
        for key, owners in self.offers.items():
            taken = key in self.shared or key in self.claims or key in self.refused
            if len(owners) > 1 and not taken and key not in self.holders:
                yield f"{key!r} is offered to {owners}: claim it for one, or list it."
        yield from self._wrongly_shared()

    def aliases(self, draft: Draft) -> list[str]:
        """Return the names that lead to this territory, each spelling once, beside its own."""
        own = draft.row["name"], draft.row.get("official_name")
        names = [*draft.claimed, *draft.offered, *self._shared_by(draft.code)]
        found = {key_of(name): name for name in own if name}
        kept = []
        for name in names:
            key = key_of(name)
            if key not in found and self._belongs(key, draft.code):
                found[key] = name
                kept.append(name)
        return kept

    def _belongs(self, key: str, code: str) -> bool:
        if key in self.shared:
            return code in self.shared[key][0]
        if key in self.refused or not _is_name(key):
            return False
        return self.holders.get(key, code) == code and self.claims.get(key, {code}) == {code}

    def _shared_by(self, code: str) -> Iterator[str]:
        return (name for codes, name in self.shared.values() if code in codes)

    def _is_code_of_another(self, key: str, owners: set[str]) -> bool:
        return any(self.holders.get(key, owner) != owner for owner in owners)

    def _wrongly_shared(self) -> Iterator[str]:
        for key, (codes, name) in self.shared.items():
            if key in self.refused or key in self.holders:
                yield f"{name!r} is ambiguous, but refused or somebody's code as well."
            if others := self.offers.get(key, set()) - set(codes):
                yield f"{name!r} is ambiguous between {codes}, but CLDR gives it to {others}."


def _own_names(draft: Draft) -> list[str]:
    own = draft.row["name"], draft.row.get("official_name")
    return [*filter(None, own), *draft.claimed]


def key_of(name: str) -> str:
    """Return what two spellings of one name have in common."""
    return run_together(fold(name))


def _is_name(key: str) -> bool:
    # A single letter of an alphabet is no name; a single East Asian character may be.
    return len(key) >= _SHORTEST_NAME or key >= _FIRST_EAST_ASIAN


def _by_key(named: Iterable[tuple[str, list[str]]]) -> dict[str, set[str]]:
    owners: dict[str, set[str]] = {}
    for code, names in named:
        for name in names:
            owners.setdefault(key_of(name), set()).add(code)
    return owners
