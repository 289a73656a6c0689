from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.dates import DateFormatError, Days, days_of, is_edtf, is_edtf_point

YEARS = st.integers(1000, 2999)
DAYS = st.dates(date(1000, 1, 1), date(2999, 12, 31))
QUALIFIERS = st.sampled_from(["", "~", "?", "%"])
POINTS = st.tuples(DAYS, st.sampled_from([4, 7, 10]), QUALIFIERS).map(
    lambda parts: parts[0].isoformat()[: parts[1]] + parts[2]
)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-12-22", date(2024, 12, 22), date(2024, 12, 22)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-12~", date(2023, 12, 1), date(2023, 12, 31)),
        ("2021", date(2021, 1, 1), date(2021, 12, 31)),
        ("2021?", date(2021, 1, 1), date(2021, 12, 31)),
        ("2021-08%", date(2021, 8, 1), date(2021, 8, 31)),
        ("../2024-12", None, date(2024, 12, 31)),
        ("/2021", None, date(2021, 12, 31)),
        ("2024-01/..", date(2024, 1, 1), None),
        ("2024-01/", date(2024, 1, 1), None),
        ("2023-12/2024-06", date(2023, 12, 1), date(2024, 6, 30)),
        ("2023-12~/2024?", date(2023, 12, 1), date(2024, 12, 31)),
        ("2024-05-01/2024-05-01", date(2024, 5, 1), date(2024, 5, 1)),
        ("1000", date(1000, 1, 1), date(1000, 12, 31)),
        ("2999-12-31", date(2999, 12, 31), date(2999, 12, 31)),
    ],
)
def test_a_date_covers_its_days(text: str, first: date | None, last: date | None) -> None:
    assert days_of(text) == Days(first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 2024",
        "2024 ",
        "24-12-22",
        "0999",
        "3000",
        "0000",
        "10000",
        "-2024",
        "2024-13",
        "2024-00",
        "2024-02-30",
        "2023-02-29",
        "2024-1",
        "2024-12-1",
        "2024-21",
        "20XX",
        "2024-12-22T10:00:00Z",
        "2024-12-22+02:00",
        "2024~~",
        "~2024",
        "../..",
        "/",
        "../",
        "..",
        "2024/2023",
        "2024-06/2024-05",
        "2024/2025/2026",
        "[2024,2025]",
        "2024--12",
        "２０２４",
        "2024\n",
        "circa 2024",
    ],
)
def test_what_is_outside_the_profile_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(DateFormatError, match=r"\.$|2024-01/\.\.$"):
        days_of(text)


@given(POINTS)
def test_a_point_is_kept_as_written_and_is_never_empty(text: str) -> None:
    assert is_edtf(text) == is_edtf_point(text) == text
    days = days_of(text)
    assert days.first is not None
    assert days.last is not None
    assert days.first <= days.last


@given(DAYS, DAYS)
def test_an_interval_covers_both_ends_or_is_refused(start: date, end: date) -> None:
    text = f"{start.isoformat()}/{end.isoformat()}"
    if end < start:
        with pytest.raises(DateFormatError, match="ends before it begins"):
            days_of(text)
    else:
        assert days_of(text) == Days(start, end)


@given(YEARS, st.integers(1, 12))
def test_a_month_ends_the_day_before_the_next_begins(year: int, month: int) -> None:
    last = days_of(f"{year:04}-{month:02}").last
    assert last is not None
    following = last + timedelta(days=1)
    assert following.day == 1
    assert following.month == month % 12 + 1


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    with suppress(DateFormatError):
        assert is_edtf(text) == text


def test_an_interval_is_no_point() -> None:
    with pytest.raises(DateFormatError):
        is_edtf_point("2023/2024")
