"""Which documents there were of an event, from when to when."""

from datetime import UTC, datetime

from app.domain.document import Party
from app.domain.event import EventFacts
from app.domain.history import PartyName, Revision, versions
from tests.support.factories import facts

RECORDED, LATER, LAST = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
REVISION = Revision("event", 1, "record", EventFacts.model_validate(facts()), RECORDED, RECORDED)
AFGHANISTAN = [PartyName(RECORDED, Party("AF", "Afghanistan", "state", "AF"))]


def kazakhstan(since: datetime, name: str) -> PartyName:
    return PartyName(since, Party("KZ", name, "state", "KZ"))


def test_a_renamed_party_makes_a_new_document() -> None:
    names = [kazakhstan(RECORDED, "Kazakhstan"), kazakhstan(LATER, "Qazaqstan")]
    found = list(versions([REVISION], {"KZ": names, "AF": AFGHANISTAN}))
    assert [(each.known_from, each.known_to) for each in found] == [
        (RECORDED, LATER),
        (LATER, None),
    ]
    assert ["Qazaqstan" in each.document for each in found] == [False, True]


def test_a_change_that_no_document_shows_makes_none() -> None:
    # An alias, for instance, was added.
    names = [kazakhstan(RECORDED, "Kazakhstan"), kazakhstan(LATER, "Kazakhstan")]
    names.append(kazakhstan(LAST, "Qazaqstan"))
    found = list(versions([REVISION], {"KZ": names, "AF": AFGHANISTAN}))
    assert [(each.known_from, each.known_to) for each in found] == [(RECORDED, LAST), (LAST, None)]
