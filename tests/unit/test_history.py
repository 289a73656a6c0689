"""Which versions there were of an event, from when to when."""

from datetime import UTC, datetime

from app.domain.event import EventFacts
from app.domain.history import Belonging, Revision, versions
from tests.support.factories import facts

RECORDED, LATER, LAST = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
REVISION = Revision("event", 1, "record", EventFacts.model_validate(facts()), RECORDED, RECORDED)
AFGHANISTAN = [Belonging(RECORDED, "AF")]


def test_a_party_that_moves_to_another_country_makes_a_new_version() -> None:
    moved = [Belonging(RECORDED, "KZ"), Belonging(LATER, "KG")]
    found = list(versions([REVISION], {"KZ": moved, "AF": AFGHANISTAN}))
    assert [(each.known_from, each.known_to) for each in found] == [
        (RECORDED, LATER),
        (LATER, None),
    ]
    assert [each.countries["KZ"] for each in found] == ["KZ", "KG"]
    assert found[0].document == found[1].document


def test_a_change_that_no_filter_goes_by_makes_none() -> None:
    # It was renamed, for instance.
    moved = [Belonging(RECORDED, "KZ"), Belonging(LATER, "KZ"), Belonging(LAST, "KG")]
    found = list(versions([REVISION], {"KZ": moved, "AF": AFGHANISTAN}))
    assert [(each.known_from, each.known_to) for each in found] == [(RECORDED, LAST), (LAST, None)]


def test_an_event_older_than_its_party_has_its_first_country() -> None:
    found = list(versions([REVISION], {"KZ": [Belonging(LATER, "KZ")], "AF": AFGHANISTAN}))
    assert [each.countries["KZ"] for each in found] == ["KZ"]
