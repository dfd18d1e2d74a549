import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy import stats

from gridmap.analysis import bands, kernel_density
from gridmap.analysis.density import bandwidth


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
