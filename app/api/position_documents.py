"""What is sent of positions: the documents, and the JSON text of each."""

import json
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from app.domain.evidence import Answer, History, Key
from app.domain.positions import Standing

_IDS = "The ids of events; each can be fetched at /v1/events/{id}."


class PositionKeyDocument(BaseModel):
    """Whose position towards whom, in what."""

    actor: str = Field(examples=["KZ"])
    subject: str = Field(examples=["taliban"])
    dimension: str = Field(examples=["designation"])
    regime: str | None = Field(description="Only designations have one.", examples=["KZ-NLTO"])


class StandingDocument(BaseModel):
    """What holds."""

    state: str | None = Field(description="Null unless it is definite.", examples=["delisted"])
    candidates: list[str] = Field(
        description="Where it is only possible: what it may be, the earlier state first."
    )
    certainty: str = Field(
        description="`definite`, `possible`, or `unknown`, which never means “no”.",
        examples=["definite"],
    )
    basis: list[str] = Field(
        description=f"The last event that has applied, and those that may have. {_IDS}",
        examples=[["kz-taliban-delisting-2023"]],
    )


class PositionDocument(PositionKeyDocument, StandingDocument):
    """Where somebody stood on a day, and what was under way."""

    since: str | None = Field(
        description="The date, as written, of the event with which a definite state began that has "
        "held unbroken since; null where it came back by itself when another one ended.",
        examples=["2023-12~"],
    )
    pending: list[str] = Field(
        description="The latest step of each measure about this that is not finished: signalled, "
        f"proposed or adopted. {_IDS}"
    )
    upcoming: list[str] = Field(
        description=f"Changes made known by that day that take effect after it. {_IDS}"
    )
    unconfirmed: list[str] = Field(
        description="Later events that are too weakly attested to count, and would change the "
        f"answer. {_IDS}"
    )


EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "actor": "RU",
            "subject": "taliban",
            "dimension": "designation",
            "regime": "RU-UFL",
            "state": "listed",
            "candidates": [],
            "certainty": "definite",
            "basis": ["ru-taliban-listing-2003"],
            "since": "2003-03",
            "pending": ["ru-shoigu-intends-delist-2024"],
            "upcoming": [],
            "unconfirmed": [],
        }
    ],
    "next": None,
    "filter": {
        "subject": ["taliban"],
        "state": ["listed"],
        "min_verification": "confirmed",
        "as_of": "2024-12-31",
    },
}
"""Who still listed the Taliban at the end of 2024, answered from the shipped timeline."""


class PositionPageDocument(BaseModel):
    """One page of positions."""

    items: list[PositionDocument]
    next: str | None = Field(description="The address of the next page, null on the last.")
    filter: dict[str, Any] = Field(
        description="The question as it was understood, with the day it came to.",
        examples=[{"subject": ["taliban"], "min_verification": "confirmed", "as_of": "2024-12-31"}],
    )


class SpanDocument(StandingDocument):
    """Days on which a position rested on the same events."""

    from_: date | None = Field(
        alias="from", description="The first day, null where it goes back for ever."
    )
    to: date = Field(description="The last day, included.")


class PositionHistoryDocument(PositionKeyDocument):
    """A position over time."""

    spans: list[SpanDocument] = Field(description="One after the other, without gaps.")


class PositionHistoryPageDocument(BaseModel):
    """One page of positions over time."""

    items: list[PositionHistoryDocument]
    next: str | None = Field(description="The address of the next page, null on the last.")
    filter: dict[str, Any] = Field(
        description="The question as it was understood, with the days it came to.",
        examples=[{"subject": ["taliban"], "min_verification": "confirmed", "to": "2024-12-31"}],
    )


def answer_document(answer: Answer) -> dict[str, Any]:
    """Return the members of PositionDocument."""
    return {
        **_key(answer.key),
        **_standing(answer.standing),
        "since": answer.since,
        "pending": answer.pending,
        "upcoming": answer.upcoming,
        "unconfirmed": answer.unconfirmed,
    }


def history_document(history: History) -> dict[str, Any]:
    """Return the members of PositionHistoryDocument."""
    spans = [
        {**_standing(span.standing), "from": span.first, "to": span.last} for span in history.spans
    ]
    return {**_key(history.key), "spans": spans}


def json_text(document: dict[str, Any]) -> str:
    """Return the JSON text of a document."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)


def _key(key: Key) -> dict[str, str | None]:
    return key._asdict()


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "state": standing.state,
        "candidates": standing.candidates,
        "certainty": standing.certainty,
        "basis": standing.basis,
    }
