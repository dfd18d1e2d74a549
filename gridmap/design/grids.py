"""From a city to a plan of micro-grids."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.codes import (
    CodeProfile,
    assign_codes,
    load_profiles,
    micro_grid_names,
    number_west_east_north_south,
)
from gridmap.design.cut import Batch, Cut, chiefs, cut
from gridmap.design.geometry.atoms import Atoms, make_atoms
from gridmap.design.geometry.polygons import matched
from gridmap.design.geometry.weights import building_weights
from gridmap.design.plan import Plan, objective_of
from gridmap.design.search.graph import BARRIERS
from gridmap.errors import ConformError
from gridmap.kinds import checked
from gridmap.model import City
from gridmap.settings import Design

__all__ = ["atoms_of", "batch_of", "design_grids", "grids_of", "seeds", "tables_of"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]
MAIN_ROAD = 1.0  # the weight of a main road; that of others is less


@checked
def design_grids(
    city: City,
    settings: Design | None = None,
    *,
    lang: str = "zh",
    workers: int = 1,
    progress: Progress | None = None,
) -> Plan:
    """Cut the grids of a city into micro-grids.

    Parameters
    ----------
    city : City
        With grids and buildings; ``units``, ``roads`` and ``barriers`` are used where it has them.
    settings : Design, optional
        Every choice; the default is fifty occupied households to a micro-grid.
    lang : str
        Of the names of the micro-grids.
    workers : int
        Processes to work in. The plan does not depend on it. With more than one, a script calls
        this under ``if __name__ == "__main__"``.
    progress : callable, optional
        Is told how many grids are done, and of how many.

    Returns
    -------
    Plan

    Raises
    ------
    ConformError
        If the city lacks grids or buildings, or the settings name a grid or quantity it lacks.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city, gridmap.Design(target=60))
    >>> int(plan.microgrids["households"].sum())
    12174
    >>> round(plan.microgrids["households"].median())
    58

    All occupied households of the sample city, about sixty to a micro-grid.
    """
    settings = settings or Design()
    objective_of(settings)  # so that a wrong weight is told before the work
    grids = grids_of(city, settings)
    profile = load_profiles()[settings.profile]
    atoms = atoms_of(city, grids, settings)
    batch = batch_of(city, grids, atoms.frame, settings)
    made = cut(batch, settings, workers=workers, progress=progress)
    shapes = matched(made.shapes, made.parent)
    code, name = _coded(grids, made.parent, shapes, profile, lang)
    cells, buildings, atom = tables_of(grids, atoms, made)
    return Plan(
        grids=grids,
        atoms=cells,
        graph=made.graph,
        buildings=buildings,
        atom=atom,
        label=made.label,
        parent=made.parent,
        code=code,
        name=name,
        locked=np.zeros(len(code), dtype=bool),
        shape=shapes,
        settings=settings,
        optimal=made.optimal,
        outside=atoms.outside,
        lang=lang,
    )


def grids_of(city: City, settings: Design) -> gpd.GeoDataFrame:
    """Return the grids that are to be cut, by code."""
    level = settings.level or (city.levels[-1] if city.levels else "")
    areas = city.areas(level) if level else city.frame("grids")
    unknown = sorted(set(settings.counts) - set(areas["code"]))
    if unknown:
        raise ConformError("design.counts", codes=", ".join(unknown[:5]), level=level)
    columns = ["code", "name", "geometry"]
    return areas[columns].sort_values("code", kind="stable", ignore_index=True)


def atoms_of(city: City, grids: gpd.GeoDataFrame, settings: Design) -> Atoms:
    """Return the buildings and units of the grids with what they weigh."""
    buildings = city.frame("buildings")
    occupied = buildings["occupied"].fillna(0).clip(lower=0).astype(np.int64)
    weighed = buildings.assign(occupied=occupied, weight=building_weights(city, settings))
    return make_atoms(
        weighed,
        grids,
        units=city.layers["units"] if city.has("units") else None,
        finest=settings.atoms == "units",
        maximum=settings.most,
        target=settings.target,
        cut_large=settings.cut_large,
    )


def batch_of(
    city: City, grids: gpd.GeoDataFrame, atoms: gpd.GeoDataFrame, settings: Design
) -> Batch:
    """Return what is to be cut: grids, footprints and the lines that borders follow."""
    lines, weights, kinds = _lines(city, settings)
    outlines = grids.geometry.to_numpy()
    parent, line = shapely.STRtree(lines).query(outlines, predicate="intersects")
    order = np.lexsort((line, parent))
    places = np.arange(len(grids) + 1)
    return Batch(
        parents=outlines,
        seeds=seeds(grids["code"], settings.random_state),
        wanted=np.array([settings.counts.get(code, 0) for code in grids["code"]], np.int64),
        starts=np.searchsorted(atoms["parent"].to_numpy(), places),
        footprints=atoms.geometry.to_numpy(),
        households=atoms["households"].to_numpy(dtype=np.int64),
        weight=atoms["weight"].to_numpy(dtype=np.float64),
        building=atoms["building"].factorize()[0],
        compound=_known(atoms["compound"]),
        line_starts=np.searchsorted(parent[order], places),
        lines=lines[line[order]],
        line_weights=weights[line[order]],
        line_kinds=kinds[line[order]],
    )


def _known(names: pd.Series) -> Longs:
    """Return a number for each name, -1 for none."""
    return np.asarray(names.replace("", pd.NA).factorize()[0], dtype=np.int64)


def _lines(city: City, settings: Design) -> tuple[Shapes, Floats, npt.NDArray[np.int8]]:
    """Return the lines that borders follow, what it costs to cross each, and what it is."""
    shapes, weights = [np.empty(0, dtype=object)], [np.empty(0)]
    kinds: list[npt.NDArray[np.int8]] = [np.empty(0, dtype=np.int8)]
    if city.has("roads"):
        roads = city.frame("roads")
        known = roads["class"].map(dict(settings.roads)).astype("Float64")
        shapes.append(roads.geometry.to_numpy())
        weights.append(known.fillna(settings.other_roads).to_numpy(dtype=np.float64))
        main = BARRIERS.index("main_road"), BARRIERS.index("road")
        kinds.append(np.where(weights[-1] >= MAIN_ROAD, *main).astype(np.int8))
    if city.has("barriers"):
        barriers = city.frame("barriers")
        unknown = sorted(set(barriers["kind"]) - set(settings.barriers))
        if unknown:
            raise ConformError("design.barrier_kind", kinds=", ".join(unknown))
        shapes.append(barriers.geometry.to_numpy())
        weights.append(barriers["kind"].map(dict(settings.barriers)).to_numpy(dtype=np.float64))
        named = [kind if kind in BARRIERS else "other" for kind in barriers["kind"]]
        kinds.append(np.array([BARRIERS.index(kind) for kind in named], dtype=np.int8))
    return np.concatenate(shapes), np.concatenate(weights), np.concatenate(kinds)


def tables_of(
    grids: gpd.GeoDataFrame, atoms: Atoms, made: Cut
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Longs]:
    """Return the atoms with their cells, the buildings on them, and the atom of each."""
    sites, count = atoms.frame, len(made.cells)
    inhabited = (sites["weight"] > 0) | (sites["households"] > 0)
    chief = chiefs(made.cell, inhabited.to_numpy(), count)
    codes = grids["code"].to_numpy()[made.graph.parent]
    bare = chief < 0
    named = sites[["code", "building", "compound"]].reindex(chief).reset_index(drop=True)
    # A grid without any building is one atom, named after the grid.
    named.loc[bare, "code"] = codes[bare]
    cells = gpd.GeoDataFrame(
        {
            **named.astype("string"),
            "parent": pd.Series(codes, dtype="string"),
            "households": np.bincount(made.cell, weights=sites["households"], minlength=count),
            "weight": made.graph.weight,
            "buildings": np.bincount(made.cell, minlength=count),
        },
        geometry=made.cells,
        crs=grids.crs,
    ).astype({"households": "Int64", "buildings": "Int64"})
    standing = sites[["code", "building", "households", "weight", "geometry"]]
    order = np.argsort(made.cell, kind="stable")
    return cells, standing.iloc[order].reset_index(drop=True), made.cell[order]


def _coded(
    grids: gpd.GeoDataFrame, parent: Longs, shapes: Shapes, profile: CodeProfile, lang: str
) -> tuple[Shapes, Shapes]:
    """Return codes and names, numbered west to east and north to south in each grid."""
    middle = shapely.centroid(shapes)
    rank = number_west_east_north_south(shapely.get_x(middle), shapely.get_y(middle), parent)
    codes = assign_codes(grids["code"].to_numpy()[parent], rank, profile)
    names = grids["name"].fillna(grids["code"]).to_numpy()[parent]
    return np.asarray(codes, object), np.asarray(micro_grid_names(names, rank, lang), object)


def seeds(codes: Iterable[str], random_state: int) -> Longs:
    """Return a random state for each grid, which depends on its code alone."""
    return np.array(
        [(zlib.crc32(str(code).encode()) + random_state) % 2**31 for code in codes], dtype=np.int64
    )
