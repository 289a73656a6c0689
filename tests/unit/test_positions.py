"""The rules of positions, one by one."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.event import EventFacts
from app.domain.evidence import Evidence, Key, Step, pending
from app.domain.pairs import Pair, pairs_of
from app.domain.positions import STATE_OF_KIND, Course, Effect, last_possible
from app.domain.vocabulary import Certainty, Dimension, Kind, State, Status, Verification, family_of
from tests.support.factories import facts
from tests.support.positions import STATES

KEY = Key("KZ", "taliban", Dimension.DESIGNATION, "KZ-NLTO")
LISTED, SUSPENDED, DELISTED = State.LISTED, State.SUSPENDED, State.DELISTED


def day(number: int) -> date:
    return date(2024, 1, 1) + timedelta(days=number - 1)


def effect(event: str, first: int, last: int | None = None, **changes: Any) -> Effect:
    """Return an effect on days that are counted from the beginning of 2024; a listing at first."""
    values: dict[str, Any] = {
        "first": day(first),
        "last": day(first if last is None else last),
        "event": event,
        "state": LISTED,
        "verification": Verification.CONFIRMED,
        "until_first": None,
        "until_last": None,
        "told": None,
        "written": f"as {event} has it",
    }
    return Effect(**(values | changes))


def suspension(event: str, first: int, until: int, until_last: int | None = None) -> Effect:
    ends: dict[str, Any] = {"until_first": day(until), "until_last": day(until_last or until)}
    return effect(event, first, state=SUSPENDED, **ends)


def pair(**changes: Any) -> list[Pair]:
    return list(pairs_of(EventFacts.model_validate(facts(**changes))))


def test_the_table_of_states_is_that_of_the_contract() -> None:
    assert STATE_OF_KIND == STATES
    assert {family_of(kind) for kind in STATE_OF_KIND} == set(Dimension)
    assert set(STATE_OF_KIND) < set(Kind)
    assert set(STATE_OF_KIND.values()) == set(State)


def test_no_event_means_unknown() -> None:
    standing = Course([]).on(day(1))
    assert (standing.state, standing.candidates, standing.certainty) == (None, [], "unknown")
    assert standing.basis == []
    assert Course([]).since(day(1)) is None


def test_an_event_applies_on_its_last_possible_day_and_is_possible_before() -> None:
    course = Course([effect("one", 10, 20)])
    assert course.on(day(9)).certainty is Certainty.UNKNOWN
    assert course.on(day(10)).certainty is Certainty.POSSIBLE
    assert course.on(day(19)).candidates == [LISTED]
    assert course.on(day(20)).state is LISTED
    assert course.since(day(30)) == "as one has it"
    assert course.since(day(19)) is None


def test_a_later_event_that_has_applied_settles_what_was_possible() -> None:
    course = Course(
        [
            effect("listing", 1),
            effect("delisting", 10, 60, state=DELISTED),
            effect("again", 20),
        ]
    )
    assert course.on(day(15)).candidates == [LISTED, DELISTED]
    assert course.on(day(15)).basis == ["listing", "delisting"]
    assert course.on(day(20)).state is LISTED
    assert course.on(day(20)).basis == ["again"]
    # Whether it held unbroken isn't known, so it goes back no further.
    assert course.since(day(30)) == "as again has it"


def test_a_state_that_is_confirmed_has_held_since_it_began() -> None:
    course = Course([effect("listing", 1), effect("amendment", 10, 40), effect("review", 50)])
    assert course.on(day(20)).certainty is Certainty.POSSIBLE
    assert course.on(day(20)).candidates == [LISTED]
    assert course.since(day(60)) == "as listing has it"


def test_what_ends_gives_way_to_what_stood_below_it() -> None:
    course = Course([effect("listing", 1), suspension("suspension", 10, until=20)])
    assert course.on(day(20)).state is SUSPENDED
    assert course.on(day(21)).state is LISTED
    assert course.on(day(21)).basis == ["listing"]
    assert course.since(day(20)) == "as suspension has it"
    # It came back by itself: no event began it.
    assert course.since(day(21)) is None


def test_an_end_whose_day_is_not_known_makes_both_possible() -> None:
    course = Course([effect("listing", 1), suspension("suspension", 10, 20, 25)])
    assert course.on(day(20)).state is SUSPENDED
    for number in (21, 25):
        assert course.on(day(number)).candidates == [LISTED, SUSPENDED]
    assert course.on(day(26)).state is LISTED


def test_an_end_that_is_left_open_is_never_certain() -> None:
    ends: dict[str, Any] = {"until_first": day(20), "until_last": date.max}
    course = Course([effect("only", 10, **ends)])
    assert course.on(day(20)).state is LISTED
    assert course.on(day(3_000)).certainty is Certainty.POSSIBLE


def test_open_days_have_no_bound() -> None:
    begun = Course([effect("begun", 1)._replace(first=date.min)])
    assert begun.on(date.min).certainty is Certainty.POSSIBLE
    assert begun.on(day(1)).state is LISTED
    assert begun.since(day(1)) == "as begun has it"
    going = Course([effect("going", 1)._replace(last=date.max)])
    assert going.on(day(3_000)).certainty is Certainty.POSSIBLE
    assert [span.first for span in going.spans(None, day(5))] == [None, day(1)]


def test_spans_leave_no_gap_and_say_what_each_day_rests_on() -> None:
    course = Course([effect("listing", 5), effect("delisting", 10, 12, state=DELISTED)])
    spans = list(course.spans(day(1), day(20)))
    assert [(span.first, span.last, span.standing.basis) for span in spans] == [
        (day(1), day(4), []),
        (day(5), day(9), ["listing"]),
        (day(10), day(11), ["listing", "delisting"]),
        (day(12), day(20), ["delisting"]),
    ]
    assert next(course.spans(day(11), day(11))).standing == course.on(day(11))


def test_what_ends_without_being_seen_begins_no_span() -> None:
    # First neither is sure, then the listing is and the delisting isn't: the same two are possible.
    course = Course([effect("listing", 5, 10), effect("delisting", 5, 20, state=DELISTED)])
    assert course.on(day(9)) != course.on(day(10))
    assert [(span.first, span.standing.basis) for span in course.spans(day(1), day(30))] == [
        (day(1), []),
        (day(5), ["listing", "delisting"]),
        (day(20), ["delisting"]),
    ]


def test_what_applies_below_a_later_event_begins_no_span() -> None:
    course = Course([effect("month", 5, 20), effect("day", 10)])
    assert [span.first for span in course.spans(day(10), day(30))] == [day(10)]


@pytest.mark.parametrize(
    ("announced", "last"),
    [(None, 31), ((5, 5), 5), ((5, 40), 31), ((1, 31), 31), ((3, 8), 8)],
)
def test_what_was_announced_within_its_days_had_happened_by_then(
    announced: tuple[int, int] | None, last: int
) -> None:
    told = announced and (day(announced[0]), day(announced[1]))
    assert last_possible(day(1), day(31), told) == day(last)


def test_an_event_holds_between_each_actor_and_each_subject() -> None:
    participants = [
        {"party": party, "role": role}
        for party, role in [("ES", "actor"), ("IE", "actor"), ("PS", "subject"), ("IL", "subject")]
    ]
    found = pair(participants=participants)
    assert {(p.actor, p.subject) for p in found} == {
        ("ES", "PS"), ("ES", "IL"), ("IE", "PS"), ("IE", "IL"),
    }  # fmt: skip
    assert {(p.dimension, p.state) for p in found} == {("designation", "listed")}


def test_actors_without_a_subject_hold_it_among_themselves() -> None:
    participants = [{"party": party, "role": "actor"} for party in ("HN", "CN", "CN")]
    found = pair(kind="relations.establish", participants=participants)
    assert [(p.actor, p.subject, p.state) for p in found] == [
        ("CN", "HN", "established"),
        ("HN", "CN", "established"),
    ]


def test_who_is_mentioned_is_named_by_the_measure_alone() -> None:
    participants = [{"party": "RU", "role": "actor"}, {"party": "taliban", "role": "mentioned"}]
    assert pair(participants=participants) == []
    (named,) = pair(participants=participants, measure="a-bill", regime="RU-UFL")
    assert (named.dimension, named.state, named.measure) == (None, None, "a-bill")


@pytest.mark.parametrize(
    ("changes", "dimension", "state"),
    [
        ({"status": "adopted"}, "designation", None),
        ({"kind": "designation.exempt"}, "designation", None),
        ({"kind": "legislation.introduce", "measure": "a-bill"}, None, None),
    ],
)
def test_only_what_is_in_effect_and_changes_something_leads_to_a_state(
    changes: dict[str, Any], dimension: str | None, state: str | None
) -> None:
    (found,) = pair(**changes)
    assert (found.dimension, found.state) == (dimension, state)


def test_a_bill_without_a_measure_is_about_nobodys_position() -> None:
    assert pair(kind="legislation.introduce") == []


def test_days_are_taken_from_the_dates() -> None:
    (found,) = pair(
        dates={
            "effective": "2023-12~",
            "announced": "2023-12-29",
            "signed": "../2023-11",
            "effective_until": "2024-05/..",
        }
    )
    assert (found.first, found.last) == (date(2023, 12, 1), date(2023, 12, 29))
    assert (found.until_first, found.until_last) == (date(2024, 5, 1), date.max)
    assert (found.told, found.written) == (date(2023, 11, 30), "2023-12~")


def answer_on(number: int, *effects: Effect, least: Verification = Verification.CONFIRMED) -> Any:
    known = Evidence({KEY: effects}, {}, (), named=(KEY,))
    (answer,) = known.answers(day(number), least)
    return answer


def test_what_is_told_before_it_takes_effect_is_upcoming() -> None:
    told = effect("delisting", 30, told=day(10), state=DELISTED)
    assert answer_on(9, told).upcoming == []
    assert answer_on(10, told).upcoming == ["delisting"]
    assert answer_on(30, told).upcoming == []
    assert answer_on(10, effect("never told", 30)).upcoming == []


def test_what_is_too_weakly_attested_is_shown_where_it_would_change_the_answer() -> None:
    listing = effect("listing", 5)
    weak: dict[str, Any] = {"verification": Verification.REPORTED}
    assert answer_on(20, listing, effect("review", 10, **weak)).unconfirmed == []
    assert answer_on(20, listing, effect("earlier", 1, state=DELISTED, **weak)).unconfirmed == []
    later = effect("later", 10, 15, state=DELISTED, **weak)
    assert answer_on(14, listing, later).unconfirmed == []
    assert answer_on(15, listing, later).unconfirmed == ["later"]
    assert answer_on(15, later).unconfirmed == ["later"]
    counted = answer_on(15, listing, later, least=Verification.REPORTED)
    assert (counted.standing.state, counted.unconfirmed) == (DELISTED, [])


def test_what_is_disputed_counts_no_more_than_what_is_claimed() -> None:
    disputed = effect("disputed", 1, verification=Verification.DISPUTED)
    assert answer_on(2, disputed, least=Verification.REPORTED).standing.state is None
    assert answer_on(2, disputed, least=Verification.CLAIMED).standing.state is LISTED


def test_a_measure_is_pending_while_its_latest_step_is_unfinished() -> None:
    def step(event: str, number: int, status: Status) -> Step:
        return Step(day(number), day(number), event, "a-bill", status)

    steps = [
        step("signed", 30, Status.IN_EFFECT),
        step("introduced", 10, Status.PROPOSED),
        step("praised", 20, Status.COMMENTARY),
    ]
    assert pending(steps, day(9)) == {}
    assert pending(steps, day(25)) == {"a-bill": "introduced"}
    assert pending(steps, day(30)) == {}


def test_a_position_that_nothing_is_known_of_is_answered_only_where_it_is_named() -> None:
    later = {KEY: [effect("listing", 10)]}
    assert list(Evidence(later, {}, ()).answers(day(1), Verification.CONFIRMED)) == []
    assert list(Evidence(later, {}, ()).histories(None, day(1), Verification.CONFIRMED)) == []
    named = Evidence(later, {}, (), named=(KEY,))
    assert [a.key for a in named.answers(day(1), Verification.CONFIRMED)] == [KEY]
    assert [h.key for h in named.histories(None, day(1), Verification.CONFIRMED)] == [KEY]


DAYS = st.integers(1, 60)
EFFECTS = st.builds(
    lambda number, first, length, state: effect(
        f"event-{number}", first, first + length, state=state
    ),
    st.integers(0, 10**6),
    DAYS,
    st.integers(0, 20),
    st.sampled_from([LISTED, SUSPENDED, DELISTED]),
)


@given(st.lists(EFFECTS, unique_by=lambda e: e.event, max_size=8), EFFECTS, DAYS)
def test_what_happens_later_changes_no_earlier_answer(
    effects: list[Effect], added: Effect, asked: int
) -> None:
    before = Course(effects)
    after = Course([*effects, added._replace(event="added")])
    earlier = min(asked, (added.first - day(1)).days)
    assert after.on(day(earlier)) == before.on(day(earlier))
    assert after.since(day(earlier)) == before.since(day(earlier))
