"""What the picture of the timeline is drawn from: events in lanes, and positions as bars."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any

from app.domain.dates_in_words import date_in_words
from app.domain.evidence import History
from app.domain.vocabulary import Certainty, Role
from app.web.words import place, said

Item = dict[str, Any]

_UNSURE = frozenset("~?%")
_A_DAY = timedelta(days=1)
_MARGIN = timedelta(days=30)
# How much of the whole picture a bar takes that has no beginning or no end.
_OPEN_PART = 12
_MOST_SPANS = 200


def picture(
    events: Sequence[Mapping[str, Any]], histories: Iterable[History], query: str
) -> Mapping[str, Any] | None:
    """Return the lanes and what stands in them, None where there is nothing to draw.

    Args:
        events: the documents of the events.
        histories: positions of those who act in them, to be drawn in the same lanes.
        query: what the addresses of the events end with.

    """
    days = [
        date.fromisoformat(e[name]) for e in events for name in ("earliest", "latest") if e[name]
    ]
    if not days:
        return None
    first, last = min(days) - _MARGIN, max(days) + _MARGIN
    drawn = [item for event in events for item in _event(event, (last - first) / _OPEN_PART, query)]
    lanes = {each["party"]: _lane(each) for event in events for each in _acting(event)}
    spans = (
        {"lane": lanes[history.key.actor][0], **item}
        for history in histories
        for item in _spans(history, first, last)
    )
    return {
        "first": str(first),
        "last": str(last),
        "lanes": sorted(set(lanes.values()), key=lambda lane: lane[1]),
        "events": drawn,
        "spans": list(islice(spans, _MOST_SPANS)),
    }


def actors_in(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of those who act in these events."""
    return {each["party"] for event in events for each in _acting(event)}


def _event(event: Mapping[str, Any], open_days: timedelta, query: str) -> Iterator[Item]:
    """Yield an event once for each lane: those of the countries of who acts."""
    begin, end = (event[n] and date.fromisoformat(event[n]) for n in ("earliest", "latest"))
    for lane in dict.fromkeys(_lane(each)[0] for each in _acting(event)):
        yield {
            "lane": lane,
            "title": event["title"],
            "when": date_in_words(event["date"]),
            "what": said(event["kind"], "kind"),
            "direction": event["direction"],
            "means": said(event["direction"], "direction"),
            "sure": bool(begin and end) and _UNSURE.isdisjoint(event["date"]),
            "begin": str(begin or end - open_days),
            "end": str((end or begin + open_days) + _A_DAY),
            "address": f"/events/{event['id']}{query}",
        }


def _acting(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in event["participants"] if each["role"] == Role.ACTOR]


def _lane(participant: Mapping[str, Any]) -> tuple[str, str]:
    """Return the lane that somebody stands in: its key and what it is called."""
    country = participant["country"]
    return (country, place(country)) if country else (participant["party"], participant["name"])


def _spans(history: History, first: date, last: date) -> Iterator[Item]:
    """Yield the spans of a position, as far as they lie within the picture."""
    for span in history.spans:
        standing = span.standing
        begin, end = max(span.first or first, first), min(span.last, last)
        if standing.certainty is not Certainty.UNKNOWN and begin <= end:
            states = [standing.state] if standing.state else standing.candidates
            yield {
                "state": standing.state or "several",
                "says": " or ".join(said(state, "state") for state in states),
                "of": said(history.key.dimension, "dimension"),
                "sure": standing.certainty is Certainty.DEFINITE,
                "begin": str(begin),
                "end": str(end + _A_DAY),
            }
