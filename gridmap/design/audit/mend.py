"""Mend what is safe to mend in a grid layer; nothing that needs a decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.audit import faults
from gridmap.design.audit.areas import SLIVER_M2, TOLERANCE_M, Areas, tidy
from gridmap.design.audit.contents import copies
from gridmap.design.codes import CodeProfile
from gridmap.design.geometry.polygons import NEAR_M, matched

__all__ = ["mend"]

Shapes = npt.NDArray[np.object_]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Log = list[tuple[str, str, float]]

ROUNDS = 4  # mending one sliver may leave a smaller one
LEFT_SHARE = 0.5  # an area that would lose more than this is not mended but told


def mend(
    areas: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame | None = None,
    *,
    profile: CodeProfile | None = None,
    sliver_m2: float = SLIVER_M2,
    tolerance_m: float = TOLERANCE_M,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Mend what `gridmap.design.audit.checks.audit` marks as safe.

    Invalid shapes are made valid; slivers of gaps go to the neighbour with the longest shared
    border, and so do stray slivers; those of overlaps stay with it; thin reaches over the parent's
    outline are cut off; nodes that a neighbour lacks are put in; codes lose full-width characters
    and spaces at their ends; a row that repeats another in everything, geometry too, is dropped.

    Parameters
    ----------
    areas : GeoDataFrame of polygons
        ``code, geometry`` and any other columns, in a metric system.
    parents : GeoDataFrame of polygons, optional
        ``code, geometry``. They are not changed, and no area is made to reach beyond its own.
    profile : CodeProfile, optional
        By which the code of an area tells its parent.
    sliver_m2, tolerance_m : float
        As for the audit.

    Returns
    -------
    areas : GeoDataFrame
        The same rows, but for those dropped, in the same order with the same columns and index.
    log : DataFrame
        What was done: ``fix, areas, area_m2``, in order. The fixes are those of the layer
        ``findings``.

    Raises
    ------
    ConformError
        If a frame lacks its codes.
    CrsError
        If the system is not metric, or the frames differ in it.
    """
    log: Log = []
    Areas.of(areas.iloc[:0], None if parents is None else parents.iloc[:0])
    frame = _single(_tidied(areas, log), log)
    index = frame.index
    frame = _valid(frame.reset_index(drop=True), log)

    def seen(shapes: Shapes) -> Areas:
        return Areas.of(
            frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs)),
            parents,
            profile=profile,
            sliver_m2=sliver_m2,
            tolerance_m=tolerance_m,
        )

    now = seen(faults.solid(frame.geometry.to_numpy())[0])
    before = now.shapes
    steps: tuple[Callable[[Areas, Log], Shapes], ...] = (
        _matched, _clipped, _without_strays, _settled, _closed, _matched,
    )  # fmt: skip
    for _ in range(ROUNDS):
        start = now.shapes
        for step in steps:
            shapes = step(now, log)
            now = seen(shapes) if _changed(now.shapes, shapes).any() else now
        if now.shapes is start:
            break
    changed = _changed(before, now.shapes)
    values = frame.geometry.to_numpy().copy()
    values[changed] = now.shapes[changed]
    mended = frame.set_geometry(gpd.GeoSeries(values, crs=frame.crs)).set_index(index)
    return mended, pd.DataFrame(log, columns=["fix", "areas", "area_m2"]).astype(
        {"fix": "string", "areas": "string", "area_m2": "float64"}
    )


def _changed(old: Shapes, new: Shapes) -> Bools:
    return np.array([one is not other for one, other in zip(old, new, strict=True)], dtype=bool)


def _tidied(areas: gpd.GeoDataFrame, log: Log) -> gpd.GeoDataFrame:
    """Return the areas with tidy codes, save where that would repeat another's."""
    frame = areas.copy()
    for name in ("code", "parent"):
        if name not in frame:
            continue
        old = frame[name].astype("string")
        new = tidy(old)
        change = (old != new).fillna(False)
        if name == "code":
            change &= ~new.duplicated(keep=False)
        if change.any():
            frame[name] = new.where(change, old)
            log.extend(("tidy_code", code, 0.0) for code in new[change])
    return frame


