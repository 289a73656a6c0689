"""The closed vocabularies in words that a reader understands."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class WordList:
    """One closed list: its title, and each word with what it says."""

    title: str
    words: Mapping[str, str]


@cache
def word_lists() -> Mapping[str, WordList]:
    """Return the lists by their codes: kind, family, status and so on."""
    text = (files("app") / "data" / "vocabulary.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text).items()
    return MappingProxyType({code: WordList(e["title"], e["words"]) for code, e in entries})
