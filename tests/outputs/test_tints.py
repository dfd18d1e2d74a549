"""Tints that part areas from their neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from benchmarks.coverages import make_coverage
from browser import colour_at, wait_until
from playwright.sync_api import expect

from gridmap.catalog import load_catalog
from gridmap.errors import CatalogError
from gridmap.outputs.maps.draw import draw
from gridmap.outputs.maps.tints import TINTS, tints_of
from gridmap.outputs.pages.page import save_page
from gridmap.result import Analysed

if TYPE_CHECKING:
    from browser import OpenPage


CANVAS = ".leaflet-overlay-pane canvas"


def alike(areas: gpd.GeoSeries, tints: list[int]) -> int:
    """Return how many pairs that share a border have one tint."""
    shapes, given = areas.to_numpy(), np.array(tints)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    return int(((one < other) & (given[one] == given[other])).sum())


def test_neighbours_of_a_large_coverage_differ() -> None:
    areas = gpd.GeoSeries(make_coverage(20_000, random_state=3), crs=4549)
    tints = tints_of(areas)
    assert alike(areas, tints) == 0
    assert np.bincount(tints)[4:].sum() < 0.05 * len(areas), "four do for nearly all"
    assert tints_of(areas.to_crs(4326)) == tints


def test_squares_that_meet_in_corners_take_four() -> None:
    squares = [shapely.box(x, y, x + 100, y + 100)
               for x in range(500_000, 500_800, 100) for y in range(0, 800, 100)]  # fmt: skip
    assert set(tints_of(gpd.GeoSeries(squares, crs=32650))) == {0, 1, 2, 3}


def test_borders_that_nearly_meet_count_and_what_is_missing_has_one() -> None:
    west, near, far = (shapely.box(x, 0, x + 100, 100) for x in (500_000, 500_100.6, 500_202.5))
    areas = gpd.GeoSeries([None, west, near, far], crs=32650)
    nowhere, first, second, third = tints_of(areas)
    assert nowhere == 0
    assert first != second
    assert third == 0, "two metres are too far for a neighbour"
    assert tints_of(gpd.GeoSeries([None, None], crs=4326)) == [0, 0]
    assert tints_of(gpd.GeoSeries([], crs=4326)) == []


def test_seven_areas_that_all_meet_begin_anew() -> None:
    middle = shapely.box(500_000, 0, 500_100, 100)
    assert tints_of(gpd.GeoSeries([middle] * 7, crs=32650)) == [0, 1, 2, 3, 4, 5, 0]


@pytest.mark.browser
def test_neighbours_on_the_battle_map_look_different(
    sample: Analysed, tmp_path: Path, open_page: OpenPage
) -> None:
    spec = sample.city.catalog.map("battle")
    opened = open_page(save_page(draw(sample, spec), tmp_path / "battle.html"))
    opened.get_by_role("checkbox", name="Roads").uncheck()
    grids = sample.frame("grids")
    assert isinstance(grids, gpd.GeoDataFrame)
    areas = grids.loc[grids["level"] == "grid", "geometry"].reset_index(drop=True)
    middles = areas.representative_point().to_crs(4326)

    def seen() -> list[int]:
        drawn = [tuple(colour_at(opened, at.x, at.y, CANVAS)) for at in middles]
        return [sorted(set(drawn)).index(colour) for colour in drawn]

    # Without the roads there are no more colours than tints.
    wait_until(opened, lambda: 4 <= len(set(seen())) <= len(TINTS))
    assert alike(areas, seen()) == 0
    entries = opened.locator(".gm-legend li").filter(visible=True)
    expect(entries).to_have_text(["Grid38"])


@pytest.mark.parametrize(
    ("layer", "more"),
    [
        ("grid_results", ""),
        ("roads", ""),
        ("grids", ""),
        ("grids", 'split = "level"\nattributes = ["members"]'),
        ("microgrids", 'counts = "problems"'),
    ],
    ids=["graduated", "lines", "not split", "attributes", "counts"],
)
def test_colours_that_show_something_are_not_tinted(tmp_path: Path, layer: str, more: str) -> None:
    text = f'''
title = {{ en = "Own", zh = "自有" }}
description = {{ en = "Own", zh = "自有" }}
needs = ["grids"]

[[layers]]
layer = "{layer}"
tints = true
{more}
'''
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(
        CatalogError, match=rf"own\.toml: layers 1 \({layer}\)\.tints.*'{layer}'.*; leave tints out"
    ):
        load_catalog(tmp_path)
