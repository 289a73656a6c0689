"""The questions about positions: their parameters, and what the names in them stand for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import TypeAdapter, field_validator

from app.api.filters import DAY_FORMATS, day_of
from app.api.known_at import KnownAtParameters
from app.api.parameters import PICK, SEVERAL, PageModel, fault, parameter
from app.api.resolve import Resolution, parties_named, regimes_named, shown_filter
from app.db.connections import ReadConnection
from app.domain.errors import Fault, RefusedError
from app.domain.evidence import Answer, History
from app.domain.names import fold
from app.domain.positions import Standing
from app.domain.text import Code, PartyId, shown
from app.domain.vocabulary import Certainty, Dimension, State, Verification
from app.queries import names
from app.queries.positions import PositionFilter

Item = TypeVar("Item", Answer, History)

MAX_NAMED = 1_000

Place = tuple[str, str, str, str]
"""The place of a position in a list: actor, subject, dimension, and regime or an empty text."""
PLACE: TypeAdapter[Place] = TypeAdapter(tuple[PartyId, PartyId, Dimension, Code | Literal[""]])


class MinVerification(StrEnum):
    """How well an event must be attested to count."""

    CLAIMED = Verification.CLAIMED.value
    REPORTED = Verification.REPORTED.value
    CONFIRMED = Verification.CONFIRMED.value


def _no_day(text: str) -> str:
    return f"“{shown(text)}” is no day of the calendar: write one such as 2024-12-31."


class _Parameters(KnownAtParameters):
    """What both questions take."""

    words: ClassVar = {
        **KnownAtParameters.words,
        "dimension": Dimension,
        "state": State,
        "certainty": Certainty,
        "min_verification": MinVerification,
    }

    actor: list[str] = parameter(
        [],
        "Whose position",
        "Who lists, recognises, keeps an embassy: exactly this party, by name, code or id. Give "
        f"this or *Towards whom*, or both. {SEVERAL}",
        examples={"Russia": ["Russia"], "Kazakhstan or Kyrgyzstan": ["KZ", "KG"]},
    )
    subject: list[str] = parameter(
        [],
        "Towards whom",
        "Exactly this party, by name, code or id. The Taliban, their government and the state of "
        f"Afghanistan are three parties. {SEVERAL}",
        examples={
            "the Taliban, as an organisation": ["taliban"],
            "the government of the Taliban": ["islamic-emirate-of-afghanistan"],
            "Palestine": ["PS"],
        },
    )
    dimension: list[Dimension] = parameter(
        [],
        "In what",
        "`designation` (on a list or off it, one position for each list), `recognition`, "
        f"`relations`, `mission` (the embassy) or `accreditation` (the ambassador). {PICK}",
    )
    regime: list[str] = parameter(
        [],
        "On which list",
        f"The code of a regime; only designations have one. {SEVERAL}",
        examples={"Russia's terrorist list": ["RU-UFL"], "US terrorist list": ["US-FTO219"]},
    )
    state: list[State] = parameter(
        [],
        "State",
        "Only positions that are in this state, surely or possibly: `certainty` says which. "
        f"{PICK}",
    )
    certainty: list[Certainty] = parameter(
        [],
        "How sure",
        "`definite`, `possible` (the day of a change isn't known exactly, so that there are "
        "several candidates), or `unknown` (no event says anything, which does not mean “no”). "
        f"{PICK}",
    )
    min_verification: MinVerification | None = parameter(
        None,
        "How well attested",
        "Events that are attested less well don't count, and are shown as `unconfirmed` where they "
        "would change the answer: `confirmed` (if nothing is chosen), `reported` or `claimed`. "
        "What is disputed counts no more than what is claimed.",
    )

    def fit(self, standing: Standing) -> bool:
        """Tell whether this is what is looked for."""
        may_be = {standing.state, *standing.candidates}
        return (not self.certainty or standing.certainty in self.certainty) and (
            not self.state or not may_be.isdisjoint(self.state)
        )


class PositionParameters(_Parameters):
    """The parameters of a question about one day."""

    as_of: str | None = parameter(
        None,
        "On which day",
        "A day such as 2024-12-31; today (in UTC) if it is left empty. Days to come are answered "
        "by what is already known of them.",
        examples={"the end of 2024": "2024-12-31"},
    )

    @field_validator("as_of")
    @classmethod
    def _one_day(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
            raise fault(_no_day(value), code="invalid_date")
        return value and day_of(value, first=True, otherwise=_no_day(value))

    @property
    def day(self) -> date:
        """The day that is asked about."""
        return date.fromisoformat(self.as_of) if self.as_of else datetime.now(UTC).date()


class PositionPageParameters(PositionParameters, PageModel):
    """The parameters of `/v1/positions`."""


class HistoryPageParameters(_Parameters, PageModel):
    """The parameters of `/v1/positions/history`."""

    from_: str | None = parameter(
        None,
        "From",
        f"First day: {DAY_FORMATS}. If it is left empty, from the beginning.",
        alias="from",
        examples={"since 2021": "2021", "since a day": "2021-08-15"},
    )
    to: str | None = parameter(
        None,
        "To",
        f"Last day, included: {DAY_FORMATS}. Today (in UTC) if it is left empty.",
        examples={"until the end of 2024": "2024"},
    )

    @field_validator("from_")
    @classmethod
    def _first_day(cls, value: str | None) -> str | None:
        return value and day_of(value, first=True)

    @field_validator("to")
    @classmethod
    def _last_day(cls, value: str | None) -> str | None:
        return value and day_of(value, first=False)

    @property
    def days(self) -> tuple[date | None, date]:
        """The first day, None where it goes back for ever, and the last one.

        Raises:
            RefusedError: the range ends before it begins.

        """
        first = date.fromisoformat(self.from_) if self.from_ else None
        last = date.fromisoformat(self.to) if self.to else datetime.now(UTC).date()
        if first is not None and last < first:
            message = f"The range ends ({last}) before it begins ({first}): exchange the two."
            raise RefusedError(Fault("query", "to", "empty_range", message))
        return first, last


@dataclass(frozen=True, slots=True)
class PositionQuestion:
    """What is asked of the evidence, with every name resolved, and how that is shown."""

    wanted: PositionFilter
    least: Verification
    shown: dict[str, Any]


async def resolve_positions(
    connection: ReadConnection, parameters: _Parameters, **days: date | None
) -> PositionQuestion:
    """Return the question with names resolved, shown together with the days it came to.

    Raises:
        RefusedError: a name is unknown or ambiguous, or the question can't be answered.

    """
    folded = {fold(text) for text in (*parameters.actor, *parameters.subject)}
    found = await names.known(connection, parameters.known(), folded, parameters.regime)
    under_way = Resolution(connection, found)
    understood = {
        "actor": await parties_named(under_way, "actor", parameters.actor),
        "subject": await parties_named(under_way, "subject", parameters.subject),
        "regime": regimes_named(under_way, parameters.regime),
    }
    _check(under_way, parameters)
    wanted = PositionFilter(
        tuple(understood["actor"]),
        tuple(understood["subject"]),
        tuple(dict.fromkeys(parameters.dimension)),
        tuple(understood["regime"]),
    )
    if wanted.count_named > MAX_NAMED:
        message = f"This asks for more than {MAX_NAMED:,} positions by name: name fewer at once."
        under_way.refuse("actor", "too_many", message)
    await under_way.check()
    least = parameters.min_verification or MinVerification.CONFIRMED
    defaults = {"min_verification": least.value}
    defaults |= {name: str(day) for name, day in days.items() if day is not None}
    return PositionQuestion(
        wanted, Verification(least), shown_filter(parameters, understood) | defaults
    )


def _check(under_way: Resolution, parameters: _Parameters) -> None:
    if not parameters.actor and not parameters.subject:
        message = "Say whose position (actor), or towards whom (subject), or both."
        under_way.refuse("subject", "missing", message)
    other = [each for each in parameters.dimension if each is not Dimension.DESIGNATION]
    if parameters.regime and other:
        message = f"Only a designation has a regime: leave it out, or {', '.join(other)}."
        under_way.refuse("regime", "no_regime", message)


def page_of(
    found: Iterable[Item], after: Place | None, limit: int
) -> tuple[list[Item], Place | None]:
    """Return the items of a page, and the place after which the next one begins, if there is one.

    Args:
        found: all items, in their order.
        after: the place after which the page begins; None at the beginning.
        limit: how many items a page has.

    """
    beyond = (item for item in found if after is None or item.key.order > after)
    items = list(islice(beyond, limit))
    more = next(beyond, None) is not None
    return items, items[-1].key.order if more else None
