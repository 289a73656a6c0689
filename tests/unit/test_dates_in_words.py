from datetime import date

import pytest

from app.domain.dates import DateFormatError, known_day
from app.domain.dates_in_words import date_in_words, day_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2024-12-22", "22 December 2024"),
        ("2024-12-01~", "1 December 2024, approximately"),
        ("2023-12~", "December 2023, approximately"),
        ("2024-08", "August 2024"),
        ("2021", "2021"),
        ("2021?", "2021, uncertain"),
        ("2021%", "2021, approximately and uncertain"),
        ("1000-01-01", "1 January 1000"),
        ("2023-12/2024-06", "from December 2023 to June 2024"),
        ("2023-12~/2024-06-05?", "from December 2023, approximately to 5 June 2024, uncertain"),
        ("../2024-12", "until December 2024"),
        ("2024-01/..", "from January 2024 on"),
        ("/2024-12", "from an unknown beginning to December 2024"),
        ("2024-01/", "from January 2024 to an unknown end"),
    ],
)
def test_a_date_is_said_as_precisely_as_it_is_known(written: str, said: str) -> None:
    assert date_in_words(written) == said


@pytest.mark.parametrize("written", ["2023-00", "2023-13", "2023-02-30", "", "soon", "2024-1"])
def test_what_is_no_date_is_not_said(written: str) -> None:
    with pytest.raises(DateFormatError):
        date_in_words(written)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-12-22", "2024-12-22"),
        ("2024-12-22/2024-12-22", "2024-12-22"),
        ("2024-12-22~", None),
        ("2024-12-22?", None),
        ("2024-12-22%", None),
        ("2024-12-22~/2024-12-22", None),
        ("2024-12", None),
        ("2024", None),
        ("2024-12-22/2024-12-23", None),
        ("2024-12-22/..", None),
        ("../2024-12-22", None),
    ],
)
def test_a_day_is_known_only_if_it_is_certain(written: str, day: str | None) -> None:
    assert (known := known_day(written)) is None or known.isoformat() == day
    assert (known is None) == (day is None)


def test_a_day_beside_those_of_the_register_is_said_as_well() -> None:
    assert day_in_words(date(999, 12, 31)) == "31 December 999"
    assert day_in_words(date(3000, 1, 1)) == "1 January 3000"
