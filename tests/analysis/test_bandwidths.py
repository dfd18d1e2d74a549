"""The bandwidth by cross-validation, beside the sums written out."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest

from gridmap import analysis
from gridmap.errors import ConformError


def points_of(xy: np.ndarray) -> gpd.GeoSeries:
    return gpd.GeoSeries.from_xy(xy[:, 0], xy[:, 1], crs=4549)


def written_out(xy: np.ndarray, width: float, method: str) -> float:
    """Return the score of a bandwidth, point by point; greater is better."""
    total, count = 0.0, len(xy)
    for own in range(count):
        others = (xy != xy[own]).any(axis=1)
        away = ((xy[others] - xy[own]) ** 2).sum(axis=1)
        told = np.exp(-away / (2 * width**2)).sum() / (2 * np.pi * width**2 * others.sum())
        total += np.log(told) if method == "likelihood" else 2 * told / count
    if method == "likelihood":
        return total
    away = ((xy[:, None] - xy[None]) ** 2).sum(axis=2)
    return total - (np.exp(-away / (4 * width**2)) / (4 * np.pi * width**2)).sum() / count**2


@pytest.mark.parametrize("method", ["least_squares", "likelihood"])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_of_all_candidates_by_the_sums_written_out(method: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = np.round(rng.normal(0, 100, (6, 2)).repeat(8, axis=0) + rng.normal(0, 12, (48, 2)), 1)
    xy = np.vstack((xy, xy[:5], xy[:3]))  # addresses that are reported again
    candidates = np.geomspace(4, 120, 12)
    told = [written_out(xy, width, method) for width in candidates]
    found = analysis.cross_validated_bandwidth(
        points_of(xy), candidates_m=candidates, method=method
    )
    assert found == pytest.approx(candidates[int(np.argmax(told))])


def test_reports_of_one_address_do_not_make_it_narrow() -> None:
    rng = np.random.default_rng(3)
    xy = rng.normal(0, 200, (200, 2))
    once = analysis.cross_validated_bandwidth(points_of(xy))
    often = analysis.cross_validated_bandwidth(points_of(np.vstack([xy] * 20)))
    # The rule of thumb, by which candidates go, is narrower for more points.
    assert often > 0.5 * once


def test_of_many_places_some_tell_it_for_all() -> None:
    rng = np.random.default_rng(3)
    xy = rng.normal(0, 100, (12_000, 2))
    points = points_of(xy)
    found = analysis.cross_validated_bandwidth(points)
    # The best one of a normal density is sd n^(-1/6).
    assert found == pytest.approx(100 * 12_000 ** (-1 / 6), rel=0.35)
    assert found == analysis.cross_validated_bandwidth(points)


def test_what_tells_nothing_is_refused() -> None:
    two = points_of(np.array([[0.0, 0], [5, 5], [5, 5]]))
    with pytest.raises(ConformError, match="2 places"):
        analysis.cross_validated_bandwidth(two)
    far = points_of(np.array([[0.0, 0], [9000, 0], [0, 9000]]))
    with pytest.raises(ConformError, match="No candidate reaches"):
        analysis.cross_validated_bandwidth(far, candidates_m=[1.0], method="likelihood")
    with pytest.raises(ConformError, match="must be above 0 m"):
        analysis.cross_validated_bandwidth(far, candidates_m=[0.0])
