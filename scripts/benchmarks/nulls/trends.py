"""Trends of series, and emerging hot spots of cities, in which nothing comes or goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from benchmarks.lines import Line, Options, note
from benchmarks.nulls._published import hamed_rao, trend_free_pre_whitening
from benchmarks.nulls._rates import mean, rate, row
from gridmap import analysis

__all__ = ["CITIES", "SERIES", "city", "run"]

Floats = npt.NDArray[np.float64]

TRIALS, CITY_TRIALS = 10_000, 40
BINS, CITY_BINS = (10, 12, 20, 30, 60), (12, 52)
LEVEL = 0.05
SIDE = 20  # cells of a made city
_PATTERNS = ("new_hot", "intensifying_hot", "diminishing_hot")


def run(options: Options) -> Iterator[Line]:
    """Yield the trends of series without any, and what emerges in cities where nothing does.

    ``--size`` is the number of series of each kind and length; of cities it is a hundredth.
    """
    yield from _of_series(options)
    yield from _of_cities(options)


def remembering(memory: float) -> Callable[[np.random.Generator, int, int], Floats]:
    """Return how series are made of which each value takes after the one before."""

    def made(rng: np.random.Generator, rows: int, bins: int) -> Floats:
        news = rng.normal(size=(rows, bins))
        news[:, 1:] *= np.sqrt(1.0 - memory**2)
        for at in range(1, bins):
            news[:, at] += memory * news[:, at - 1]
        return news

    return made


def sharing(previous: int) -> Callable[[np.random.Generator, int, int], Floats]:
    """Return how series are made of which each value holds the events of some bins before too."""

    def made(rng: np.random.Generator, rows: int, bins: int) -> Floats:
        sums = np.cumsum(rng.normal(size=(rows, bins)), axis=1)
        window = sums.copy()
        window[:, previous + 1 :] -= sums[:, : -previous - 1]
        window /= np.sqrt(np.minimum(np.arange(bins), previous) + 1.0)
        return window

    return made


SERIES: Mapping[str, Callable[[np.random.Generator, int, int], Floats]] = {
    "independent": remembering(0.0),
    "AR(1) 0.3": remembering(0.3),
    "AR(1) 0.6": remembering(0.6),
    "AR(1) 0.8, more than is promised": remembering(0.8),
    "windows of 2 bins": sharing(1),
    "windows of 4 bins": sharing(3),
}

_OURS = "correlated"
_TESTS: Mapping[str, Callable[[Floats], Floats]] = {
    _OURS: lambda series: analysis.mann_kendall(series, correlated=True).p,
    "Mann and Kendall": lambda series: analysis.mann_kendall(series).p,
    "Hamed and Rao 1998": hamed_rao,
    "Yue et al. 2002": trend_free_pre_whitening,
}


def _of_series(options: Options) -> Iterator[Line]:
    trials = options.size or TRIALS
    for kind, made in SERIES.items():
        note(f"series: {kind}")
        for name, test in _TESTS.items():
            # The promise is that of the test for correlated series, up to 0.6.
            level = LEVEL if name == _OURS and "0.8" not in kind else None
            for bins in BINS:
                rng = np.random.default_rng([options.seeds[0], bins])
                hits = int((test(made(rng, trials, bins)) <= LEVEL).sum())
                case = f"{kind}: trends of {trials} series, p <= {LEVEL:g}"
                head = row(case, name, published=name != _OURS)
                yield from rate(head, f"{bins} bins", hits, trials, level=level)


def city(shape: str, bins: int) -> Floats:
    """Return how many events to expect of every cell and bin.

    Parameters
    ----------
    shape : str
        One of `CITIES`.
    bins : int

    Returns
    -------
    ndarray of float, shape (400, bins)
    """
    x, y = np.meshgrid(np.arange(SIDE) - (SIDE - 1) / 2, np.arange(SIDE) - (SIDE - 1) / 2)
    centre = 0.5 + 3.0 * np.exp(-(x**2 + y**2).ravel() / 18.0)
    flat = np.full(SIDE * SIDE, 1.0)
    return np.outer(centre if "centre" in shape else flat, CITIES[shape](np.linspace(0, 1, bins)))


CITIES: Mapping[str, Callable[[Floats], Floats]] = {
    "even": lambda t: np.full(len(t), 2.0),
    "a centre": lambda t: np.full(len(t), 2.0),
    "even, threefold in the end": lambda t: 1.0 + 2.0 * t,
    "a centre, threefold in the end": lambda t: 1.0 + 2.0 * t,
    "a centre, a third in the end": lambda t: 3.0 - 2.0 * t,
    "even, twice as much in the last bin": lambda t: np.where(t == 1.0, 2.0, 1.0),
    "a centre, two seasons": lambda t: 1.0 + 0.6 * np.sin(4.0 * np.pi * t),
}


def _of_cities(options: Options) -> Iterator[Line]:
    trials = max((options.size or 100 * CITY_TRIALS) // 100, 2)
    corners = [(x, y) for y in range(SIDE) for x in range(SIDE)]
    cells = gpd.GeoSeries([shapely.box(x, y, x + 1, y + 1) for x, y in corners], crs=4549)
    near = analysis.queen(cells)
    for shape in CITIES:
        note(f"cities: {shape}")
        for bins in CITY_BINS:
            for against in ("city", "cube"):
                found = [
                    analysis.emerging(_cube(shape, bins, [options.seeds[0], trial]), near,
                                      against=against)
                    for trial in range(trials)
                ]  # fmt: skip
                case = f"{shape}, {bins} bins: units of {len(cells)}, mean of {trials} cities"
                head = row(case, f"against {against}")
                trends = [100.0 * float((one["trend_p"] <= LEVEL).mean()) for one in found]
                yield from mean(head, f"p <= {LEVEL:g} %", trends)
                for pattern in _PATTERNS:
                    yield from mean(head, pattern, [(one["pattern"] == pattern).sum()
                                                    for one in found])  # fmt: skip


def _cube(shape: str, bins: int, seed: list[int]) -> analysis.Cube:
    counts = np.random.default_rng(seed).poisson(city(shape, bins))
    edges = pd.date_range("2025-01-01", periods=bins + 1, freq="7D", tz="Asia/Shanghai")
    return analysis.Cube(counts, pd.RangeIndex(len(counts)), edges, 0)