def _single(frame: gpd.GeoDataFrame, log: Log) -> gpd.GeoDataFrame:
    again = copies(frame)
    log.extend(
        ("drop_copy", str(code), float(area))
        for code, area in zip(frame["code"][again], frame.geometry[again].area, strict=True)
    )
    return frame[~again]


def _valid(frame: gpd.GeoDataFrame, log: Log) -> gpd.GeoDataFrame:
    shapes, broken = faults.solid(frame.geometry.to_numpy())
    broken &= ~shapely.is_empty(shapes)
    if not broken.any():
        return frame
    _note(log, "make_valid", frame["code"][broken], shapes[broken])
    values = frame.geometry.to_numpy().copy()
    values[broken] = shapes[broken]
    return frame.set_geometry(gpd.GeoSeries(values, crs=frame.crs))


def _note(log: Log, fix: str, codes: pd.Series | Shapes, shapes: Shapes) -> None:
    log.extend(
        (fix, "" if pd.isna(code) else str(code), float(area))
        for code, area in zip(codes, shapely.area(shapes), strict=True)
    )


def _clipped(areas: Areas, log: Log) -> Shapes:
    """Cut off what reaches over the parent's outline by a sliver."""
    if not areas.nested:
        return areas.shapes
    pieces, row = areas.beyond
    thin = areas.thin(pieces)
    return _less(areas, pieces[thin], row[thin], "cut_at_parent", log)


def _without_strays(areas: Areas, log: Log) -> Shapes:
    """Give detached parts that are slivers to the neighbour with the longest shared border."""
    parts, owner = faults.detached(areas.shapes, areas.outlines, areas.parent)
    thin = areas.thin(parts)
    parts, owner = parts[thin], owner[thin]
    able = areas.takers(parts, areas.parent[owner], owner)
    taker = np.array([_taker(areas, *one) for one in zip(parts, able, strict=True)], np.int64)
    taken = taker >= 0
    shapes = _less(areas, parts[taken], owner[taken], "", [])
    return _more(areas, shapes, parts[taken], taker[taken], "give_to_neighbour", log)


def _settled(areas: Areas, log: Log) -> Shapes:
    """Leave slivers that two areas cover to one of them."""
    pieces, one, other = areas.overlaps
    thin = areas.thin(pieces)
    pieces, one, other = pieces[thin], one[thin], other[thin]
    loser = np.array(
        [
            _loser(areas, piece, a, b)
            for piece, a, b in zip(pieces, one.tolist(), other.tolist(), strict=True)
        ],
        dtype=np.int64,
    )
    return _less(areas, pieces, loser, "settle_overlap", log)


def _loser(areas: Areas, piece: shapely.Polygon, one: int, other: int) -> int:
    """Return which of two areas gives up a piece."""
    if areas.parent[one] != areas.parent[other]:
        point = shapely.point_on_surface(piece)
        at_home = [
            areas.parent[k] >= 0 and bool(areas.outlines[areas.parent[k]].intersects(point))
            for k in (one, other)
        ]
        if at_home[0] != at_home[1]:
            return other if at_home[0] else one
    # The border of the piece inside an area is the one that it shares with the rest of it.
    inside = [_length(piece, shapely.boundary(areas.shapes[k]), near=False) for k in (one, other)]
    return one if inside[1] > inside[0] + NEAR_M else other


def _length(piece: shapely.Polygon, other: shapely.Geometry, *, near: bool) -> float:
    """Return the length of the border of a piece that lies on a geometry, or that does not."""
    total = 0.0
    for ring in shapely.get_rings(piece):
        xy = shapely.get_coordinates(ring)
        middle = shapely.points((xy[1:] + xy[:-1]) / 2)
        on = shapely.distance(middle, other) <= NEAR_M
        total += float(np.hypot(*(xy[1:] - xy[:-1]).T)[on == near].sum())
    return total


