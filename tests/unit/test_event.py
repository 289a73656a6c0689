import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.document import EventDocument, Stamp, insert_parties, instant, render, render_party
from app.domain.event import EventFacts
from tests.support.factories import SOURCE, facts

PARTIES = {
    "KZ": render_party("KZ", "Kazakhstan", "state", "KZ"),
    "AF": render_party("AF", "Afghanistan", "state", "AF"),
}
NOW = datetime(2026, 11, 23, 10, 0, 0, 123456, UTC)
LATER = datetime(2026, 11, 23, 11, 0, 0, 0, UTC)


def stated(**changes: Any) -> EventFacts:
    return EventFacts.model_validate(facts(**changes))


@pytest.mark.parametrize(
    ("dates", "basis", "own"),
    [
        ({"effective": "2024", "occurred": "2023"}, "effective", "2024"),
        ({"announced": "2022", "occurred": "2023", "signed": "2021"}, "occurred", "2023"),
        ({"announced": "2022", "adopted": "2020", "signed": "2021"}, "adopted", "2020"),
        ({"announced": "2022", "signed": "2021"}, "signed", "2021"),
        ({"announced": "2022", "effective_until": "2025"}, "announced", "2022"),
    ],
)
def test_the_own_date_is_the_first_in_the_order(dates: Any, basis: str, own: str) -> None:
    event = stated(dates=dates)
    assert (event.dates.basis, event.date) == (basis, own)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dates": {}}, "at least one date"),
        ({"dates": {"effective_until": "2024"}}, "at least one date"),
        ({"dates": {"effective": "2024", "effective_until": "2023"}}, "before effective begins"),
        ({"dates": {"effective": "2024-13"}}, "no such day or month"),
        ({"dates": {"published": "2024"}}, "Extra inputs"),
        ({"participants": []}, "at least 1 item"),
        ({"participants": [{"party": "AF", "role": "subject"}]}, "role actor"),
        ({"participants": [{"party": "AF", "role": "actor"}] * 51}, "at most 50"),
        ({"sources": []}, "at least 1 item"),
        ({"sources": [{"title": "A page"}]}, "needs a url"),
        ({"sources": [{"quote": "It happened."}]}, "needs a url"),
        ({"sources": [{**SOURCE, "url": "ftp://example.org"}]}, "no web address"),
        ({"sources": [{**SOURCE, "published": "2024/2025"}]}, "not a date"),
        ({"sources": [{**SOURCE, "language": "english!"}]}, "pattern"),
        ({"kind": "designation"}, "Input should be"),
        ({"status": "done"}, "Input should be"),
        ({"title": " "}, "says nothing"),
        ({"direction": "easing"}, "Extra inputs"),
        ({"regime": "ru-ufl"}, "pattern"),
        ({"relations": [{"type": "causes", "event": "a"}]}, "Input should be"),
    ],
)
def test_what_must_hold_of_an_event(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        stated(**changes)


def test_a_source_without_address_needs_title_and_quotation_and_that_is_enough() -> None:
    assert stated(sources=[{"title": "An article", "quote": "It happened."}]).sources[0].url is None


def test_effective_until_may_be_open_or_the_same_day() -> None:
    stated(dates={"effective": "2024-05-01", "effective_until": "2024-05-01"})
    stated(dates={"effective": "../2024", "effective_until": "2023"})


def test_the_document_is_the_contracts() -> None:
    event = stated(dates={"announced": "2023-12-29", "effective": "2023-12~"})
    stored = render("some-event", event, Stamp(2, NOW, LATER))
    document = json.loads(insert_parties(stored, PARTIES.__getitem__))
    assert list(document) == list(EventDocument.model_fields)
    assert document == {
        "id": "some-event",
        "kind": "designation.list",
        "status": "in_effect",
        "verification": "confirmed",
        "direction": "tightening",
        "title": "Kazakhstan lists somebody",
        "summary": "",
        "date": "2023-12~",
        "date_basis": "effective",
        "earliest": "2023-12-01",
        "latest": "2023-12-31",
        "dates": {"announced": "2023-12-29", "effective": "2023-12~"},
        "participants": [
            {
                "party": "KZ",
                "name": "Kazakhstan",
                "kind": "state",
                "country": "KZ",
                "role": "actor",
                "organ": None,
                "person": None,
            },
            {
                "party": "AF",
                "name": "Afghanistan",
                "kind": "state",
                "country": "AF",
                "role": "subject",
                "organ": None,
                "person": None,
            },
        ],
        "regime": None,
        "measure": None,
        "place": None,
        "relations": [],
        "sources": [
            {
                "url": "https://example.org/page",
                "title": "A page",
                "publisher": None,
                "published": None,
                "quote": "It happened.",
                "language": None,
                "accessed": None,
                "archived": None,
            }
        ],
        "revision": 2,
        "recorded_at": "2026-11-23T10:00:00.123456Z",
        "updated_at": "2026-11-23T11:00:00.000000Z",
    }


def test_open_ends_are_null_and_nothing_is_escaped_needlessly() -> None:
    event = stated(dates={"occurred": "../2024-12"}, title="Талибан “طالبان”")
    stored = render("some-event", event, Stamp(1, NOW, NOW))
    text = insert_parties(stored, PARTIES.__getitem__)
    document = EventDocument.model_validate_json(text)
    assert (document.earliest, document.latest) == (None, date(2024, 12, 31))
    assert "Талибан “طالبان”" in text


def test_instants_are_written_in_utc_with_microseconds() -> None:
    assert instant(datetime.fromisoformat("2024-01-01T00:00:00+05:00")) == (
        "2023-12-31T19:00:00.000000Z"
    )


@pytest.mark.parametrize("member", ["participants", "sources", "relations"])
def test_entries_beyond_the_cap_are_counted_and_not_looked_at(member: str) -> None:
    with pytest.raises(ValidationError) as raised:
        EventFacts.model_validate(facts(**{member: [{}] * 1_000}))
    (error,) = raised.value.errors()
    assert (error["type"], error["loc"]) == ("too_long", (member,))
