"""Hot spots of maps on which nothing clusters, and of those with one cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import scipy.stats
import shapely

from benchmarks.lines import Line, Options, note
from benchmarks.nulls._rates import rate, row
from gridmap import analysis
from gridmap.analysis import standardised_rates

__all__ = ["COUNTS", "Town", "run", "town"]

Floats = npt.NDArray[np.float64]

TRIALS = 400
SIZES = (100, 400, 2_500, 19_881)
# Of one size so many maps fewer are drawn, that large ones do not take all the time.
_FEWER = {2_500: 2, 19_881: 10}
LEVEL = 0.05
TIMES, SHARE = 3.0, 0.01  # of a planted cluster: its rate, and its share of the units
_CONDITIONAL = 999

Draw = Callable[[np.random.Generator, Floats], Floats]


def _poisson(rng: np.random.Generator, mean: Floats) -> Floats:
    return rng.poisson(mean).astype(np.float64)


def _negative_binomial(rng: np.random.Generator, mean: Floats) -> Floats:
    return rng.negative_binomial(0.5, 0.5 / (0.5 + mean)).astype(np.float64)


def _zero_inflated(rng: np.random.Generator, mean: Floats) -> Floats:
    counted = rng.random(len(mean)) < 0.4  # noqa: PLR2004
    return np.where(counted, rng.poisson(mean / 0.4), 0).astype(np.float64)


COUNTS: Mapping[str, tuple[Draw, float]] = {
    "Poisson 0.2": (_poisson, 0.2),
    "Poisson 1": (_poisson, 1.0),
    "Poisson 5": (_poisson, 5.0),
    "negative binomial 1": (_negative_binomial, 1.0),
    "negative binomial 5": (_negative_binomial, 5.0),
    "zero-inflated 1": (_zero_inflated, 1.0),
    "zero-inflated 5": (_zero_inflated, 5.0),
}


@dataclass(frozen=True)
class Town:
    """A square of units, with a dense centre for those who ask for exposure."""

    near: sp.csr_array
    exposure: Floats
    cluster: npt.NDArray[np.intp]


def town(units: int, rng: np.random.Generator) -> Town:
    """Return a square of so many units, and a cluster of a hundredth of them, in one piece."""
    side = round(np.sqrt(units))
    y, x = np.divmod(np.arange(side * side), side)
    cells = gpd.GeoSeries(shapely.box(x, y, x + 1.0, y + 1.0), crs=4549)
    near = analysis.with_self(analysis.queen(cells))
    spread = ((x - side / 2) ** 2 + (y - side / 2) ** 2) / (2 * (side / 5) ** 2)
    exposure = 0.2 + 9.0 * np.exp(-spread)
    corner = rng.integers(0, side, 2)
    apart = np.maximum(abs(x - corner[0]), abs(y - corner[1]))
    cluster = np.argsort(apart, kind="stable")[: max(round(SHARE * side * side), 1)]
    return Town(near, exposure / exposure.mean(), cluster)


def run(options: Options) -> Iterator[Line]:
    """Yield how often maps of chance show anything, and how often a cluster is found.

    ``--size`` is the number of maps.
    """
    for units in SIZES:
        trials = max((options.size or TRIALS) // _FEWER.get(units, 1), 2)
        for kind in COUNTS:
            note(f"hot spots: {kind}, {units} units")
            for exposed in (False, True):
                yield from _of_kind(units, kind, trials, options.seeds[0], exposed=exposed)


def _of_kind(units: int, kind: str, trials: int, seed: int, *, exposed: bool) -> Iterator[Line]:
    tests = _WITH if exposed else _TESTS
    shown, found = dict.fromkeys(tests, 0), dict.fromkeys(tests, 0)
    draw, mean = COUNTS[kind]
    for trial in range(trials):
        rng = np.random.default_rng([seed, trial])
        made = town(units, rng)
        exposure = made.exposure if exposed else np.ones(len(made.exposure))
        chance = draw(rng, mean * exposure)
        planted = chance.copy()
        planted[made.cluster] = draw(rng, TIMES * mean * exposure[made.cluster])
        for name, test in tests.items():
            shown[name] += bool(np.isin(test(chance, exposure, made.near), ("hot", "cold")).any())
            hot = test(planted, exposure, made.near)[made.cluster] == "hot"
            found[name] += bool(hot.any())
    known = ", exposure with a dense centre" if exposed else ""
    for name in tests:
        case = f"{kind}, {units} units{known}: of {trials} maps with any, with the cluster found"
        head = row(case, name, published=name not in _OURS)
        level = LEVEL if name in _OURS else None
        yield from rate(head, "any", shown[name], trials, level=level)
        yield from rate(head, "found", found[name], trials)


def _ours(values: Floats, _: Floats, near: sp.csr_array) -> npt.NDArray[np.object_]:
    return analysis.hotspots(pd.Series(values), near, distribution="exact")["hotspot"].to_numpy(
        object
    )


def _by_rate(values: Floats, exposure: Floats, near: sp.csr_array) -> npt.NDArray[np.object_]:
    held = pd.Series(exposure)
    found = analysis.hotspots(pd.Series(values), near, exposure=held, distribution="exact")
    return found["hotspot"].to_numpy(object)


def _normal(values: Floats, _: Floats, near: sp.csr_array) -> npt.NDArray[np.object_]:
    z = analysis.getis_ord(values, near)
    return _told(2.0 * scipy.stats.norm.sf(np.abs(z)), z > 0)


def _conditional(values: Floats, _: Floats, near: sp.csr_array) -> npt.NDArray[np.object_]:
    """Conditional permutation as esda has it: one-sided, folded, of 999."""
    ranks = analysis.neighbour_ranks(values, near, permutations=_CONDITIONAL)
    folded = (np.minimum(ranks.above, ranks.below) + 1.0) / (_CONDITIONAL + 1.0)
    return _told(folded, ranks.above < ranks.below)


def _conditional_by_rate(
    values: Floats, exposure: Floats, near: sp.csr_array
) -> npt.NDArray[np.object_]:
    held = pd.Series(exposure)
    return _conditional(standardised_rates(pd.Series(values), held).to_numpy(), exposure, near)


def _told(p: Floats, high: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    found = analysis.discoveries(p) <= LEVEL
    return np.where(found, np.where(high, "hot", "cold"), "none").astype(object)


Test = Callable[[Floats, Floats, sp.csr_array], npt.NDArray[np.object_]]

_OURS = {"exact", "exact, by exposure"}
_TESTS: Mapping[str, Test] = {"exact": _ours, "normal": _normal, "conditional": _conditional}
_WITH: Mapping[str, Test] = {
    "exact, by exposure": _by_rate,
    "normal, of counts": _normal,
    "conditional, by exposure": _conditional_by_rate,
}
