import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.formulas import as_meant, defused

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://x.example","click")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\rx",
    "\nx",
    "  =1",
    "'=1",
    '"=1',
    "\u00a0=1",
    "＝1",
    "' \" =1",
]
HARMLESS = ["", "Kazakhstan", "a=b", "2023-12~", "'Allo", "|x", "../2024", "a\n=1", "1-2"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert defused(text) == f"'{text}"
    assert as_meant(defused(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert defused(text) == as_meant(text) == text


@given(st.text(alphabet="'\"= -+@\tax\n"))
def test_every_text_comes_back(text: str) -> None:
    assert as_meant(defused(text)) == text
