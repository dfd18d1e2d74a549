"""Why a micro-grid is outside its bounds: every reason, on both sides of its limit."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap.design.explain import explain
from gridmap.design.search.graph import AtomGraph
from gridmap.design.search.partition import Bounds


def reasons(
    weight: list[float],
    label: list[int],
    pairs: list[tuple[int, int]],
    *,
    least: float = 0,
    most: float = 1000,
    units: bool = False,
    optimal: bool = False,
) -> list[str | None]:
    """Return the reason of each part of one grid; its atoms are unit squares."""
    count = len(weight)
    graph = AtomGraph.from_pairs(
        np.array(pairs, dtype=np.int64).reshape(-1, 2),
        parent=np.zeros(count, dtype=np.int64),
        weight=np.array(weight),
        x=np.arange(count, dtype=float),
        y=np.zeros(count),
        area_m2=np.ones(count),
        perimeter_m=np.full(count, 4.0),
        border_m=np.ones(len(pairs)),
        barrier=np.zeros(len(pairs)),
        together=np.zeros(len(pairs)),
    )
    reason, remedy = explain(
        graph, np.array(label), max(label) + 1, Bounds(target=60, minimum=least, maximum=most),
        units=np.full(count, units), optimal=np.array([optimal]),
    )  # fmt: skip
    assert [(one is None) for one in reason] == [(one is None) for one in remedy]
    return list(reason)


CHAIN = [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("heaviest", "units", "reason"),
    [
        (60, False, "count"),
        (61, False, "large_building"),
        (61, True, "large_unit"),
    ],
)
def test_one_building_is_too_much_only_above_the_maximum(
    heaviest: float, units: bool, reason: str
) -> None:
    assert reasons([heaviest, 20], [0, 0], CHAIN[:1], most=60, units=units) == [reason]


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ([80, 40], ["not_found", None]),  # on average exactly the maximum
        ([80, 41], ["count", None]),
    ],
)
def test_too_few_parts_for_the_maximum(weight: list[float], expected: list[str | None]) -> None:
    half = [value / 2 for value in weight for _ in range(2)]
    pairs = [(0, 1), (1, 2), (2, 3)]
    assert reasons(half, [0, 0, 1, 1], pairs, most=60) == expected


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ([40, 80], ["not_found", None]),  # on average exactly the minimum
        ([40, 79], ["count", None]),
        ([20, 40], ["count", "count"]),  # together exactly the minimum
        ([20, 39], ["few_households", "few_households"]),
        ([60, 60], [None, None]),
        ([59, 61], ["not_found", None]),
    ],
)
def test_too_few_households_or_too_many_parts(
    weight: list[float], expected: list[str | None]
) -> None:
    assert reasons(weight, [0, 1], CHAIN[:1], least=60) == expected


@pytest.mark.parametrize(("land", "reason"), [(60, "not_found"), (59, "island")])
def test_an_island_is_land_below_the_minimum(land: float, reason: str) -> None:
    weight = [20, land - 20, 140]
    assert reasons(weight, [0, 1, 2], CHAIN[:1], least=60) == [reason, reason, None]


def test_what_is_proven_to_be_best_cannot_be_divided() -> None:
    assert reasons([40, 80], [0, 1], CHAIN[:1], least=60, optimal=True) == ["indivisible", None]
    assert reasons([50, 60], [0, 1], CHAIN[:1], least=20, most=80, optimal=True) == [None, None]
