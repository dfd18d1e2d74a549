"""What a page is told of a field and of a style."""

from __future__ import annotations

from typing import Any

import pytest
from export_town import field

from gridmap.catalog import Text
from gridmap.outputs.maps._layers import _field, _leaflet
from gridmap.outputs.styles.symbology import PathStyle


@pytest.mark.parametrize(
    ("kind", "more", "told"),
    [
        ("number", {"decimals": 2}, {"format": "number", "decimals": 2}),
        ("integer", {}, {"format": "number", "decimals": 0}),
        ("datetime", {}, {"format": "datetime"}),
        ("string", {}, {}),
        ("boolean", {}, {}),
    ],
)
def test_a_field_is_told_with_its_format(
    kind: str, more: dict[str, Any], told: dict[str, Any]
) -> None:
    made = dict(_field("x", field(kind, "数", **more)))
    assert made.pop("name") == "x"
    assert "label" in made
    del made["label"]
    assert made == told


def test_units_and_categories_come_along() -> None:
    assert "unit" in _field("x", field("number", "数", unit="h"))
    parks = {"park": Text(en="Park", zh="公园")}
    assert list(_field("x", field("category", "类", categories=parks))["categories"]) == ["park"]


def test_a_style_is_told_in_the_words_of_the_runtime() -> None:
    style = PathStyle(
        fill="#111111", fill_opacity=0.5, stroke="#222222", stroke_width=2.0, radius=4.0, dash="4 2"
    )
    told = {
        "color": "#222222", "weight": 2.0, "fillColor": "#111111", "fillOpacity": 0.5,
        "radius": 4.0,
    }  # fmt: skip
    assert _leaflet(style) == {**told, "dashArray": "4 2"}
