import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.design.codes import (
    assign_codes,
    check_codes,
    load_profiles,
    micro_grid_names,
    number_west_east_north_south,
)
from gridmap.errors import ConfigError, ConformError

PROFILES = load_profiles()
GRID = "330499001001001"


def numbered(*rows: str, jitter: float = 0.0) -> str:
    """Return the numbers of places drawn in rows, read row by row."""
    random = np.random.default_rng(0)
    places = [
        (column, -line) for line, row in enumerate(rows) for column, sign in enumerate(row)
        if sign != "."
    ]  # fmt: skip
    x, y = np.array(places, dtype=float).T * 100 + random.uniform(-jitter, jitter, (2, len(places)))
    return "".join(map(str, number_west_east_north_south(x, y, np.zeros(len(places)))))


def test_numbers_go_west_to_east_and_north_to_south() -> None:
    assert numbered("xxx", "xxx", "xxx", jitter=24) == "123456789"
    assert numbered("xxxxx", jitter=20) == "12345"
    assert numbered("x", "x", "x") == "123"
    assert numbered("x.x", "x.x", jitter=20) == "1234"
    assert numbered("x") == "1"


def test_each_group_is_numbered_by_itself_and_ties_go_by_row() -> None:
    x, y = np.array([5.0, 0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 9.0, 9.0, 9.0])
    numbers = number_west_east_north_south(x, y, ["b", "b", "a", "a", "a"])
    assert numbers.tolist() == [2, 1, 2, 3, 1]


def test_of_two_places_below_each_other_in_a_row_the_northern_comes_first() -> None:
    x, y = np.array([0.0, 0.0, 300.0, 600.0]), np.array([0.0, 10.0, 5.0, 5.0])
    assert number_west_east_north_south(x, y, np.zeros(4)).tolist() == [2, 1, 3, 4]


def test_a_row_reaches_half_a_side_south_and_no_further() -> None:
    # Three squares of side 2 over an extent of 1 by 2: half a side is 1.
    x = np.array([1.0, 0.0, 0.0])
    for north, numbers in ((1.0, [2, 1, 3]), (0.999, [1, 2, 3])):
        y = np.array([2.0, north, 0.0])
        assert number_west_east_north_south(x, y, np.zeros(3)).tolist() == numbers


def test_no_places_have_no_numbers() -> None:
    assert len(number_west_east_north_south([], [], [])) == 0


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 3)), min_size=1)
)
def test_every_group_is_numbered_from_one_without_a_hole(
    places: list[tuple[float, float, int]],
) -> None:
    x, y, group = map(np.array, zip(*places, strict=True))
    numbers = number_west_east_north_south(x, y, group)
    for one in np.unique(group):
        assert sorted(numbers[group == one]) == list(range(1, (group == one).sum() + 1))


def test_codes_are_the_parents_and_a_number() -> None:
    codes = assign_codes(
        pd.Series([GRID, GRID, "x"], index=[7, 8, 9]), [2, 1, 1], PROFILES["suffix"]
    )
    assert codes.to_dict() == {7: f"{GRID}002", 8: f"{GRID}001", 9: "x001"}
    assert assign_codes([GRID], [1], PROFILES["nested18"]).tolist() == [f"{GRID}001"]
    assert assign_codes(["330499001001"], [1], PROFILES["gb15"]).tolist() == ["330499001001001"]


def test_codes_in_use_or_once_in_use_are_not_given_again() -> None:
    codes = assign_codes(
        ["g"] * 3, [3, 1, 2], PROFILES["suffix2"], taken=["g01"], retired=["g03", "h02"]
    )
    assert codes.tolist() == ["g05", "g02", "g04"]


def test_too_many_areas_for_the_digits_are_one_line() -> None:
    assert assign_codes(["g"] * 99, range(99), PROFILES["suffix2"]).iloc[-1] == "g99"
    with pytest.raises(ConformError, match=r"Grid g needs 100 codes.*holds 99.*more digits"):
        assign_codes(["g"] * 100, range(100), PROFILES["suffix2"])
    with pytest.raises(ConformError, match="holds 99"):
        assign_codes(["g"] * 99, range(99), PROFILES["suffix2"], retired=["g50"])


