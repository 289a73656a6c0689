"""The filter of events: one set of parameters for every form of the answer."""

import re
from enum import StrEnum
from typing import ClassVar

from pydantic import field_validator

from app.api.instants import instant_of
from app.api.known_at import KnownAtParameters
from app.api.parameters import PICK, SEVERAL, PageModel, fault, parameter
from app.domain.dates import DateFormatError, days_of
from app.domain.errors import Fault, RefusedError
from app.domain.search import parse
from app.domain.text import shown
from app.domain.vocabulary import Direction, KindOrFamily, Status, Verification
from app.queries.events import RANKED
from app.queries.filter import DateField, DateMatch
from app.queries.question import Sort

DAY_FORMATS = "YYYY, YYYY-MM or YYYY-MM-DD, such as 2024, 2024-12 or 2024-12-22"
_LONGEST_SEARCH = 500
_MOST_PHRASES = 50
_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}", re.ASCII)


class Include(StrEnum):
    """What can be added to a page."""

    TOTAL = "total"
    FACETS = "facets"


class FilterParameters(KnownAtParameters):
    """Which events: the same parameters wherever events are asked for."""

    words: ClassVar = {
        **KnownAtParameters.words,
        "kind": KindOrFamily,
        "status": Status,
        "verification": Verification,
        "direction": Direction,
        "date_field": DateField,
        "date_match": DateMatch,
    }

    q: str | None = parameter(
        None,
        "Search",
        "Words that all occur in the title, the summary, the quotations, the places, or the names "
        'of those who take part, in any language the register has for them. `"words in quotes"` '
        "stand in a row; `or` stands between alternatives, `-` before what must not occur. Case "
        "and accents don't matter, endings do: `embassy or embassies`.",
        max_length=_LONGEST_SEARCH,
        examples={
            "all of these words": "Kabul embassy",
            "words in a row": '"terrorist list"',
            "one or the other": "embassy or consulate",
            "one without the other": "Taliban -Kazakhstan",
            "a name in Arabic": "طالبان",
        },
    )

    country: list[str] = parameter(
        [],
        "Country",
        "Somebody from this country takes part, in any role: the state itself, its government, "
        "an organisation at home there. Write a name in any common language or a code. A bloc "
        f"such as the EU stands for its present members and its own organs. {SEVERAL}",
        examples={
            "Kazakhstan": ["Kazakhstan"],
            "Saudi Arabia or the United Arab Emirates": ["SA", "AE"],
            "a name in Russian": ["Казахстан"],
            "the members of the European Union": ["EU"],
        },
    )
    party: list[str] = parameter(
        [],
        "Party",
        f"This party takes part, in any role: a state or anybody else by name or id. {SEVERAL}",
        examples={"the Taliban": ["Taliban"], "Hamas or Hezbollah": ["hamas", "hezbollah"]},
    )
    actor: list[str] = parameter(
        [],
        "Who decides, acts or speaks",
        f"Exactly this party acts. `AF` is the state of Afghanistan, not the Taliban. {SEVERAL}",
        examples={"Russia": ["Russia"], "the UN Security Council": ["UN Security Council"]},
    )
    subject: list[str] = parameter(
        [],
        "Whose standing changes",
        f"Exactly this party is the one whose standing changes. {SEVERAL}",
        examples={"the Taliban": ["taliban"], "Palestine": ["PS"]},
    )
    kind: list[KindOrFamily] = parameter(
        [],
        "What happens",
        "`designation.delist` is somebody taken off a list; a family alone, such as `designation`, "
        f"stands for all its kinds. {PICK}",
    )
    status: list[Status] = parameter(
        [],
        "How far the change has got",
        "`signalled` (an authority states the intent), `proposed` (formally tabled), `adopted` "
        "(decided, not yet operative), `in_effect`; `rejected`, `withdrawn`; `commentary` "
        f"(comments on a change without making one). {PICK}",
    )
    verification: list[Verification] = parameter(
        [],
        "How well it is attested",
        "`claimed` (only an interested party says so), `reported` (independent, unofficial), "
        f"`confirmed` (the deciding authority or its gazette), `disputed`. {PICK}",
    )
    direction: list[Direction] = parameter(
        [], "Direction", f"Whether the change eases or tightens relations. {PICK}"
    )
    regime: list[str] = parameter(
        [],
        "List or legal instrument",
        f"The code of a regime; /v1/regimes lists them. {SEVERAL}",
        examples={"Russia's terrorist list": ["RU-UFL"], "US terrorist list": ["US-FTO219"]},
    )
    measure: list[str] = parameter(
        [],
        "Dossier",
        "The id of a measure, which strings together the events of one procedure; /v1/measures "
        f"lists them. {SEVERAL}",
        examples={"the Duma's bill": ["ru-suspension-law-2024"]},
    )
    date_from: str | None = parameter(
        None,
        "From",
        f"First day: {DAY_FORMATS}. A year or month means its first day.",
        examples={"the year 2024": "2024", "December 2024": "2024-12", "a day": "2024-12-22"},
    )
    date_to: str | None = parameter(
        None,
        "To",
        f"Last day, included: {DAY_FORMATS}. A year or month means its last day.",
        examples={"the year 2024": "2024", "December 2024": "2024-12", "a day": "2024-12-22"},
    )
    date_field: DateField | None = parameter(
        None,
        "Which date",
        "Which date From and To look at: the event's own `date` (if nothing is chosen), or one of "
        "its named dates. An event without that date doesn't match.",
    )
    date_match: DateMatch | None = parameter(
        None,
        "How dates match",
        "`overlaps` (if nothing is chosen): the event may have happened on a day of the range. "
        "`within`: it certainly did, all its possible days lie inside.",
    )
    updated_since: str | None = parameter(
        None,
        "Changed since",
        "Recorded or changed in the register at or after this instant: 2026-11-23T10:00:00Z, or a "
        "day (its beginning in UTC).",
        examples={"since a day": "2026-11-01", "since an instant": "2026-11-23T10:00:00Z"},
    )

    @field_validator("q")
    @classmethod
    def _searchable(cls, value: str | None) -> str | None:
        if value is None:
            return None
        phrases = parse(value).phrases
        if not phrases:
            message = f"“{shown(value)}” holds no word to search for: write letters or digits."
            raise fault(message, code="nothing_to_search")
        if len(phrases) > _MOST_PHRASES:
            message = f"Search for at most {_MOST_PHRASES} words or phrases at once."
            raise fault(message, code="too_many_words")
        return value

    @field_validator("date_from")
    @classmethod
    def _first_day(cls, value: str | None) -> str | None:
        return value and day_of(value, first=True)

    @field_validator("date_to")
    @classmethod
    def _last_day(cls, value: str | None) -> str | None:
        return value and day_of(value, first=False)

    @field_validator("updated_since")
    @classmethod
    def _some_instant(cls, value: str | None) -> str | None:
        return value and instant_of(value).isoformat()


