"""Whether the map as a whole clusters, and which cells and grids are like what lies about them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import shapely

from gridmap import analysis
from gridmap.measures.analyse import analyse, why_nothing
from gridmap.result import Analysed
from gridmap.settings import Analysis

RESIDENTS, PATROLS = ("12345热线", "随手拍"), ("巡查", "视频")


def test_the_whole_map_clusters_and_the_numbers_are_those_of_the_functions(
    sample: Analysed,
) -> None:
    frame = sample.frame("associations").set_index("code")
    assert list(frame.index) == [
        "grids:moran", "grids:general_g", "cells:moran", "cells:general_g",
    ]  # fmt: skip
    assert frame["pattern"].eq("together").all()
    near = analysis.neighbours(sample.city.areas("grid"), distance_m=1.0)
    counts = sample.frame("grid_results")["problems"]
    told = analysis.general_g(counts.astype(float), near)
    row = frame.loc["grids:general_g"]
    assert row[["value", "expected", "z", "p"]].tolist() == pytest.approx(
        [told.value, told.expected, told.z, told.p]
    )
    told = analysis.global_moran(sample.frame("clusters")["value"], near)
    assert frame.loc["grids:moran", "value"] == pytest.approx(told.value)
    cells = sample.frame("hotspot_cells")
    told = analysis.global_moran(
        cells["count"], analysis.cell_neighbours(list(cells["code"])), exposure=cells["expected"]
    )
    assert frame.loc["cells:moran", ["value", "p"]].tolist() == pytest.approx([told.value, told.p])
    # Every value somewhere else: no pattern is left in the cells.
    problems = sample.city.frame("problems")
    mixed = problems.set_geometry(
        shapely.points(
            problems.geometry.x.sample(frac=1, random_state=1).to_numpy(),
            problems.geometry.y.sample(frac=1, random_state=2).to_numpy(),
        ),
        crs=problems.crs,
    )
    city = replace(sample.city, layers={**sample.city.layers, "problems": mixed})
    asked = Analysis(h3_resolution=10, permutations=99, exposure="none")
    strewn = analyse(city, asked, want=["associations"]).frame("associations").set_index("code")
    assert strewn.loc["cells:moran", "value"] < frame.loc["cells:moran", "value"] + 0.5
    assert (strewn["p"] * 100).round(9).mod(1).eq(0).all()


def test_a_city_of_too_few_units_has_no_pattern(sample: Analysed) -> None:
    settings = Analysis(level="district", h3_resolution=6)
    layers = {name: sample.city.layers[name] for name in ("problems", "grids")}
    city = replace(sample.city, layers=layers)
    found = analyse(city, settings, want=["associations"])
    assert found.frame("associations") is None
    assert "it takes four grids or cells" in str(why_nothing(found, "associations"))


def test_cells_that_residents_report_and_patrols_pass_by(sample: Analysed) -> None:
    settings = Analysis(h3_resolution=10, residents=RESIDENTS, patrols=PATROLS, alpha=0.2)
    problems = sample.city.frame("problems")
    west = problems.geometry.x < problems.geometry.x.median()
    source = problems["source"].mask(west, RESIDENTS[0]).mask(~west, PATROLS[0])
    parted = problems.assign(source=source)
    city = replace(sample.city, layers={**sample.city.layers, "problems": parted})
    frame = analyse(city, settings, want=["bivariate"]).frame("bivariate")
    found = frame["cluster"]
    assert (
        frame["residents"].sum() + frame["patrols"].sum()
        == (~sample.frame("problems")["pile"]).sum()
    )
    assert {"high_low", "low_high"} <= set(found)
    assert not found.isin(["high_high", "low_low"]).all()
    middle = problems.geometry.x.median()
    assert (frame[found == "high_low"].centroid.x < middle).all()
    assert (frame[found == "low_high"].centroid.x > middle).all()
    told = analyse(sample.city, Analysis(h3_resolution=10), want=["hotspot_cells", "bivariate"])
    assert told.frame("bivariate") is None


def test_grids_like_their_neighbours_are_told_by_geary(sample: Analysed) -> None:
    frame = sample.frame("geary")
    assert frame["value"].tolist() == sample.frame("clusters")["value"].tolist()
    near = analysis.neighbours(sample.city.areas("grid"), distance_m=1.0)
    told = analysis.local_geary(frame["value"], near, permutations=9999)
    assert frame["geary"].tolist() == pytest.approx(told["geary"].tolist())
    assert frame["p"].tolist() == told["p_sim"].tolist()
    step = pd.Series(0.0, index=frame.index).where(frame.index > 18, 100.0)
    alike = analysis.local_geary(step, near, alpha=0.5)["cluster"]
    assert set(alike) <= {"high_high", "low_low", "other_alike", "unlike", "none"}
