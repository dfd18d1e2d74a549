"""Which hot spots hold on other divisions of the city, and how far problems lie together."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gridmap import analysis
from gridmap.measures.analyse import analyse, why_nothing
from gridmap.model import City
from gridmap.result import Analysed
from gridmap.settings import Analysis

COARSE = Analysis(h3_resolution=10)


def with_problems(city: City, xy: np.ndarray, **columns: object) -> City:
    """Return a city whose problems lie there, one after the other as often as it takes."""
    problems = city.frame("problems").iloc[: len(xy)].assign(**columns)
    problems = problems.set_geometry(
        gpd.GeoSeries(shapely.points(xy), problems.index), crs=city.crs
    )
    return replace(city, layers={**city.layers, "problems": problems})


@pytest.fixture(scope="module")
def strewn(sample: Analysed) -> np.ndarray:
    outline = sample.city.areas("district").union_all()
    points = gpd.GeoSeries([outline], crs=sample.city.crs).sample_points(3000, rng=1).explode()
    return shapely.get_coordinates(points.to_numpy())


def test_a_finding_is_told_with_where_it_is_found_again(sample: Analysed) -> None:
    found = analyse(sample.city, COARSE, want=["sensitivity", "hotspot_cells", "hotspots"])
    frame = found.frame("sensitivity")
    cells = found.frame("hotspot_cells")
    own = frame[frame["scheme"] == "cells"]
    assert own["units"].sum() == (cells["hotspot"] == "hot").sum()
    assert own.geometry.area.sum() == pytest.approx(
        cells.geometry[cells["hotspot"] == "hot"].area.sum()
    )
    problems = sample.frame("problems")
    placed = problems[~problems["pile"]]
    codes = analysis.cells_of(placed, 10)
    hot = {int(code, 16) for code in cells["code"][cells["hotspot"] == "hot"]}
    assert own["problems"].sum() == np.isin(codes, list(hot)).sum()
    assert (own["in_cells"] == 1.0).all()
    # Grids, the areas above them and coarser cells are too large to show any.
    assert (frame["of"] == 2).all()
    shares = frame[[f"in_{name}" for name in ("cells", "shifted", "coarser", "finer")]]
    inside = (shares >= 0.5).sum(axis=1) - 1
    assert (frame["again"] >= inside).all()
    assert frame["code"].is_unique
    assert set(frame["verdict"]) <= {"everywhere", "mostly", "seldom", "nowhere"}


def test_a_large_finding_is_found_again_in_parts_on_finer_cells(sample: Analysed) -> None:
    frame = sample.frame("sensitivity").set_index("code")
    first = frame.loc["cells:1"]
    # Finer cells show an eighth of its problems, all of what they show there.
    assert 0.1 <= first["in_finer"] < 0.5
    assert (first["again"], first["of"], first["verdict"]) == (3, 3, "everywhere")
    # What only the finest show is found nowhere else.
    lone = frame[(frame[["in_cells", "in_shifted", "in_coarser"]] == 0).all(axis=1)]
    assert len(lone) > 0
    assert (lone["verdict"] == "nowhere").all()


def test_a_finding_of_a_finer_lattice_is_that_of_the_lattice_by_itself(sample: Analysed) -> None:
    frame = analyse(sample.city, COARSE, want=["sensitivity"]).frame("sensitivity")
    finer = analyse(sample.city, Analysis(h3_resolution=11), want=["hotspot_cells"])
    cells = finer.frame("hotspot_cells")
    own = frame[frame["scheme"] == "finer"]
    assert own["units"].sum() == (cells["hotspot"] == "hot").sum()
    assert shapely.union_all(own.geometry.to_numpy()).symmetric_difference(
        shapely.union_all(cells.geometry[cells["hotspot"] == "hot"].to_numpy())
    ).area == pytest.approx(0.0, abs=1e-3)


def test_what_stands_out_by_far_is_found_on_every_lattice(
    sample: Analysed, strewn: np.ndarray
) -> None:
    place = sample.city.areas("grid").geometry.iloc[20].representative_point()
    heap = np.random.default_rng(2).normal((place.x, place.y), 60.0, (1200, 2))
    city = with_problems(sample.city, np.vstack((strewn, heap)))
    settings = Analysis(h3_resolution=10, exposure="none")
    frame = analyse(city, settings, want=["sensitivity"]).frame("sensitivity")
    at = frame[frame.geometry.intersects(place)].set_index("scheme")
    assert {"cells", "shifted", "finer"} <= set(at.index)
    assert (
        at.loc[["cells", "shifted", "finer"], ["in_cells", "in_shifted", "in_finer"]] > 0.5
    ).all(axis=None)
    # What lies off a shifted lattice lies where it is, not where the lattice was moved to.
    for name in ("cells", "shifted"):
        assert at.geometry[name].centroid.distance(place) < 150


def test_a_city_without_hot_spots_has_no_findings(sample: Analysed, strewn: np.ndarray) -> None:
    city = with_problems(sample.city, strewn)
    found = analyse(city, Analysis(h3_resolution=11, exposure="none"), want=["sensitivity"])
    assert len(found.frame("sensitivity")) == 0
    assert "nothing of the kind" in str(why_nothing(found, "sensitivity"))
    alone = replace(city, layers={"problems": city.frame("problems")})
    assert len(analyse(alone, Analysis(), want=["sensitivity"]).frame("sensitivity")) >= 0


def test_problems_strewn_evenly_lie_neither_together_nor_apart(
    sample: Analysed, strewn: np.ndarray
) -> None:
    rng = np.random.default_rng(3)
    city = with_problems(sample.city, strewn, category=rng.choice(["占道经营", "暴露垃圾"], 3000))
    frame = analyse(city, Analysis(), want=["spacing"]).frame("spacing")
    assert set(frame["kind"]) == {"plane", "roads", "category"}
    of = frame[frame["kind"] != "roads"]  # of which those near a road are strewn about it
    assert (of["pattern"] == "none").all()
    assert frame["ratio"][frame["kind"] == "plane"].between(0.9, 1.1).all()


def test_a_category_in_one_corner_lies_together(sample: Analysed, strewn: np.ndarray) -> None:
    west = strewn[:, 0] < np.quantile(strewn[:, 0], 0.2)
    city = with_problems(sample.city, strewn, category=np.where(west, "占道经营", "暴露垃圾"))
    frame = analyse(city, Analysis(), want=["spacing"]).frame("spacing")
    own = frame[frame["category"] == "占道经营"]
    assert (own["pattern"] == "together").all()
    assert (own["ratio"] > 2).all()
    assert (own["points"] == west.sum()).all()
    assert frame["code"].is_unique


def test_too_few_problems_tell_nothing_of_distances(sample: Analysed, strewn: np.ndarray) -> None:
    city = with_problems(sample.city, strewn[:15])
    found = analyse(city, Analysis(), want=["spacing"])
    assert found.frame("spacing") is None
    assert "twenty problems" in str(why_nothing(found, "spacing"))


def test_the_density_takes_the_bandwidth_of_cross_validation(sample: Analysed) -> None:
    rule = analyse(sample.city, Analysis(), want=["density"]).frame("density")
    chosen = analyse(sample.city, Analysis(bandwidth_by="cross_validation"), want=["density"])
    problems = sample.frame("problems")
    width = analysis.cross_validated_bandwidth(problems[~problems["pile"]].geometry)
    given = analyse(sample.city, Analysis(bandwidth_m=width), want=["density"]).frame("density")
    frame = chosen.frame("density")
    assert frame["high"].tolist() == given["high"].tolist() != rule["high"].tolist()
    assert chosen.results["density"].parameters["bandwidth_by"] == "cross_validation"