def _less(areas: Areas, pieces: Shapes, row: Longs, fix: str, log: Log) -> Shapes:
    """Take pieces out of areas, save where little would be left."""
    shapes = areas.shapes.copy()
    for at, mine in _grouped(row):
        left = _without_noise(shapely.difference(shapes[at], shapely.union_all(pieces[mine])))
        if shapely.area(left) > LEFT_SHARE * shapely.area(shapes[at]):
            shapes[at] = left
            _note(log, fix, np.repeat(areas.codes[at], len(mine)), pieces[mine])
    return shapes


def _closed(areas: Areas, log: Log) -> Shapes:
    """Give slivers that no area covers to the neighbour with the longest shared border."""
    pieces, parent = areas.gaps
    thin = areas.thin(pieces)
    pieces, parent = pieces[thin], parent[thin]
    able = areas.takers(pieces, parent)
    taker = np.array([_taker(areas, *one) for one in zip(pieces, able, strict=True)], np.int64)
    taken = taker >= 0
    return _more(areas, areas.shapes, pieces[taken], taker[taken], "close_gap", log)


def _taker(areas: Areas, piece: shapely.Polygon, able: Longs) -> int:
    """Return the area with the longest border with a piece, -1 if none has any."""
    shared = np.array([_length(piece, areas.shapes[k], near=True) for k in able])
    if len(able) == 0 or shared.max() <= NEAR_M:
        return -1
    # Lengths that differ by rounding are equal: the first area gets it.
    return int(able[np.flatnonzero(shared > shared.max() - NEAR_M)[0]])


def _more(areas: Areas, shapes: Shapes, pieces: Shapes, row: Longs, fix: str, log: Log) -> Shapes:
    """Add pieces to areas."""
    made = shapes.copy()
    for at, mine in _grouped(row):
        made[at] = _without_noise(shapely.union_all([made[at], *pieces[mine]]))
        _note(log, fix, np.repeat(areas.codes[at], len(mine)), pieces[mine])
    return made


def _grouped(row: Longs) -> Iterator[tuple[int, Longs]]:
    """Yield each area with the positions of its pieces."""
    order = np.argsort(row, kind="stable")
    rows, first = np.unique(row[order], return_index=True)
    for k, at in enumerate(rows.tolist()):
        yield at, order[first[k] : first[k + 1] if k + 1 < len(rows) else None]


def _without_noise(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a shape without parts and holes that are rounding errors."""
    kept = []
    for part in faults.faces(np.array([shape], dtype=object))[0]:
        rings = shapely.get_rings(part)
        holes = np.asarray(shapely.polygons(rings[1:]))
        real = (shapely.area(holes) > faults.NOISE_M2) & (faults.width(holes) > faults.NOISE_M)
        kept.append(part if real.all() else shapely.Polygon(rings[0], rings[1:][real]))
    if not kept:
        return shapely.Polygon()
    return kept[0] if len(kept) == 1 else shapely.multipolygons(kept)


def _matched(areas: Areas, log: Log) -> Shapes:
    """Put in nodes that lie on a neighbour's border."""
    if len(areas.suspects) == 0:
        return areas.shapes
    lacking = np.unique(faults.unmatched(areas.shapes)[0])
    if len(lacking) == 0:
        return areas.shapes
    made, broken = faults.solid(matched(areas.shapes, np.arange(len(areas.shapes))))
    # Where nodes a rounding error apart became one, a ring may touch itself.
    for at in np.flatnonzero(broken):
        made[at] = _without_noise(made[at])
    log.extend(("match_nodes", str(areas.codes[at]), 0.0) for at in lacking)
    return made
