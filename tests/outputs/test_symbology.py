from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.catalog import load_catalog
from gridmap.errors import CatalogError
from gridmap.outputs.styles.symbology import paint

CATALOG = load_catalog()
LOADS = CATALOG.layer("grid_results")


def loads(*values: float | None) -> pd.DataFrame:
    column = pd.Series(values, dtype="float64")
    return pd.DataFrame({"hours_per_member": column, "households": column})


def test_single_has_one_class_with_the_layers_colour() -> None:
    painted = paint(CATALOG.layer("gaps"), pd.DataFrame({"code": ["a", "b"]}), "zh")
    assert set(painted.keys) == {"all"}
    assert painted.legend[0].label == "空白"
    assert painted.legend[0].count == 2
    assert painted.styles["all"].fill == CATALOG.layer("gaps").symbology.colours[0]


def test_categories_take_their_colour_and_label() -> None:
    frame = pd.DataFrame({"hotspot": ["hot", "none", "hot", pd.NA]})
    painted = paint(CATALOG.layer("hotspots"), frame, "zh")
    assert painted.keys == ("hot", "none", "hot", "missing")
    assert [(item.label, item.count) for item in painted.legend] == [
        ("热点", 2),
        ("冷点", 0),
        ("不显著", 1),
        ("数量过少", 0),
        ("无数据", 1),
    ]
    assert painted.styles["hot"].fill == "#d7301f"


def test_the_class_of_a_line_shows_in_its_stroke() -> None:
    layer = CATALOG.layer("network_hotspots")
    painted = paint(layer, pd.DataFrame({"hotspot": ["hot", "none"]}))
    assert painted.styles["hot"].stroke == layer.symbology.classes["hot"]
    assert painted.styles["none"].stroke == layer.symbology.classes["none"]


def test_graduated_classes_hold_equal_numbers() -> None:
    painted = paint(LOADS, loads(*range(100)))
    assert [item.count for item in painted.legend] == [20] * 5
    assert painted.legend[0].label == "0.0 – 19.8"


def test_a_legend_rounds_as_every_table_does() -> None:
    labels = [item.label for item in paint(LOADS, loads(0.25, 2.25)).legend]
    assert labels == ["0.3", "2.3"]  # not to the even digit, as formats of Python do


def test_few_values_have_few_classes_over_the_whole_ramp() -> None:
    painted = paint(LOADS, loads(1, 1, 5))
    assert [(item.label, item.count) for item in painted.legend] == [("1.0", 2), ("5.0", 1)]
    assert painted.legend[0].colour == LOADS.symbology.colours[0]
    assert painted.legend[-1].colour == LOADS.symbology.colours[-1]


def test_a_fixed_class_that_nothing_lies_in_says_which_side_it_is() -> None:
    layer = CATALOG.layer("alarms")
    labels = [item.label for item in paint(layer, pd.DataFrame({"ratio": [3.2]})).legend]
    assert labels == ["≤ 1.50", "1.50 – 2.00", "2.00 – 3.00", "3.00 – 5.00", "> 5.00"]


def test_without_any_value_the_other_field_is_shown() -> None:
    frame = loads(1, 2, 3).assign(hours_per_member=float("nan"))
    assert paint(LOADS, frame).field == "households"
    assert paint(LOADS, loads(None, None)).keys == ("missing", "missing")
    assert paint(LOADS, loads()).legend == ()


def test_a_layer_without_symbology_is_told() -> None:
    with pytest.raises(CatalogError, match=r"categories\.toml"):
        paint(CATALOG.layer("categories"), pd.DataFrame())


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=50))
def test_classes_rise_and_every_row_has_one(values: list[float | None]) -> None:
    painted = paint(LOADS, loads(*values))
    assert len(painted.keys) == len(values)
    assert sum(item.count for item in painted.legend) == len(values)
    by_class: dict[str, list[float]] = {}
    for key, value in zip(painted.keys, values, strict=True):
        assert (value is None) == (key == "missing")
        if value is not None:
            by_class.setdefault(key, []).append(value)
    ordered = [by_class[key] for key in sorted(by_class)]
    for lower, upper in pairwise(ordered):
        assert max(lower) < min(upper)
