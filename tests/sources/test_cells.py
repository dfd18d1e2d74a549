"""Cells as text, numbers and truths."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.sources.cells import cleaned, is_rounded, read_degrees, read_integers, read_truths


def text(*cells: str | None) -> pd.Series:
    return pd.Series(cells, dtype="string")


@pytest.mark.parametrize(
    ("cell", "clean"),
    [
        ("Ａ１", "A1"), ("A1\u200b", "A1"), ("\ufeffA1", "A1"), ("A1\u00a0", "A1"),
        ("\u3000A1", "A1"),
        ("A\x00\x071", "A1"), ("３号楼", "３号楼"), ("a\tb", "a b"), ("（东）\u200e", "（东）"),
        ("👩\u200d🚒", "👩\u200d🚒"), ("３３０４９９", "330499"), ("\u202dA1\u202c", "A1"),
    ],
)  # fmt: skip
def test_what_nobody_sees_is_taken_out(cell: str, clean: str) -> None:
    found, changed = cleaned(text(cell, None, "x"))
    assert found.to_list() == [clean, pd.NA, "x"]
    assert changed == (cell != clean)


def test_cells_of_nothing_but_blanks_are_missing() -> None:
    assert cleaned(text("\u200b\u3000", "a"))[0].isna().to_list() == [True, False]


@given(st.text(max_size=12))
def test_cleaning_twice_is_cleaning_once(cell: str) -> None:
    once = cleaned(text(cell.strip() or "x"))[0]
    pd.testing.assert_series_equal(cleaned(once)[0], once)
    assert not once.str.contains(r"[\x00-\x1f\x7f-\x9f\ufeff\u200b]").fillna(value=False).any()


def test_numbers_that_lost_digits_are_known() -> None:
    cells = pd.Series([1e15, 999999999999999.0, "1e17", "3.305E+17", "E17", None], dtype=object)
    assert is_rounded(cells, cells.astype("string")).to_list() == [
        True, False, True, True, False, False
    ]  # fmt: skip
    floats = pd.Series([2.0**53, 2.0**53 - 1, None])
    assert is_rounded(floats, floats.astype("string")).to_list() == [True, False, False]


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_integers_are_exact(number: int) -> None:
    values, bad = read_integers(text(str(number), f"{number}.0"))
    assert values.to_list() == [number, number]
    assert not bad.any()


@pytest.mark.parametrize("cell", ["2.5", "many", "inf", "9223372036854775808", "1e30", "1,000"])
def test_what_is_no_integer_is_told(cell: str) -> None:
    values, bad = read_integers(text(cell, "1e3", None))
    assert bad.to_list() == [True, False, False]
    assert values.to_list() == [pd.NA, 1000, pd.NA]


def test_truths() -> None:
    values, bad = read_truths(text("是", "No", "TRUE", "perhaps", None))
    assert values.to_list() == [True, False, True, pd.NA, pd.NA]
    assert bad.to_list() == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("cell", "degrees"),
    [
        ("120.905", 120.905), ("120,905", 120.905), ("120.905°E", 120.905),
        ("120°54'18\"", 120.905), ("30°42′18″N", 30.705), ("3.7 S", -3.7), ("-3,7", -3.7),
        ("120.905°W", -120.905), ("东经120°54′18″", 120.905),
        ("120度54分18秒", 120.905), ("１２０.905", 120.905),
    ],
)  # fmt: skip
def test_degrees_as_people_write_them(cell: str, degrees: float) -> None:
    assert read_degrees(text(cell)).iloc[0] == pytest.approx(degrees)


@pytest.mark.parametrize("cell", ["1,234,567", "here", "120°54'18\"X", "", "1.2.3"])
def test_what_is_no_coordinate_is_missing(cell: str) -> None:
    assert read_degrees(text(cell)).isna().all()
