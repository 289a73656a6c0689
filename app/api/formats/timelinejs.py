"""TimelineJS (Knight Lab): slides whose dates are as precise as they are known.

TimelineJS puts texts into the page as HTML, so every text is escaped.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pydantic import BaseModel, Field

from app.api.formats.asked import Asked
from app.api.formats.words import standing
from app.api.imprint import REGISTER
from app.domain.dates import point_of
from app.domain.dates_in_words import date_in_words
from app.domain.labels import word_lists
from app.domain.territories import territories
from app.domain.vocabulary import Role, family_of

_NO_BOUND = ("..", "")
# Within an attribute of HTML these would end it; in an address they mean the same.
_QUOTED = str.maketrans({'"': "%22", "'": "%27", "<": "%3C", ">": "%3E", "`": "%60"})


class DateOfSlide(BaseModel):
    """A date as far as it is known."""

    year: int
    month: int | None = None
    day: int | None = None


class TextOfSlide(BaseModel):
    """What a slide says, in HTML."""

    headline: str
    text: str


class MediaOfSlide(BaseModel):
    """The first source that has an address; nothing else is shown from other places."""

    url: str
    caption: str
    credit: str | None = None


class TitleSlide(BaseModel):
    """What stands before the first event."""

    text: TextOfSlide


class Slide(BaseModel):
    """An event."""

    unique_id: str = Field(description="The event's id.")
    start_date: DateOfSlide
    end_date: DateOfSlide | None = None
    display_date: str = Field(examples=["December 2023, approximately"])
    group: str = Field(description="The country of who acts, else the family of kinds.")
    text: TextOfSlide
    media: MediaOfSlide | None = None


class Timeline(BaseModel):
    """What TimelineJS reads."""

    title: TitleSlide
    events: list[Slide]


class TimelineJs:
    """Writes a timeline from documents."""

    def __init__(self, asked: Asked) -> None:
        """Keep what the title says."""
        self._asked = asked
        self._between = ""

    def begin(self) -> str:
        """Return what stands before the first slide."""
        text = TextOfSlide(headline=escape(self._asked.title), text=_paragraph(REGISTER))
        return f'{{"title":{TitleSlide(text=text).model_dump_json()},"events":['

    def write(self, items: Sequence[str]) -> str:
        """Return the slides of the next events."""
        slides = [self._slide(json.loads(item)) for item in items]
        between, self._between = self._between, ","
        return between + ",".join(slide.model_dump_json(exclude_none=True) for slide in slides)

    def end(self) -> str:
        """Return what stands behind the last slide."""
        return "]}"

    def _slide(self, event: Mapping[str, Any]) -> Slide:
        link = escape(self._asked.permalink(event["id"]))
        told = filter(str.strip, [standing(event), *event["summary"].split("\n")])
        more = f'<p><a href="{link}">Sources and history</a></p>'
        text = "".join(map(_paragraph, told)) + more
        first, *last = _dates(event["date"])
        return Slide(
            unique_id=event["id"],
            start_date=first,
            end_date=last[0] if last else None,
            display_date=date_in_words(event["date"]),
            group=escape(_group(event)),
            text=TextOfSlide(headline=escape(event["title"]), text=text),
            media=_media(event["sources"]),
        )


def _dates(text: str) -> list[DateOfSlide]:
    """Return when a slide begins and ends; one without a beginning stands where it ends."""
    points = [point_of(end) for end in text.split("/") if end not in _NO_BOUND]
    return [DateOfSlide(year=each.year, month=each.month, day=each.day) for each in points]


def _group(event: Mapping[str, Any]) -> str:
    """Return the row that an event stands in."""
    actor = next(each for each in event["participants"] if each["role"] == Role.ACTOR)
    place = territories().get(actor["country"])
    family = family_of(event["kind"])
    return place.name if place else word_lists()["family"].words.get(family, family)


def _media(sources: Sequence[Mapping[str, Any]]) -> MediaOfSlide | None:
    for source in sources:
        if source["url"]:
            return MediaOfSlide(
                url=source["url"].translate(_QUOTED),
                caption=escape(source["title"] or source["url"]),
                credit=source["publisher"] and escape(source["publisher"]),
            )
    return None


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
