"""What a correction has changed, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.domain.dates_in_words import date_in_words
from app.domain.labels import word_lists
from app.web.words import said

_WORDS = ("kind", "status", "verification")
_TEXTS = {"title": "Title", "place": "Place", "regime": "List", "measure": "Dossier"}
_LISTS = {
    "participants": "Those who take part",
    "relations": "Relations to other events",
    "sources": "Sources",
}

Facts = Mapping[str, Any]


class Change(NamedTuple):
    """What was changed: what stood there before and what stands there since, where it is short."""

    what: str
    before: str = ""
    since: str = ""


def changes_in_words(before: Facts, since: Facts) -> list[Change]:
    """Return what is different between two states of an event."""
    found = [*_words(before, since), *_dates(before, since), *_lists(before, since)]
    if before.get("summary") != since.get("summary"):
        found.append(Change("The summary was rewritten"))
    return found


def _words(before: Facts, since: Facts) -> Iterator[Change]:
    for name, title in _TEXTS.items():
        if before.get(name) != since.get(name):
            yield Change(title, before.get(name) or "", since.get(name) or "")
    for name in _WORDS:
        if before.get(name) != since.get(name):
            title = word_lists()[name].title
            yield Change(title, said(before[name], name), said(since[name], name))


def _dates(before: Facts, since: Facts) -> Iterator[Change]:
    for name, title in word_lists()["date"].words.items():
        was, is_now = before["dates"].get(name), since["dates"].get(name)
        if was != is_now:
            yield Change(title, *(date_in_words(text) if text else "" for text in (was, is_now)))


def _lists(before: Facts, since: Facts) -> Iterator[Change]:
    for name, title in _LISTS.items():
        was, is_now = before.get(name) or [], since.get(name) or []
        told = [*_counted(was, is_now, "taken out"), *_counted(is_now, was, "added")]
        if was != is_now:
            yield Change(f"{title}: {', '.join(told) or 'put into another order'}")


def _counted(one: Sequence[Any], other: Sequence[Any], verb: str) -> Iterator[str]:
    count = sum(entry not in other for entry in one)
    if count:
        yield f"{count} {verb}"
