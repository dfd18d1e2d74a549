from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from scipy import stats

from gridmap.analysis import bands, kernel_density
from gridmap.analysis.clusters.density import Surface, _covered, ascii_grid, bandwidth
from gridmap.errors import ConformError

Floats = npt.NDArray[np.float64]


def cloud(count: int = 400) -> gpd.GeoSeries:
    generator = np.random.default_rng(5)
    xy = generator.normal([500_000, 3_400_000], 300, (count, 2))
    return gpd.GeoSeries(shapely.points(xy), crs="EPSG:4549")


def test_the_surface_holds_every_point() -> None:
    surface = kernel_density(cloud(), bandwidth_m=100)
    assert surface.values.sum() * surface.cell_m**2 / 1e6 == pytest.approx(400, rel=1e-3)


def test_the_surface_is_the_sum_of_kernels() -> None:
    points = cloud(50)
    surface = kernel_density(points, bandwidth_m=150)
    row, column = np.array(surface.values.shape) // 2
    x = surface.west + column * surface.cell_m
    y = surface.south + row * surface.cell_m
    kernel = stats.norm(scale=150).pdf
    exact = (kernel(points.x - x) * kernel(points.y - y)).sum() * 1e6
    assert surface.values[row, column] == pytest.approx(exact, rel=0.05)


def test_the_bandwidth_is_silvermans() -> None:
    points = cloud()
    x, y = points.x.to_numpy(), points.y.to_numpy()
    distance = np.hypot(x - x.mean(), y - y.mean())
    spread = min(np.sqrt((distance**2).mean()), np.median(distance) / np.sqrt(np.log(2)))
    assert bandwidth(x, y) == pytest.approx(0.9 * spread * 400**-0.2)


def test_points_on_one_spot_make_a_small_hill() -> None:
    spot = gpd.GeoSeries(shapely.points([[500_000, 3_400_000]] * 5), crs="EPSG:4549")
    surface = kernel_density(spot)
    assert surface.bandwidth_m == 1.0
    assert not bands(surface, spot.crs).empty


def test_bands_rise_nest_side_by_side_and_are_valid() -> None:
    made = bands(kernel_density(cloud(), bandwidth_m=100), "EPSG:4549")
    assert made["low"].is_monotonic_increasing
    assert (made["low"].iloc[1:].to_numpy() == made["high"].iloc[:-1].to_numpy()).all()
    assert made.is_valid.all()
    assert made.area.to_numpy() == pytest.approx(made["area_m2"].to_numpy())
    assert shapely.intersection_all(made.geometry.to_numpy()[:2]).area < 1.0


def direct(points: gpd.GeoSeries, surface: Surface, weights: np.ndarray | None = None) -> Floats:
    """The plain sum of kernels at the centre of every cell."""
    rows, columns = surface.values.shape
    x = surface.west + surface.cell_m * np.arange(columns)
    y = surface.south + surface.cell_m * np.arange(rows)
    kernel = stats.norm(scale=surface.bandwidth_m).pdf
    across = kernel(points.x.to_numpy()[:, None] - x)
    up = kernel(points.y.to_numpy()[:, None] - y)
    weight = np.ones(len(points)) if weights is None else weights
    return np.einsum("n,ni,nj->ij", weight, up, across) * 1e6


def box_mass(surface: Surface, box: tuple[float, float, float, float]) -> Floats:
    """The mass inside a box of a kernel at the centre of every cell."""
    rows, columns = surface.values.shape
    x = surface.west + surface.cell_m * np.arange(columns)
    y = surface.south + surface.cell_m * np.arange(rows)
    cdf = stats.norm(scale=surface.bandwidth_m).cdf
    across, up = cdf(box[2] - x) - cdf(box[0] - x), cdf(box[3] - y) - cdf(box[1] - y)
    return up[:, None] * across


@pytest.mark.parametrize("bandwidth_m", [None, 40.0, 150.0])
def test_the_surface_is_the_direct_sum(bandwidth_m: float | None) -> None:
    points = cloud()
    surface = kernel_density(points, bandwidth_m=bandwidth_m)
    exact = direct(points, surface)
    assert np.abs(surface.values - exact).max() < 1e-4 * exact.max()
    held = surface.values.sum() * surface.cell_m**2 / 1e6
    assert held == pytest.approx(len(points), rel=1e-9)