class EventParameters(FilterParameters):
    """The parameters of every form in which events are asked for."""

    words: ClassVar = {**FilterParameters.words, "sort": Sort}

    sort: Sort | None = parameter(
        None,
        "Order",
        "`newest` first (if nothing is chosen), `oldest` first, or `recently_updated` first. With "
        "*Search* also `relevance`: titles count most, then names, then summaries. Where more than "
        f"{RANKED:,} events match, it is about the newest {RANKED:,}, and `ranked_newest` says so.",
    )

    def order(self) -> Sort:
        """Return what to sort by.

        Raises:
            RefusedError: by relevance to nothing.

        """
        if self.sort is Sort.RELEVANCE and self.q is None:
            message = "Relevance is about the words that are searched for: give q as well."
            raise RefusedError(Fault("query", "sort", "needs_q", message))
        return self.sort or Sort.NEWEST


class EventPageParameters(EventParameters, PageModel):
    """The parameters of `/v1/events`."""

    words: ClassVar = {**EventParameters.words, "include": Include}

    include: list[Include] = parameter(
        [],
        "Also show",
        "`total`: how many events match in all. `facets`: how many of them have which value, see "
        f"/v1/facets. Either costs a count. {PICK}",
    )


def day_of(text: str, *, first: bool, otherwise: str | None = None) -> str:
    """Return the first or the last day of the day, month or year that a text names.

    Raises a fault that a validator may pass on where it names none, in words that may be given.
    """
    message = otherwise or (
        f"“{shown(text)}” is no day of the calendar: write {DAY_FORMATS}; years run from 1000 to "
        "2999."
    )
    if not _DAY.fullmatch(text):
        raise fault(message, code="invalid_date")
    try:
        days = days_of(text)
    except DateFormatError as error:
        raise fault(message, code="invalid_date") from error
    return str(days.first if first else days.last)
