"""What problems are held against by default, and what the maps say of it."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap import analysis
from gridmap.errors import ConformError
from gridmap.measures.analyse import analyse
from gridmap.messages import LANGUAGES
from gridmap.outputs.tables.explained import explained
from gridmap.result import Analysed
from gridmap.settings import Analysis


def held(sample: Analysed, settings: Analysis, *names: str, **layers: gpd.GeoDataFrame) -> set[str]:
    city = replace(sample.city, layers={**sample.city.layers, **layers})
    found = analyse(city, settings, want=names)
    return {value for name in names for value in found.frame(name)["held_against"].unique()}


def without(sample: Analysed, *names: str) -> Analysed:
    layers = {name: rows for name, rows in sample.city.layers.items() if name not in names}
    return replace(sample, city=replace(sample.city, layers=layers))


def with_hours(sample: Analysed) -> gpd.GeoDataFrame:
    grids = sample.city.layers["grids"].copy()
    grids["patrol_hours"] = np.arange(len(grids)) + 10.0
    grids["population"] = pd.Series(300, index=grids.index, dtype="Int64")
    return grids


def test_what_is_known_is_taken_by_default_and_else_counts(sample: Analysed) -> None:
    both = ("hotspots", "hotspot_cells", "source_hotspots")
    settings = Analysis(h3_resolution=10, residents=("12345热线",), patrols=("巡查",))
    assert held(sample, settings, *both) == {"households"}
    assert held(without(sample, "buildings"), settings, *both) == {"roads"}
    bare = without(sample, "buildings", "roads")
    assert held(bare, settings, *both) == {"counts"}
    assert held(bare, settings, "hotspots", grids=with_hours(sample)) == {"population"}
    # What is known of grids alone says nothing of cells.
    assert held(bare, settings, "hotspot_cells", grids=with_hours(sample)) == {"counts"}


def test_the_settings_may_name_it(sample: Analysed) -> None:
    grids = with_hours(sample)
    for name in ("none", "households", "population", "roads", "patrol_hours"):
        expected = {"counts" if name == "none" else name}
        assert held(sample, Analysis(exposure=name), "hotspots", grids=grids) == expected
    assert Analysis.model_validate({"exposure": ""}).exposure == "none"
    with pytest.raises(
        ConformError, match=r'"camera_hours", but no unit has any; add grids\.camera'
    ):
        held(sample, Analysis(exposure="camera_hours"), "hotspots")
    with pytest.raises(ConformError, match="but no unit has any; add roads to the city file"):
        held(without(sample, "roads"), Analysis(exposure="roads"), "hotspot_cells")


def test_what_misses_many_problems_is_not_taken_by_itself(sample: Analysed) -> None:
    grids = with_hours(sample)
    worst = sample.frame("grid_results").nlargest(1, "problems")["code"]
    few = grids.assign(
        population=grids["population"].mask(grids["code"].isin(worst), 0),
        patrol_hours=grids["patrol_hours"],
    )
    bare = without(sample, "buildings", "roads")
    assert held(bare, Analysis(), "hotspots", grids=few) == {"patrol_hours"}
    assert held(bare, Analysis(exposure="population"), "hotspots", grids=few) == {"population"}


def test_what_is_expected_adds_up_and_the_lengths_are_those_of_the_roads(sample: Analysed) -> None:
    found = analyse(sample.city, Analysis(exposure="roads", h3_resolution=9),
                    want=["hotspots", "hotspot_cells"])  # fmt: skip
    for name in ("hotspots", "hotspot_cells"):
        frame = found.frame(name)
        some = frame["expected"].notna()
        assert frame["expected"].sum() == pytest.approx(frame.loc[some, "count"].sum())
    cells = found.frame("hotspot_cells")
    roads = shapely.union_all(sample.city.layers["roads"].geometry.to_numpy())
    true = shapely.length(shapely.intersection(cells.geometry.to_numpy(), roads))
    share = cells["expected"].fillna(0) / cells["expected"].sum()
    every = sample.city.layers["roads"].length.sum()
    assert share.to_numpy() * every == pytest.approx(true * every / true.sum(), abs=25.0)


def test_households_are_spread_to_the_streets_about_a_door(sample: Analysed) -> None:
    for resolution in (9, 10, 11):
        settings = Analysis(h3_resolution=resolution)
        cells = analyse(sample.city, settings, want=["hotspot_cells"]).frame("hotspot_cells")
        assert (cells["expected"] > 0).all()
        assert cells["expected"].sum() == pytest.approx(cells["count"].sum())
    # One house, of which half a neighbourhood of 60 m tells.
    lone = sample.city.layers["buildings"].head(1)
    cells = analyse(
        replace(sample.city, layers={**sample.city.layers, "buildings": lone}),
        Analysis(h3_resolution=11, exposure="households"), want=["hotspot_cells"],
    ).frame("hotspot_cells")  # fmt: skip
    home = lone.representative_point().iloc[0]
    share = (cells["expected"] / cells["expected"].sum()).fillna(0)
    east = cells.centroid.x - home.x
    assert np.sqrt((share * east**2).sum()) == pytest.approx(60.0, rel=0.25)


def test_a_constant_rate_with_a_dense_centre_is_no_hot_spot() -> None:
    """By counts such a city is hot in its middle, by households it is not."""
    side, rng = 20, np.random.default_rng(5)
    y, x = np.divmod(np.arange(side * side), side)
    households = 5 + np.rint(200 * np.exp(-((x - 10) ** 2 + (y - 10) ** 2) / 32.0)).astype(int)
    shapes = shapely.box(
        500_000 + 100 * x, 3_400_000 + 100 * y, 500_100 + 100 * x, 3_400_100 + 100 * y
    )
    codes = pd.Series([f"g{k:03}" for k in range(side * side)], dtype="string")
    grids = gpd.GeoDataFrame({"code": codes, "households": households}, geometry=shapes, crs=4549)
    hot = {}
    for name, exposure in (("households", pd.Series(households)), ("counts", None)):
        counts = pd.Series(rng.poisson(0.1 * households))
        told = analysis.hotspots(counts, analysis.neighbours(grids), exposure=exposure)
        hot[name] = int((told["hotspot"] != "none").sum())
    assert hot["households"] == 0
    assert hot["counts"] > 20


def test_findings_explain_themselves(sample: Analysed) -> None:
    told = {}
    for name in ("hotspots", "hotspot_cells", "source_hotspots", "clusters", "emerging",
                 "network_hotspots", "black_spots", "unseen"):  # fmt: skip
        result = sample.results[name]
        if result.frame.empty:
            continue
        for lang in LANGUAGES:
            said = explained(result, result.frame, lang)
            assert said is not None
            assert said.brief
            assert "{" not in said.text
            told[name, lang] = said
    cells = sample.frame("hotspot_cells")
    text = told["hotspot_cells", "en"].text
    found = cells["hotspot"].isin(["hot", "cold"])
    assert told["hotspot_cells", "en"].brief == "Held against households"
    assert text.startswith(f"{found.sum()} of {cells['q'].notna().sum():,} units stand out.")
    assert f"an adjusted p of {cells.loc[found, 'q'].max():.3f}" in text
    assert f"level of 0.005, {(cells.loc[found, 'q'] <= 0.005).sum()} would be left" in text
    assert "at most 5 % of what is shown is chance" in text
    assert told["hotspot_cells", "zh"].brief == "比较基准：户数"
    assert explained(sample.results["grid_results"], sample.frame("grid_results"), "en") is None


@pytest.mark.parametrize(
    ("settings", "brief", "said"),
    [
        ({"exposure": "none"}, "Counts, not rates", "these are counts, not rates"),
        ({"hotspot_p": "normal"}, "Held against households", "by the normal distribution"),
        ({"permutations": 999}, "Held against households", "in how many of 999 maps"),
        ({"alpha": 0.2}, "Held against households", "at most 20 % of what is shown"),
    ],
)
def test_the_explanation_is_that_of_what_was_computed(
    sample: Analysed, settings: dict[str, object], brief: str, said: str
) -> None:
    asked = Analysis.model_validate({"h3_resolution": 10, **settings})
    result = analyse(sample.city, asked, want=["hotspot_cells"]).results["hotspot_cells"]
    told = explained(result, result.frame, "en")
    assert told is not None
    assert told.brief == brief
    assert said in told.text