@pytest.mark.parametrize(
    "parent", ["33049900100", "33049900100A", "３３０４９９００１００１", None]
)
def test_a_parent_that_does_not_fit_is_named(parent: str | None) -> None:
    with pytest.raises(ConformError, match=rf"'{parent or ''}'.*'gb15' \(6\+3\+3\+3 digits"):
        assign_codes(["330499001001", parent], [1, 1], PROFILES["gb15"])


def test_a_profile_that_is_not_there_tells_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no code profile 'gb16'; there are: cjt349, gb15"):
        PROFILES["gb16"]
    assert "gb16" not in PROFILES


def test_profiles_of_a_file_come_over_those_that_ship(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        '[own]\ntitle = { en = "Own", zh = "自定" }\nseparator = "-"\n'
        'levels = [{ name = "grid", digits = 2 }, { name = "micro_grid", digits = 1 }]\n',
        encoding="utf-8",
    )
    own = load_profiles(path)["own"]
    assert assign_codes(["07"], [1], own).tolist() == ["07-1"]
    assert own.parent_of("07-1") == "07"
    assert check_codes(["07-1", "071"], ["07", "07"], own)[0].code == "071"
    assert "gb15" in load_profiles(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("separator", "seperator"), encoding="utf-8")
    with pytest.raises(ConfigError, match="own: seperator: no such key; did you mean 'separator'"):
        load_profiles(path)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_what_a_profile_gives_it_finds_right(name: str) -> None:
    profile = PROFILES[name]
    parent = "1" * sum(level.digits for level in profile.levels[:-1]) or "any 1"
    codes = assign_codes([parent] * 5, range(5), profile)
    assert check_codes(codes, [parent] * 5, profile) == []
    assert {profile.parent_of(code) for code in codes} == {parent}
    other = "2" + parent[1:]
    assert {p.reason for p in check_codes(codes, [other] * 5, profile)} == {"parent"}


def test_wrong_codes_are_told_with_their_rows() -> None:
    codes = [GRID, None, " ", GRID, "330499001001000", "33049900100100", "330499001002001"]
    parents = ["330499001001"] * 7
    found = check_codes(codes, parents, PROFILES["gb15"])
    assert [(one.row, one.kind, one.reason) for one in found] == [
        (1, "missing", "missing"),
        (2, "missing", "missing"),
        (3, "repeated", "repeated"),
        (4, "wrong", "zero"),
        (5, "wrong", "pattern"),
        (6, "wrong", "parent"),
    ]
    assert [one.reason for one in check_codes(codes, None, None)] == [
        "missing", "missing", "repeated",
    ]  # fmt: skip


def test_an_undivided_community_has_the_number_zero() -> None:
    code = "1" * 18 + "00"
    assert check_codes([code], ["1" * 18], PROFILES["cjt349"]) == []


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (101, "一百零一"), (110, "一百一十"),
     (111, "一百一十一"), (1001, "一千零一"), (1010, "一千零一十"), (2300, "二千三百"),
     (9999, "九千九百九十九"), (10000, "10000")],
)  # fmt: skip
def test_names_count_in_chinese_numerals(number: int, said: str) -> None:
    assert micro_grid_names(["第二网格"], [number], "zh") == [f"第二网格第{said}微网格"]


def test_names_in_english() -> None:
    assert micro_grid_names(["Grid 2"], [3], "en") == ["Grid 2, micro-grid 3"]


def test_the_order_is_that_of_the_figure_in_the_documentation() -> None:
    """Rows, then columns; a sign of the figure is as wide as half a line is high."""
    text = (Path(__file__).parents[2] / "docs" / "planning.md").read_text(encoding="utf-8")
    figure = text.split("## Order of codes")[1].split("```")[1]
    drawn = [
        (int(found.group()), found.start(), -2 * line)
        for line, row in enumerate(figure.splitlines())
        for found in re.finditer(r"\b\d{3}\b", row[:36])
    ]
    number, x, y = np.array(sorted(drawn, key=lambda each: each[1])).T
    assert sorted(number) == list(range(1, 10))
    assert number_west_east_north_south(x, y, np.zeros(9)).tolist() == number.tolist()
    # Columns first would be another order.
    assert np.lexsort((-y, x)).tolist() != np.argsort(number).tolist()
