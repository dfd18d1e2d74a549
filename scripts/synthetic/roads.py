"""Roads along the lattice lines: main and secondary roads across town, lanes between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from synthetic import names
from synthetic.areas import CRS
from synthetic.fields import BoolArray, FloatArray, IntArray
from synthetic.lattice import MAIN, ROAD_CLASSES, Lattice


@dataclass(frozen=True)
class Run:
    """A stretch of one lattice line: edges `start` to `stop`, and the line that it starts from."""

    eastward: bool
    line: int
    start: int
    stop: int
    level: int


def _stretches(used: BoolArray, cuts: BoolArray) -> Iterator[tuple[int, int]]:
    """Yield the runs of used edges, broken at the nodes that are cut."""
    breaks = np.flatnonzero(np.r_[True, (used[1:] != used[:-1]) | cuts[1:-1], True])
    for start, stop in zip(breaks[:-1].tolist(), breaks[1:].tolist(), strict=True):
        if used[start]:
            yield start, stop


def _runs(town: BoolArray, lattice: Lattice, *, eastward: bool) -> Iterator[Run]:
    """Stretches of the lines of one direction, from south to north or west to east."""
    cells = town if eastward else town.T
    own = lattice.row_class if eastward else lattice.column_class
    crossing = lattice.column_class if eastward else lattice.row_class
    border = np.zeros((1, cells.shape[1]), dtype=np.bool_)
    below, above = np.concatenate([border, cells]), np.concatenate([cells, border])
    whole = np.zeros(len(crossing), dtype=np.bool_)
    for line, level in enumerate(own.tolist()):
        used = (below[line] | above[line]) if level else (below[line] & above[line])
        cuts = whole if level else crossing == MAIN
        for start, stop in _stretches(used, cuts):
            yield Run(eastward, line, start, stop, level)


def points_along(lattice: Lattice, run: Run) -> FloatArray:
    """Coordinates of the nodes and bends along a run."""
    if run.eastward:
        nodes = lattice.nodes[run.line, run.start : run.stop + 1]
        bends = lattice.across[run.line, run.start : run.stop]
    else:
        nodes = lattice.nodes[run.start : run.stop + 1, run.line]
        bends = lattice.along[run.start : run.stop, run.line]
    steps = np.concatenate([nodes[:-1, None], bends], axis=1).reshape(-1, 2)
    return np.concatenate([steps, nodes[-1:]])


def _line_labels(lattice: Lattice, random_state: int) -> tuple[list[str], list[str]]:
    """Names of the main and secondary lines; the first two main roads meet in the centre."""
    lines = [(True, k) for k in range(len(lattice.row_class)) if lattice.row_class[k]]
    lines += [(False, k) for k in range(len(lattice.column_class)) if lattice.column_class[k]]
    middle = len(lattice.row_class) // 2
    lines.sort(key=lambda line: (abs(line[1] - middle), line[0]))
    pool = names.stems(
        len(lines), random_state=random_state, topic="road", first=names.STREET_STEMS[:2]
    )
    rows = [""] * len(lattice.row_class)
    columns = [""] * len(lattice.column_class)
    for (eastward, k), stem in zip(lines, pool, strict=True):
        main = (lattice.row_class if eastward else lattice.column_class)[k] == MAIN
        if eastward:
            rows[k] = stem + ("大道" if main else "路")
        else:
            columns[k] = stem + ("大道" if main else "街")
    return rows, columns


def _labels(runs: list[Run], lattice: Lattice, random_state: int) -> list[str]:
    """Name the runs; a lane is named after the main road it leaves and numbered along it."""
    rows, columns = _line_labels(lattice, random_state)
    numbers: dict[str, int] = {}
    labels = []
    for run in runs:
        own, crossing = (rows, columns) if run.eastward else (columns, rows)
        if run.level:
            labels.append(own[run.line])
            continue
        classes = lattice.column_class if run.eastward else lattice.row_class
        ends = [run.start, run.stop, *range(run.start + 1, run.stop)]
        stem = next((crossing[k] for k in ends if classes[k] == MAIN), None)
        stem = stem or next((crossing[k] for k in ends if crossing[k]), names.DISTRICT)
        numbers[stem] = numbers.get(stem, 0) + 1
        labels.append(f"{stem}{numbers[stem]}弄")
    return labels


def make_roads(lattice: Lattice, town: BoolArray, random_state: int) -> gpd.GeoDataFrame:
    """Draw the roads of the town.

    Parameters
    ----------
    lattice : Lattice
        The street lattice.
    town : array of bool, shape (rows, columns)
        The cells that belong to the town.
    random_state : int
        The city's random state.

    Returns
    -------
    GeoDataFrame
        code, name, class (main, secondary, lane), centrelines; main roads first.
    """
    runs = [*_runs(town, lattice, eastward=True), *_runs(town, lattice, eastward=False)]
    runs.sort(key=lambda run: -run.level)
    points = [points_along(lattice, run) for run in runs]
    index: IntArray = np.repeat(np.arange(len(points)), [len(p) for p in points])
    return gpd.GeoDataFrame(
        {
            "code": [f"R{k:05d}" for k in range(1, len(runs) + 1)],
            "name": _labels(runs, lattice, random_state),
            "class": [ROAD_CLASSES[run.level] for run in runs],
        },
        geometry=shapely.linestrings(np.concatenate(points), indices=index),
        crs=CRS,
    )
