"""What hot spots depend on: how far problems lie together, and how areas are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely
from scipy.sparse import csgraph

from gridmap import analysis
from gridmap.measures.clusters import cells_of, scored
from gridmap.measures.exposures import USES, cell_exposure, parent_exposure
from gridmap.measures.registry import Given, Made, Measure

__all__ = ["MEASURES"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

# Divisions of the city that hot spots are asked of.
_SCHEMES = ("grids", "parents", "cells", "shifted", "coarser", "finer")
# Units of which hot spots say anything.
_FEWEST = 12
# A finding is found again where so much of its problems lies in hot units.
_AGAIN = 0.5
# Or where parts of it are found that hold so much of its problems.
_PART = 0.1
_FINEST = 15


@dataclass(frozen=True)
class _Scheme:
    """One division: its units with hot ones marked, who is next to whom, and each problem's unit.

    ``units`` has ``code``, ``hot`` and the geometry, where it lies.
    """

    units: gpd.GeoDataFrame
    near: sp.csr_array
    within: pd.Series


def _sensitivity(given: Given) -> Made:
    """Ask for hot spots on several divisions of the city, and which are found on all of them."""
    if given.placed.empty:
        return {}
    schemes = dict(_schemes(given))
    groups = {name: _groups(scheme) for name, scheme in schemes.items()}
    found = {name: _found_at(schemes[name], group) for name, group in groups.items()}
    rows, shapes = [], []
    for name, scheme in schemes.items():
        others = [other for other in schemes if other != name and (found[other] >= 0).any()]
        count = int(groups[name].max(initial=-1)) + 1
        sizes = np.bincount(found[name][found[name] >= 0], minlength=count)
        shares = {other: _shares(found[name], found[other], sizes) for other in schemes}
        hot = scheme.units[scheme.units["hot"]]
        for number in range(count):
            own = hot[groups[name] == number]
            again = sum(
                shares[other][0][number] >= _AGAIN or shares[other][1][number] >= _PART
                for other in others
            )
            rows.append(
                {"scheme": name, "units": len(own), "problems": int(sizes[number]),
                 "again": again, "of": len(others),
                 **{f"in_{other}": share[0][number] for other, share in shares.items()}}
            )  # fmt: skip
            shapes.append(shapely.union_all(own.geometry.to_numpy()))
    columns = ["scheme", "units", "problems", "again", "of", *(f"in_{name}" for name in _SCHEMES)]
    told = pd.DataFrame(rows, columns=columns).astype({"scheme": "string"})
    frame = gpd.GeoDataFrame(told, geometry=shapes, crs=given.city.crs)
    frame["verdict"] = [
        _verdict(again, of) for again, of in zip(frame["again"], frame["of"], strict=True)
    ]
    order = frame["scheme"].map(_SCHEMES.index)
    frame = frame.assign(order=order).sort_values(
        ["order", "problems"], ascending=[True, False], kind="stable", ignore_index=True
    )
    rank = frame.groupby("scheme").cumcount() + 1
    frame.insert(0, "code", frame["scheme"] + ":" + rank.astype("string"))
    return {"sensitivity": frame.drop(columns="order")}


def _groups(scheme: _Scheme) -> Longs:
    """Return of each hot unit the number of its finding: of the hot units that touch."""
    found = scheme.units["hot"].to_numpy(dtype=bool)
    linked = sp.csr_array(scheme.near[found][:, found])
    return np.asarray(csgraph.connected_components(linked, directed=False)[1], dtype=np.int64)


def _found_at(scheme: _Scheme, group: Longs) -> Longs:
    """Return of each problem the finding that it lies in, -1 for none."""
    hot = pd.Index(scheme.units["code"][scheme.units["hot"]])
    at = hot.get_indexer(pd.Index(scheme.within))
    return np.where(at >= 0, np.append(group, -1)[at], -1)


def _shares(own: Longs, other: Longs, sizes: Longs) -> tuple[Floats, Floats]:
    """Return the share of each finding's problems that lie in findings of another division.

    Of any of them, and of those that lie in it by more than half, its parts.
    """
    both = (own >= 0) & (other >= 0)
    pairs, counts = np.unique(np.column_stack([own[both], other[both]]), axis=0, return_counts=True)
    whole = np.bincount(other[other >= 0], minlength=1)
    part = counts > _AGAIN * whole[pairs[:, 1]]
    with np.errstate(invalid="ignore"):
        inside, parts = (
            np.bincount(pairs[rows, 0], counts[rows], len(sizes)) / sizes
            for rows in (slice(None), part)
        )
    return inside, parts


def _verdict(again: int, of: int) -> str:
    if of == 0:
        return "nowhere"
    if again == of:
        return "everywhere"
    return "mostly" if 2 * again >= of else "seldom" if again else "nowhere"


def _schemes(given: Given) -> Iterator[tuple[str, _Scheme]]:
    """Yield the divisions that the city has."""
    settings, problems = given.settings, given.placed
    if given.has("hotspots") and len(given["hotspots"]) >= _FEWEST:
        grids = given["hotspots"]
        near = analysis.neighbours(grids, distance_m=settings.neighbour_m)
        hot = grids.assign(hot=grids["hotspot"] == "hot")[["code", "hot", "geometry"]]
        yield "grids", _Scheme(hot, near, analysis.assign(problems, given.grids))
    if given.level in given.city.levels[1:]:
        above = given.city.levels[given.city.levels.index(given.level) - 1]
        areas = given.counted(given.city.areas(above))
        if len(areas) >= _FEWEST:
            near = analysis.neighbours(areas, distance_m=settings.neighbour_m)
            exposure = parent_exposure(given, areas, areas["problems"])
            scores = scored(areas["problems"], near, settings, exposure)
            yield "parents", _Scheme(_marked(areas, scores), near, analysis.assign(problems, areas))
    cells = given["hotspot_cells"]
    within = cells_of(problems, settings)
    yield (
        "cells",
        _Scheme(_marked(cells, cells), analysis.cell_neighbours(list(cells["code"])), within),
    )
    resolution = settings.h3_resolution
    apart = float(np.sqrt(cells.geometry.area.mean() * 2.0 / np.sqrt(3.0)))
    # To where three cells meet in the middle of one, as far as a lattice can be off itself.
    yield "shifted", _cells(given, resolution, (0.5 * apart, apart / np.sqrt(12.0)))
    if resolution > 0:
        yield "coarser", _cells(given, resolution - 1, (0.0, 0.0))
    if resolution < _FINEST:
        yield "finer", _cells(given, resolution + 1, (0.0, 0.0))


def _marked(units: gpd.GeoDataFrame, scores: pd.DataFrame) -> gpd.GeoDataFrame:
    return units[["code", "geometry"]].assign(hot=scores["hotspot"] == "hot")


def _cells(given: Given, resolution: int, off: tuple[float, float]) -> _Scheme:
    """Return the division into H3 cells of a resolution, as if the city lay elsewhere."""
    city, settings = given.city, given.settings
    asked = settings.model_copy(update={"h3_resolution": resolution})

    def place(points: gpd.GeoDataFrame) -> pd.Series:
        moved = points.set_geometry(points.geometry.translate(*off))
        return cells_of(moved, asked)

    outline = city.areas(city.levels[0]).union_all() if city.levels else None
    if outline is not None:
        outline = shapely.transform(outline, lambda xy: xy + off)
    problems = given.placed
    moved = problems.set_geometry(problems.geometry.translate(*off))
    cells = analysis.cell_grid(moved, outline, resolution=resolution)
    near = analysis.cell_neighbours(list(cells["code"]))
    scores = scored(cells["count"], near, settings, cell_exposure(given, cells, place))
    units = _marked(cells, scores)
    back = units.set_geometry(units.geometry.translate(-off[0], -off[1]))
    return _Scheme(back, near, place(problems))


# Distances at which problems may lie together, and how many are looked at for it.
_DISTANCES_M = (50.0, 100.0, 200.0, 400.0)
_MOST_ON_PLANE, _MOST_ON_ROADS, _MOST_BY_CATEGORY = 2000, 2000, 20_000
_REPLICATES = 99
_REPLICATES_BY_CATEGORY = 499
_LEAST_OF_CATEGORY = 20


def _spacing(given: Given) -> Made:
    """Tell how far problems lie together: on the plane, along roads, and category by category."""
    settings, problems = given.settings, given.placed
    seed = {"permutations": _REPLICATES, "random_state": settings.random_state}
    rows: list[pd.DataFrame] = []

    def told(kind: str, category: str, found: analysis.KFunction) -> None:
        table = found.table.rename(columns={"expected": "due"})
        ratio = table[["k", "low", "high"]].div(table["due"], axis=0)
        code = [f"{kind}:{category}:{at:g}" for at in table["distance_m"]]
        shown = ratio.rename(columns={"k": "ratio"}).assign(
            code=code, kind=kind, category=category or None, points=found.points,
            distance_m=table["distance_m"], p=found.p,
        )  # fmt: skip
        rows.append(shown)

    if given.city.levels:
        outline = given.city.areas(given.city.levels[0]).union_all()
        some = _some(problems, _MOST_ON_PLANE, settings.random_state).geometry
        if some.intersects(outline).sum() >= _LEAST_OF_CATEGORY:
            told("plane", "", analysis.ripley_k(some, outline, distances_m=_DISTANCES_M, **seed))
    roads = given.get("roads")
    if roads is not None:
        network = analysis.road_network(
            roads, lixel_m=settings.lixel_m, crossings=settings.road_crossings
        )
        some = _some(problems, _MOST_ON_ROADS, settings.random_state).geometry
        near = analysis.snap(network, some, within_m=settings.snap_m).notna()
        if near.sum() >= _LEAST_OF_CATEGORY:
            found = analysis.network_k(
                network, some, distances_m=_DISTANCES_M, within_m=settings.snap_m, **seed
            )
            told("roads", "", found)
    some = _some(problems, _MOST_BY_CATEGORY, settings.random_state)
    kinds = some["category"].astype("string")
    counts = kinds.value_counts()
    if len(counts) > 1:
        by = analysis.category_k(
            some.geometry, kinds, distances_m=_DISTANCES_M,
            permutations=_REPLICATES_BY_CATEGORY, random_state=settings.random_state,
        )  # fmt: skip
        for name in sorted(counts.index[counts >= _LEAST_OF_CATEGORY]):
            told("category", name, by[name])
    if not rows:
        return {}
    columns = ["code", "kind", "category", "distance_m", "points", "ratio", "low", "high", "p",
               "q", "pattern"]  # fmt: skip
    frame = pd.concat(rows, ignore_index=True)
    # Each row of distances is one test.
    q = analysis.discoveries(np.array([each["p"].iloc[0] for each in rows]))
    frame["q"] = np.repeat(q, [len(each) for each in rows])
    frame["pattern"] = np.select(
        [~(frame["q"] <= settings.alpha), frame["ratio"] > frame["high"],
         frame["ratio"] < frame["low"]],
        ["none", "together", "apart"], "none",
    )  # fmt: skip
    frame = frame[columns]
    return {"spacing": frame.astype({"category": "string"})}


def _some(problems: gpd.GeoDataFrame, most: int, seed: int) -> gpd.GeoDataFrame:
    if len(problems) <= most:
        return problems
    return problems.sample(most, random_state=seed).sort_index()


_SETTINGS = ("alpha", "random_state")

MEASURES = (
    Measure(
        "sensitivity",
        needs=("problems", "hotspot_cells"),
        uses=("grids", "hotspots", *USES),
        makes=("sensitivity",),
        method="Hot spots on several divisions of the city beside each other (modifiable areal "
        "unit problem: Openshaw 1984)",
        settings=(
            *_SETTINGS,
            "permutations",
            "level",
            "neighbour_m",
            "minimum_count",
            "h3_resolution",
            "exposure",
            "hotspot_p",
        ),
        silent="measure.no_places",
        run=_sensitivity,
    ),
    Measure(
        "spacing",
        needs=("problems",),
        uses=("grids", "roads"),
        makes=("spacing",),
        method="K functions: Ripley (1976), along roads Okabe and Yamada (2001), of categories "
        "Diggle and Chetwynd (1991)",
        settings=(*_SETTINGS, "lixel_m", "snap_m", "road_crossings"),
        silent="measure.few_points",
        run=_spacing,
    ),
)
