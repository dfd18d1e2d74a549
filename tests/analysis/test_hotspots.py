from pathlib import Path

import esda
import geopandas as gpd
import h3
import libpysal
import numpy as np
import pandas as pd
import pytest
import rdata
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS, grid_of, points_at

from gridmap.analysis import cell_grid, cell_neighbours, getis_ord, hotspots, neighbours

ROWS = ["abcd", "efgh", "ijkl", "mnop"]


def test_neighbours_of_a_coverage_are_those_of_queen_contiguity() -> None:
    areas = grid_of("\n".join(ROWS))
    queen = libpysal.weights.Queen.from_dataframe(areas, use_index=False, silence_warnings=True)
    dense = neighbours(areas).toarray()
    assert (np.diag(dense) == 1).all()
    np.fill_diagonal(dense, 0)
    assert (dense == queen.full()[0]).all()


def test_a_hairline_does_not_part_neighbours() -> None:
    areas = grid_of("ab")
    areas.loc[1, "geometry"] = areas.geometry[1].buffer(-0.2)
    assert neighbours(areas, distance_m=1.0).nnz == 4
    assert neighbours(areas, distance_m=0.0).nnz == 2


@settings(max_examples=30)
@given(st.lists(st.integers(0, 50), min_size=16, max_size=16).filter(lambda v: len(set(v)) > 1))
def test_gi_star_is_that_of_esda(values: list[int]) -> None:
    areas = grid_of("\n".join(ROWS))
    queen = libpysal.weights.Queen.from_dataframe(areas, use_index=False, silence_warnings=True)
    peer = esda.G_Local(np.array(values, float), queen, transform="B", permutations=0, star=True)
    assert getis_ord(np.array(values, float), neighbours(areas)) == pytest.approx(peer.Zs)


@pytest.mark.real
def test_gi_star_is_the_published_figure() -> None:
    """Ord and Getis's 16 x 16 example: Gi* of the centre cell at distance 30 is 1.4508."""
    file = Path(__file__).parents[3] / "shared/data/known_answers/getisord.rda"
    if not file.exists():
        pytest.skip(f"needs {file.name}, see examples/README.md")
    frame = rdata.read_rda(file)["go_xyz"]
    x, y, value = (frame[name].to_numpy(float) for name in ("x", "y", "val"))
    near = np.hypot(x[:, None] - x, y[:, None] - y) <= 30
    z = getis_ord(value, sp.csr_array(near.astype(float)))
    # The example's centre is the cell at (210, 210) of a lattice of 30.
    centre = np.flatnonzero((x == 210) & (y == 210))
    assert z[centre] == pytest.approx(1.4508, abs=5e-5)


@pytest.mark.parametrize("values", [[], [5.0], [3.0, 3.0, 3.0, 3.0], [0.0] * 4, [0.1 + 0.2] * 4])
def test_values_that_do_not_vary_have_no_hot_spot(values: list[float]) -> None:
    weights = sp.csr_array(np.ones((len(values), len(values))))
    assert (getis_ord(np.array(values), weights) == 0).all()
    counts = pd.Series(values, dtype="float64").round().astype("Int64")
    assert (hotspots(counts, weights)["hotspot"] == "none").all()


def test_a_cluster_is_hot_and_its_far_opposite_is_not() -> None:
    drawing = "\n".join(
        "".join(chr(0x4E00 + 12 * row + column) for column in range(12)) for row in range(12)
    )
    areas = grid_of(drawing)
    counts = pd.Series(2, index=areas.index, dtype="Int64")
    centre = areas.distance(areas.geometry[70].centroid) < 120
    counts[centre] = 30
    found = hotspots(counts, neighbours(areas))
    assert (found.loc[centre, "hotspot"] == "hot").any()
    assert (found.loc[found["hotspot"] == "hot", "z"] > 2).all()
    assert found.loc[143, "hotspot"] == "none"
    assert (found["q"] >= found["p"] - 1e-15).all()


def test_the_cells_of_points_are_those_of_h3_and_none_is_lost() -> None:
    generator = np.random.default_rng(3)
    points = points_at(*generator.uniform(0, 1500, (200, 2)))
    outline = grid_of("a", 1500).geometry[0]
    cells = cell_grid(points, outline, resolution=9)
    assert cells["count"].sum() == 200
    degrees = points.to_crs(4326).geometry
    expected = {h3.latlng_to_cell(p.y, p.x, 9) for p in degrees}
    assert expected <= set(cells["code"])
    assert cells["code"].is_monotonic_increasing
    assert (cells["count"] == 0).any()
    assert cells.union_all().buffer(0.01).covers(outline)


def test_neighbours_of_cells_are_their_rings() -> None:
    centre = h3.latlng_to_cell(30.7, 120.9, 9)
    codes = sorted(h3.grid_disk(centre, 2))
    dense = cell_neighbours(codes).toarray()
    expected = [[float(b in h3.grid_disk(a, 1)) for b in codes] for a in codes]
    assert (dense == np.array(expected)).all()


def test_no_cells_are_no_trouble() -> None:
    empty = gpd.GeoDataFrame({"code": []}, geometry=[], crs=CRS)
    assert cell_neighbours([]).shape == (0, 0)
    assert cell_grid(empty, None, resolution=9).empty