def test_weights_are_kept_and_none_is_one() -> None:
    points = cloud(60)
    weights = pd.Series(np.random.default_rng(1).uniform(0, 4, 60))
    surface = kernel_density(points, bandwidth_m=120, weights=weights)
    exact = direct(points, surface, weights.to_numpy())
    assert np.abs(surface.values - exact).max() < 1e-4 * exact.max()
    assert surface.values.sum() * surface.cell_m**2 / 1e6 == pytest.approx(weights.sum())
    same = kernel_density(points, weights=pd.Series([2.0] * 60))
    assert same.bandwidth_m == pytest.approx(kernel_density(points).bandwidth_m, rel=0.05)
    doubled = kernel_density(points, bandwidth_m=120, weights=pd.Series([2.0] * 60))
    plain = kernel_density(points, bandwidth_m=120)
    assert doubled.values == pytest.approx(2 * plain.values)


def test_edges_are_corrected_by_the_mass_inside() -> None:
    box = (500_000.0, 3_400_000.0, 501_000.0, 3_400_600.0)
    xy = np.random.default_rng(2).uniform(box[:2], box[2:], (300, 2))
    points = gpd.GeoSeries(shapely.points(xy), crs="EPSG:4549")
    surface = kernel_density(points, bandwidth_m=100, outline=shapely.box(*box), edges="level")
    known = ~np.isnan(surface.values)
    exact = direct(points, surface) / box_mass(surface, box)
    assert surface.values[known] == pytest.approx(exact[known], rel=2e-3)
    rows, columns = np.nonzero(known)
    x, y = surface.west + surface.cell_m * columns, surface.south + surface.cell_m * rows
    assert (x.min(), x.max()) == pytest.approx((box[0], box[2]), abs=2 * surface.cell_m)
    assert (y.min(), y.max()) == pytest.approx((box[1], box[3]), abs=2 * surface.cell_m)


def test_a_corrected_even_density_is_even() -> None:
    """On a lattice of points, in an area with a corner and a hole, the edges do not sink."""
    outline = shapely.box(0, 0, 2000, 2000).difference(shapely.box(1200, 1200, 2100, 2100))
    outline = outline.difference(shapely.box(400, 400, 800, 800))
    ticks = np.arange(10.0, 2000.0, 20.0)
    xy = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    points = gpd.GeoSeries(shapely.points(xy), crs="EPSG:4549")
    even = kernel_density(points, bandwidth_m=100, outline=outline, edges="level")
    inside = even.values[~np.isnan(even.values)]
    assert inside == pytest.approx(np.full(len(inside), 2500.0), rel=0.03)
    made = bands(even, "EPSG:4549", outline=outline)
    assert made.union_all().within(outline.buffer(1e-6))
    assert made["area_m2"].sum() == pytest.approx(outline.area, rel=1e-6)


CORNERED = shapely.box(0, 0, 2000, 2000).difference(shapely.box(1200, 1200, 2100, 2100))


@pytest.mark.parametrize("bandwidth_m", [None, 20.0, 100.0, 400.0])
@pytest.mark.parametrize("seed", range(3))
def test_by_mass_no_point_is_lost_at_edges(bandwidth_m: float | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 2000, (400, 2))
    points = gpd.GeoSeries(shapely.points(xy), crs="EPSG:4549")
    weights = pd.Series(rng.uniform(0, 3, 400))
    kept = points.intersects(CORNERED)
    for weight, total in ((None, kept.sum()), (weights, weights[kept].sum())):
        surface = kernel_density(
            points, bandwidth_m=bandwidth_m, weights=weight, outline=CORNERED, edges="mass"
        )
        assert surface.mass == pytest.approx(total, rel=1e-9)
        assert surface.inside is not None
        assert (surface.values[surface.inside > 0] >= 0).all()


def test_by_mass_a_kernel_is_divided_by_what_it_has_inside() -> None:
    box = (500_000.0, 3_400_000.0, 501_000.0, 3_400_600.0)
    xy = np.random.default_rng(2).uniform(box[:2], box[2:], (300, 2))
    points = gpd.GeoSeries(shapely.points(xy), crs="EPSG:4549")
    surface = kernel_density(points, bandwidth_m=100, outline=shapely.box(*box), edges="mass")
    cdf = stats.norm(scale=100).cdf
    across = cdf(box[2] - xy[:, 0]) - cdf(box[0] - xy[:, 0])
    up = cdf(box[3] - xy[:, 1]) - cdf(box[1] - xy[:, 1])
    exact = direct(points, surface, 1.0 / (across * up))
    known = ~np.isnan(surface.values)
    # To the width of a cell: the mass is that of the points of a cell together.
    assert np.abs(surface.values - exact)[known].max() < 6e-3 * exact.max()


