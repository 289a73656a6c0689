from collections.abc import Iterable

import pytest

from app.domain.labels import word_lists
from app.domain.vocabulary import (
    DIRECTION_OF_KIND,
    FAMILIES,
    Certainty,
    DateName,
    Dimension,
    Direction,
    Kind,
    KindOrFamily,
    PartyKind,
    RelationType,
    Role,
    State,
    Status,
    Verification,
    family_of,
)


@pytest.mark.parametrize(
    ("kind", "direction"),
    [
        ("designation.delist", "easing"),
        ("designation.suspend", "easing"),
        ("designation.reinstate", "tightening"),
        ("designation.maintain", "neutral"),
        ("recognition.withdraw", "tightening"),
        ("relations.suspend", "tightening"),
        ("mission.handover", "neutral"),
        ("accreditation.declare_persona_non_grata", "tightening"),
        ("legislation.withdraw", "neutral"),
        ("statement.condemn", "tightening"),
        ("consult.visit", "neutral"),
    ],
)
def test_direction_follows_from_the_kind(kind: str, direction: str) -> None:
    assert DIRECTION_OF_KIND[kind] == direction


def test_there_are_as_many_kinds_as_the_contract_lists() -> None:
    # 8 + 3 + 6 + 10 + 10 + 7 + 3 + 3 + 6 + 2 + 2, family by family.
    assert len(Kind) == 60
    assert {family_of(kind) for kind in Kind} == set(FAMILIES)
    assert set(KindOrFamily) == set(Kind) | set(FAMILIES)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("kind", Kind),
        ("family", FAMILIES),
        ("status", Status),
        ("verification", Verification),
        ("direction", Direction),
        ("role", Role),
        ("relation", RelationType),
        ("party_kind", PartyKind),
        ("date", DateName),
        ("dimension", Dimension),
        ("state", State),
        ("certainty", Certainty),
    ],
)
def test_every_word_is_explained_and_no_other(code: str, words: Iterable[str]) -> None:
    assert list(word_lists()[code].words) == [str(word) for word in words]


def test_there_is_no_list_without_a_vocabulary() -> None:
    assert len(word_lists()) == 12
