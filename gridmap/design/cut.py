"""From atoms to micro-grids, parent by parent: cells, partition, outlines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
import shapely

from gridmap.design.geometry.polygons import outlines
from gridmap.design.geometry.tessellation import Cells, tessellate
from gridmap.design.keep import keep
from gridmap.design.plan import bounds_of, objective_of
from gridmap.design.search.graph import BARRIERS, AtomGraph
from gridmap.design.search.partition import default_counts, partition
from gridmap.settings import Design

__all__ = ["Batch", "Cut", "chiefs", "cut"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BATCH = 64  # parents to a batch: a second of work
WORTH = 8  # batches to a process, which takes as long to start as to cut three
TRIES = 4  # searches for a parent whose bounds are not met
EFFORT = 3.0  # of each but the first
SLACK = 1e-6


@dataclass(frozen=True)
class Batch:
    """Some parents with the footprints and barriers in them.

    Parameters
    ----------
    parents : ndarray of Polygon, shape (p,)
    seeds : ndarray of int64, shape (p,)
        The random state of each parent.
    wanted : ndarray of int64, shape (p,)
        How many micro-grids each shall have, 0 for as many as its weight asks for.
    starts : ndarray of int64, shape (p + 1,)
        The footprints of parent ``i`` are those from ``starts[i]`` to ``starts[i + 1]``.
    footprints : ndarray of geometry, shape (n,)
    households, weight : ndarray, shape (n,)
    building, compound : ndarray of int64, shape (n,)
        The same number for footprints of the same; -1 for no compound.
    line_starts : ndarray of int64, shape (p + 1,)
    lines : ndarray of LineString
        Barriers that meet each parent.
    line_weights : ndarray of float
    line_kinds : ndarray of int8
        Positions in `gridmap.design.search.graph.BARRIERS`.
    home : ndarray of int64, shape (n,), optional
        The micro-grid that each footprint had, -1 for a new one. With it, micro-grids are kept as
        far as bounds allow; without it, they are cut from scratch.
    locked : ndarray of bool, shape (n,), optional
        Whether that micro-grid has to stay as it is.
    settled : ndarray of bool, shape (p,), optional
        Whether nothing changed in the parent, so that its micro-grids stay.
    """

    parents: Shapes
    seeds: Longs
    wanted: Longs
    starts: Longs
    footprints: Shapes
    households: Longs
    weight: Floats
    building: Longs
    compound: Longs
    line_starts: Longs
    lines: Shapes
    line_weights: Floats
    line_kinds: npt.NDArray[np.int8]
    home: Longs | None = None
    locked: Bools | None = None
    settled: Bools | None = None

    def __len__(self) -> int:
        return len(self.parents)

    def parts(self, size: int) -> Iterator[Batch]:
        """Yield the batch in smaller ones."""
        for low in range(0, len(self), size):
            high = min(low + size, len(self))
            mine = slice(self.starts[low], self.starts[high])
            lines = slice(self.line_starts[low], self.line_starts[high])
            yield Batch(
                parents=self.parents[low:high],
                seeds=self.seeds[low:high],
                wanted=self.wanted[low:high],
                starts=self.starts[low : high + 1] - self.starts[low],
                footprints=self.footprints[mine],
                households=self.households[mine],
                weight=self.weight[mine],
                building=self.building[mine],
                compound=self.compound[mine],
                line_starts=self.line_starts[low : high + 1] - self.line_starts[low],
                lines=self.lines[lines],
                line_weights=self.line_weights[lines],
                line_kinds=self.line_kinds[lines],
                home=None if self.home is None else self.home[mine],
                locked=None if self.locked is None else self.locked[mine],
                settled=None if self.settled is None else self.settled[low:high],
            )


@dataclass(frozen=True)
class Cut:
    """The atoms and micro-grids of some parents.

    Parameters
    ----------
    cells : ndarray of Polygon, shape (c,)
        By parent; inside each a coverage.
    cell : ndarray of int64, shape (n,)
        The cell of each footprint.
    graph : AtomGraph
        Of the cells.
    label : ndarray of int64, shape (c,)
        The micro-grid of each cell: a position in `shapes`.
    shapes : ndarray of Polygon or MultiPolygon, shape (m,)
        By parent.
    parent : ndarray of int64, shape (m,)
        The parent of each micro-grid.
    optimal : ndarray of bool, shape (p,)
        Whether the partition of the parent is proven to be the best there is.
    """

    cells: Shapes
    cell: Longs
    graph: AtomGraph
    label: Longs
    shapes: Shapes
    parent: Longs
    optimal: Bools


def cut(
    batch: Batch,
    settings: Design,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Cut:
    """Cut parents into micro-grids.

    Parameters
    ----------
    batch : Batch
    settings : Design
    workers : int
        Processes to work in. The result does not depend on it.
    progress : callable, optional
        Is told how many parents are done, and of how many.

    Returns
    -------
    Cut
    """
    parts = list(batch.parts(BATCH))
    done = []
    for made in _mapped(parts, settings, workers):
        done.append(made)
        if progress is not None:
            progress(sum(len(p) for p in parts[: len(done)]), len(batch))
    return _put_together(done, parts)


def _mapped(parts: list[Batch], settings: Design, workers: int) -> Iterable[Cut]:
    if workers <= 1 or len(parts) < WORTH * workers:
        return (_cut_one(part, settings) for part in parts)
    return _in_processes(parts, settings, workers)


def _in_processes(parts: list[Batch], settings: Design, workers: int) -> Iterator[Cut]:
    # A forked child would inherit the locks of GDAL's and Arrow's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_cut_one, parts, [settings] * len(parts))


def _cut_one(batch: Batch, settings: Design) -> Cut:
    tessellated = [_cells(batch, k) for k in range(len(batch))]
    graph, cell, offsets = _graph(batch, tessellated, settings)
    found, optimal = _parts(graph, cell, batch, settings)
    label: list[Longs] = []
    shapes: list[Shapes] = []
    parent: list[Longs] = []
    for k, cells in enumerate(tessellated):
        own = found[offsets[k] : offsets[k + 1]]
        count = int(own.max()) + 1
        mine = slice(batch.starts[k], batch.starts[k + 1])
        drawn = outlines(
            cells.geometry, own, count, batch.footprints[mine], cells.owner,
            simplify_m=settings.simplify_m,
        )  # fmt: skip
        label.append(own + sum(len(s) for s in shapes))
        shapes.append(drawn)
        parent.append(np.full(count, k))
    return Cut(
        cells=np.concatenate([cells.geometry for cells in tessellated]),
        cell=cell,
        graph=graph,
        label=np.concatenate(label),
        shapes=np.concatenate(shapes),
        parent=np.concatenate(parent),
        optimal=optimal,
    )


def _parts(graph: AtomGraph, cell: Longs, batch: Batch, settings: Design) -> tuple[Longs, Bools]:
    """Return the part of each cell inside its parent, and which parents are proven the best."""
    if batch.home is not None and batch.locked is not None:
        chief = chiefs(cell, batch.home >= 0, len(graph))
        home = np.append(batch.home, -1)[chief]
        locked = np.append(batch.locked, False)[chief]
        label, same = keep(graph, home, locked, batch.wanted, settings, batch.seeds, batch.settled)
        return label, np.zeros_like(same)
    counts = default_counts(graph, settings.target, settings.most)
    counts = np.where(batch.wanted > 0, batch.wanted, counts)
    limits, objective = bounds_of(settings), objective_of(settings)
    found = partition(graph, counts, bounds=limits, objective=objective, random_state=batch.seeds)
    label, optimal = found.label.astype(np.int64), found.optimal
    violation = _violation(graph, label, settings)
    # One annealing may stop short of bounds that another meets.
    for again in range(1, TRIES):
        missed = np.flatnonzero((violation > 0) & ~optimal)
        if len(missed) == 0:
            break
        at = np.flatnonzero(np.isin(graph.parent, missed))
        tried = partition(
            graph.only(at), counts[missed], bounds=limits, objective=objective,
            random_state=batch.seeds[missed] + again, effort=EFFORT,
        )  # fmt: skip
        other = label.copy()
        other[at] = tried.label
        reached = _violation(graph, other, settings)
        better = reached < violation
        mine = better[graph.parent]
        label[mine], violation = other[mine], np.minimum(violation, reached)
        optimal[missed] |= better[missed] & tried.optimal
    return label, optimal


def _violation(graph: AtomGraph, label: Longs, settings: Design) -> Floats:
    """Return by how much the parts of each parent are out of bounds that could be within."""
    width = int(label.max(initial=0)) + 1
    part = graph.parent.astype(np.int64) * width + label
    used, own = np.unique(part, return_inverse=True)
    weight = np.bincount(own, weights=graph.weight, minlength=len(used))
    beyond = np.maximum(settings.least - weight, 0.0) + np.maximum(weight - settings.most, 0.0)
    total = np.bincount(used // width, weights=beyond, minlength=graph.parents)
    towers = np.maximum(graph.weight - settings.most, 0.0)
    forced = np.bincount(graph.parent, weights=towers, minlength=graph.parents)
    return np.asarray(np.maximum(total - forced - SLACK, 0.0))


def _cells(batch: Batch, k: int) -> Cells:
    mine = slice(batch.starts[k], batch.starts[k + 1])
    lines = slice(batch.line_starts[k], batch.line_starts[k + 1])
    return tessellate(
        batch.parents[k],
        batch.footprints[mine],
        (batch.weight[mine] > 0) | (batch.households[mine] > 0),
        barriers=batch.lines[lines],
        weights=batch.line_weights[lines],
    )


def _graph(
    batch: Batch, tessellated: list[Cells], settings: Design
) -> tuple[AtomGraph, Longs, Longs]:
    """Return the graph of all cells, the cell of each footprint, and where parents begin."""
    offsets = np.cumsum([0, *(len(cells.geometry) for cells in tessellated)])
    cell = np.concatenate([cells.owner + offsets[k] for k, cells in enumerate(tessellated)])
    pairs = np.concatenate([cells.pairs + offsets[k] for k, cells in enumerate(tessellated)])
    shapes = np.concatenate([cells.geometry for cells in tessellated])
    count = int(offsets[-1])
    inhabited = (batch.weight > 0) | (batch.households > 0)
    chief = chiefs(cell, inhabited, count)
    known = np.append(batch.building, -1)[chief], np.append(batch.compound, -1)[chief]
    wall, together = _ties(pairs, *known, settings)
    crossed = np.concatenate([cells.barrier for cells in tessellated])
    lines = [
        np.append(batch.line_kinds[low:high], 0)[cells.line]
        for cells, low, high in zip(
            tessellated, batch.line_starts[:-1], batch.line_starts[1:], strict=True
        )
    ]
    kind = np.where(wall > crossed, BARRIERS.index("compound"), np.concatenate(lines))
    barrier = np.maximum(wall, crossed)
    middle = shapely.centroid(shapes)
    graph = AtomGraph.from_pairs(
        pairs,
        parent=np.repeat(np.arange(len(batch)), np.diff(offsets)),
        weight=np.bincount(cell, weights=batch.weight, minlength=count),
        x=shapely.get_x(middle),
        y=shapely.get_y(middle),
        area_m2=shapely.area(shapes),
        perimeter_m=shapely.length(shapes),
        border_m=np.concatenate([cells.border_m for cells in tessellated]),
        barrier=barrier,
        together=together,
        kind=kind,
    )
    return graph, cell, offsets


def chiefs(cell: Longs, inhabited: Bools, count: int) -> Longs:
    """Return the first inhabited footprint of each cell, else its first, else -1."""
    order = np.lexsort((np.arange(len(cell)), ~inhabited, cell))
    first = np.ones(len(order), dtype=bool)
    first[1:] = cell[order][1:] != cell[order][:-1]
    chief = np.full(count, -1)
    chief[cell[order[first]]] = order[first]
    return chief


def _ties(
    pairs: Longs, building: Longs, compound: Longs, settings: Design
) -> tuple[Floats, Floats]:
    """Return the walls between compounds, and what should stay together."""
    one, other = pairs[:, 0], pairs[:, 1]
    same_building = (building[one] == building[other]) & (building[one] >= 0)
    both = (compound[one] >= 0) & (compound[other] >= 0)
    same_compound = both & (compound[one] == compound[other])
    wall = np.where(both & ~same_compound, settings.compound_wall, 0.0)
    together = np.where(same_compound, settings.keep_compound, 0.0)
    return wall, np.where(same_building, settings.keep_building, together)


def _put_together(done: list[Cut], parts: list[Batch]) -> Cut:
    cells = np.cumsum([0, *(len(made.cells) for made in done)])
    zones = np.cumsum([0, *(len(made.shapes) for made in done)])
    parents = np.cumsum([0, *(len(part) for part in parts)])
    edges = np.cumsum([0, *(len(made.graph.neighbour) for made in done)])
    every = list(enumerate(done))

    def joined(name: str) -> Floats:
        return np.concatenate([getattr(made.graph, name) for made in done])

    graph = AtomGraph(
        parent=np.concatenate([m.graph.parent + parents[k] for k, m in every]).astype(np.int32),
        weight=joined("weight"),
        x=joined("x"),
        y=joined("y"),
        area_m2=joined("area_m2"),
        perimeter_m=joined("perimeter_m"),
        starts=np.concatenate([[0], *(m.graph.starts[1:] + edges[k] for k, m in every)]),
        neighbour=np.concatenate([m.graph.neighbour + cells[k] for k, m in every]).astype(np.int32),
        border_m=joined("border_m"),
        barrier=joined("barrier"),
        together=joined("together"),
        kind=joined("kind").astype(np.int8),
    )
    return Cut(
        cells=np.concatenate([made.cells for made in done]),
        cell=np.concatenate([made.cell + cells[k] for k, made in every]),
        graph=graph,
        label=np.concatenate([made.label + zones[k] for k, made in every]),
        shapes=np.concatenate([made.shapes for made in done]),
        parent=np.concatenate([made.parent + parents[k] for k, made in every]),
        optimal=np.concatenate([made.optimal for made in done]),
    )