def test_a_surface_without_outline_holds_every_point_too() -> None:
    assert kernel_density(cloud(), bandwidth_m=90).mass == pytest.approx(len(cloud()))
    by_level = kernel_density(cloud(), outline=shapely.box(*cloud().total_bounds), edges="level")
    assert by_level.mass != pytest.approx(len(cloud()), rel=1e-3)


def test_the_share_of_cells_inside_is_that_of_their_polygons() -> None:
    outline = shapely.Polygon(
        [(3.1, 2.2), (17.7, 4.4), (12.3, 15.9), (9.0, 9.1), (4.2, 16.3)],
        [[(8, 5), (11, 6), (9, 8)]],
    ).union(shapely.box(16.25, 12.5, 18.75, 17.0))
    found = _covered(outline, 0.0, 0.0, 1.0, 20, 20)
    exact = np.array(
        [
            [outline.intersection(shapely.box(c - 0.5, r - 0.5, c + 0.5, r + 0.5)).area
             for c in range(20)]
            for r in range(20)
        ]
    )  # fmt: skip
    assert found == pytest.approx(exact, abs=0.06)
    assert found.sum() == pytest.approx(outline.area, rel=5e-3)


def test_points_outside_the_outline_do_not_count() -> None:
    inside = cloud(30)
    outline = shapely.box(*inside.total_bounds).buffer(10)
    stray = gpd.GeoSeries([shapely.Point(510_000, 3_400_000)], crs=inside.crs)
    both = kernel_density(pd.concat([inside, stray]), bandwidth_m=90, outline=outline)
    alone = kernel_density(inside, bandwidth_m=90, outline=outline)
    assert both.values == pytest.approx(alone.values, nan_ok=True)


def test_missing_and_empty_points_are_left_out() -> None:
    points = cloud(20)
    more = pd.concat([points, gpd.GeoSeries([None, shapely.Point()], crs=points.crs)])
    assert (
        kernel_density(more, bandwidth_m=80).values == kernel_density(points, bandwidth_m=80).values
    ).all()


@pytest.mark.parametrize("far", [1e9, -1e9])
def test_far_away_it_is_the_same(far: float) -> None:
    near, there = cloud(50), cloud(50).translate(far, far)
    one, other = (kernel_density(points, bandwidth_m=100) for points in (near, there))
    assert other.values == pytest.approx(one.values, rel=1e-4, abs=1e-4)


def test_one_point_and_wide_extents_keep_their_mass() -> None:
    one = gpd.GeoSeries([shapely.Point(5.0, 5.0)], crs="EPSG:4549")
    wide = gpd.GeoSeries([shapely.Point(0, 0), shapely.Point(1e9, 1e9)], crs="EPSG:4549")
    for points in (one, wide):
        surface = kernel_density(points, bandwidth_m=10.0)
        assert surface.values.size < 4.3e6
        assert surface.values.sum() * surface.cell_m**2 / 1e6 == pytest.approx(len(points))


def test_what_cannot_be_estimated_is_an_error() -> None:
    points = cloud(3)
    with pytest.raises(ConformError, match="no point"):
        kernel_density(points.iloc[:0])
    with pytest.raises(ConformError, match="no point"):
        kernel_density(points, outline=shapely.box(0, 0, 1, 1))
    with pytest.raises(ConformError, match="no point"):
        kernel_density(points, weights=pd.Series([0.0, 0.0, 0.0]))
    for weights in ([1.0, np.nan, 1.0], [1.0, -1.0, 1.0], [1.0]):
        with pytest.raises(ConformError, match="weights"):
            kernel_density(points, weights=pd.Series(weights))
    for value in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ConformError, match="bandwidth"):
            kernel_density(points, bandwidth_m=value)


def test_the_ascii_grid_reads_back() -> None:
    outline = shapely.box(*cloud().total_bounds)
    surface = kernel_density(cloud(), bandwidth_m=150, outline=outline)
    lines = ascii_grid(surface).splitlines()
    head = dict(line.split() for line in lines[:6])
    values = np.array([line.split() for line in lines[6:]], dtype=float)[::-1]
    assert values.shape == (int(head["nrows"]), int(head["ncols"])) == surface.values.shape
    assert float(head["xllcenter"]) == surface.west
    assert float(head["cellsize"]) == surface.cell_m
    known = ~np.isnan(surface.values)
    assert (values[~known] == float(head["NODATA_value"])).all()
    assert values[known] == pytest.approx(surface.values[known], rel=1e-5)
