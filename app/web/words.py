"""Codes, dates and instants as readers understand them: the filters of the templates."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from app.domain.dates_in_words import date_in_words, day_in_words
from app.domain.labels import word_lists
from app.domain.territories import territories

# What HTML's `time` element can say (a day, a month or a year), and nothing less certain.
_PLAIN_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}", re.ASCII)

ACTIONS: Mapping[str, str] = {
    "record": "Recorded",
    "correct": "Corrected",
    "retract": "Retracted",
    "restore": "Put back",
    "merge": "Merged into another event",
}
"""What can be done to an event, as its history says it."""


RELATION_TURNED_ROUND: Mapping[str, str] = {
    "advances": "Is followed by its next step",
    "enables": "Was made possible by",
    "implements": "Is carried out by",
    "announces": "Is announced by",
    "responds_to": "Was responded to by",
    "reverses": "Was reversed by",
    "corrects": "What was said of it is corrected by",
    "cites": "Is referred to by",
    "part_of": "Has as its part",
    "same_as": "Is the same occurrence as",
}
"""How an event that another one bears on says so itself."""


def said(code: str, of: str) -> str:
    """Return a code of a closed list in words, itself where the list hasn't got it."""
    listed = word_lists().get(of)
    return listed.words.get(code, code) if listed else code


def turned_round(relation: str) -> str:
    """Return how another event bears on this one, in words."""
    return RELATION_TURNED_ROUND.get(relation, relation)


def words(of: str) -> Mapping[str, str]:
    """Return a closed list: its codes with what they say."""
    return word_lists()[of].words


def merged(first: Mapping[str, str], then: Mapping[str, str]) -> Mapping[str, str]:
    """Return two lists of choices as one."""
    return {**first, **then}


def machine_date(text: str) -> str | None:
    """Return a date of the register for programs that read pages, or None where it is unsure."""
    return text if _PLAIN_DATE.fullmatch(text) else None


def moment(text: str) -> str:
    """Return an instant in words: `24 November 2026, 10:00:00 UTC`."""
    instant = datetime.fromisoformat(text)
    return f"{instant.day} {instant:%B %Y, %H:%M:%S} UTC"


def web_address(text: str | None) -> str | None:
    """Return an address that may be a link, None for whatever isn't a page on the web."""
    return text if text and urlsplit(text).scheme in ("http", "https") else None


def host(address: str) -> str:
    """Return the host of an address, for a source that has no better name."""
    return urlsplit(address).hostname or address


def place(code: str) -> str:
    """Return a territory's name."""
    territory = territories().get(code)
    return territory.name if territory else code


FILTERS: Mapping[str, Callable[..., Any]] = {
    "in_words": date_in_words,
    "day_in_words": day_in_words,
    "said": said,
    "turned_round": turned_round,
    "words": words,
    "merged": merged,
    "machine_date": machine_date,
    "moment": moment,
    "web_address": web_address,
    "host": host,
    "place": place,
}
