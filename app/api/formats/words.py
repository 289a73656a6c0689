"""What feeds, calendars and timelines say of an event, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.dates_in_words import date_in_words
from app.domain.labels import word_lists


def standing(event: Mapping[str, Any]) -> str:
    """Return what happened, how far it has got, and how well it is attested."""
    return " · ".join(_word(name, event[name]) for name in ("kind", "status", "verification"))


def _word(of: str, code: str) -> str:
    # A document may hold a word that a later release has added.
    return word_lists()[of].words.get(code, code)


def paragraphs(event: Mapping[str, Any]) -> Iterator[str]:
    """Return what there is to read of an event: when, how certain, what, and on whose word."""
    yield date_in_words(event["date"])
    yield standing(event)
    if event["summary"]:
        yield event["summary"]
    for source in event["sources"]:
        yield "Source: " + source_in_words(source)


def source_in_words(source: Mapping[str, Any]) -> str:
    """Return a source's publisher, title, date, words and address, as far as it has them."""
    published = source["published"] and date_in_words(source["published"])
    named = ", ".join(filter(None, (source["publisher"], source["title"], published)))
    quoted = source["quote"] and f"“{source['quote']}”"
    return " ".join(filter(None, (named, quoted, source["url"])))
