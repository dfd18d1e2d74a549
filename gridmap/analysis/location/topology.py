"""Gaps, overlaps and nesting of areas, and the points that nobody owns."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.analysis._doors import asks

__all__ = ["find_gaps", "find_misnested", "find_overlaps", "find_unassigned"]

Shapes = npt.NDArray[np.object_]


@asks("children", "parents", codes=("parents",))
def find_gaps(
    children: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, *, minimum_m2: float = 1.0
) -> gpd.GeoDataFrame:
    """Find the parts of parents that no child covers.

    Parameters
    ----------
    children, parents : GeoDataFrame of polygons
        In one metric system; parents with a column ``code``.
    minimum_m2 : float, square metres
        A smaller part is a digitising error and left out.

    Returns
    -------
    GeoDataFrame
        One connected part a row: ``parent, area_m2, geometry``, by parent, the largest first.

    Examples
    --------
    >>> square, half = shapely.box(0, 0, 100, 100), shapely.box(0, 0, 70, 100)
    >>> parents = gpd.GeoDataFrame({"code": ["p"]}, geometry=[square], crs=4549)
    >>> children = gpd.GeoDataFrame(geometry=[half], crs=4549)
    >>> analysis.find_gaps(children, parents)[["parent", "area_m2"]]
      parent  area_m2
    0      p   3000.0
    """
    parent, child = children.sindex.query(parents.geometry, predicate="intersects")
    shapes = children.geometry.to_numpy()
    outlines = parents.geometry.to_numpy()
    left = outlines.copy()
    for row in np.unique(parent):
        left[row] = shapely.difference(
            outlines[row], shapely.union_all(shapes[child[parent == row]])
        )
    return _parts(left, {"parent": parents["code"].to_numpy()}, parents.crs, minimum_m2)


@asks("areas", codes=("areas",))
def find_overlaps(areas: gpd.GeoDataFrame, *, minimum_m2: float = 1.0) -> gpd.GeoDataFrame:
    """Find what two areas both claim.

    Parameters
    ----------
    areas : GeoDataFrame of polygons
        With a column ``code``, in a metric system.
    minimum_m2 : float, square metres
        A smaller part is a digitising error and left out.

    Returns
    -------
    GeoDataFrame
        One connected part a row: ``first, second, area_m2, geometry``; ``first < second``.

    Examples
    --------
    >>> squares = [shapely.box(0, 0, 100, 100), shapely.box(90, 0, 190, 100)]
    >>> areas = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=squares, crs=4549)
    >>> analysis.find_overlaps(areas)[["first", "second", "area_m2"]]
      first second  area_m2
    0     a      b   1000.0
    """
    one, other = areas.sindex.query(areas.geometry, predicate="intersects")
    codes = areas["code"].to_numpy()
    ahead = codes[one] < codes[other]
    one, other = one[ahead], other[ahead]
    shapes = areas.geometry.to_numpy()
    shared = shapely.intersection(shapes[one], shapes[other])
    labels = {"first": codes[one], "second": codes[other]}
    return _parts(shared, labels, areas.crs, minimum_m2)


@asks("children", "parents", codes=("parents",), columns={"children": ("code", "parent")})
def find_misnested(
    children: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, *, minimum_m2: float = 1.0
) -> gpd.GeoDataFrame:
    """Find the parts of children that lie outside their parent.

    Parameters
    ----------
    children : GeoDataFrame of polygons
        With columns ``code`` and ``parent``. A child whose parent is none of them is only held
        against all together: nobody said in which one it should lie.
    parents : GeoDataFrame of polygons
        With a column ``code``.
    minimum_m2 : float, square metres
        Children with less outside are left out.

    Returns
    -------
    GeoDataFrame
        One child a row: ``child, parent, area_m2, share, geometry``; without a parent if nobody
        declared it.

    Examples
    --------
    >>> square, beyond = shapely.box(0, 0, 100, 100), shapely.box(50, 0, 125, 100)
    >>> parents = gpd.GeoDataFrame({"code": ["p"]}, geometry=[square], crs=4549)
    >>> children = gpd.GeoDataFrame({"code": ["c"], "parent": ["p"]}, geometry=[beyond], crs=4549)
    >>> analysis.find_misnested(children, parents)[["child", "parent", "area_m2", "share"]].round(3)
      child parent  area_m2  share
    0     c      p   2500.0  0.333
    """
    position = pd.Index(parents["code"]).get_indexer(children["parent"])
    shapes, outlines = children.geometry.to_numpy(), parents.geometry.to_numpy()
    # The last of the outlines is that of -1.
    every = shapely.union_all(outlines) if (position < 0).any() else shapely.Polygon()
    within = np.array([*outlines, every], dtype=object)[position]
    outside = shapely.difference(shapes, within)
    # What lines and points are left are borders, not land.
    outside = _only_polygons(outside)
    area, whole = shapely.area(outside), shapely.area(shapes)
    codes = pd.Series(parents["code"].to_numpy(), dtype="string")
    found = gpd.GeoDataFrame(
        {
            "child": pd.Series(children["code"].to_numpy(), dtype="string"),
            "parent": codes.reindex(position).to_numpy(),
            "area_m2": area,
            "share": np.divide(area, whole, out=np.zeros_like(area), where=whole > 0),
        },
        geometry=outside,
        crs=children.crs,
    )
    found["parent"] = found["parent"].astype("string")
    found = found[found["area_m2"] >= max(minimum_m2, 1e-9)]
    return found.sort_values("child", kind="stable").reset_index(drop=True)


@asks(columns={"problems": ("code", "category", "address"), "zones": ("problem", "kind")})
def find_unassigned(
    problems: gpd.GeoDataFrame,
    grid: pd.Series | None,
    zones: pd.DataFrame | None,
    kinds: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """Find the problems that have no grid, or no zone.

    Parameters
    ----------
    problems : GeoDataFrame of points
        With columns ``code, category, address``.
    grid : Series of string, optional
        The grid of each problem (`gridmap.analysis.location.assign.assign`), on the index of the
        problems; without it, none is missed.
    zones : DataFrame, optional
        ``problem, zone, kind``, one row for every zone that holds a problem; without it, none is
        missed.
    kinds : sequence of str
        The kinds of zones of which every problem should have one. Without any, a zone of
        whatever kind will do.

    Returns
    -------
    GeoDataFrame
        ``code, category, address, no_grid, no_zone, geometry``; ``no_zone`` lists the kinds.

    Examples
    --------
    >>> problems = gpd.GeoDataFrame(
    ...     {"code": ["p", "q"], "category": "litter", "address": ""},
    ...     geometry=gpd.points_from_xy([50, 300], [50, 50]),
    ...     crs=4549,
    ... )
    >>> grid = pd.Series(["a", None], dtype="string")
    >>> analysis.find_unassigned(problems, grid, None)[["code", "no_grid"]]
      code  no_grid
    0    q     True
    """
    lacking = pd.Series("", index=problems.index, dtype="string")
    if zones is not None:
        for kind in kinds or ("any",):
            rows = zones if kind == "any" else zones[zones["kind"] == kind]
            owned = problems["code"].isin(rows["problem"])
            lacking = lacking.mask(~owned, lacking + ", " + kind)
    lacking = lacking.str.removeprefix(", ")
    homeless = pd.Series(False, index=problems.index) if grid is None else grid.isna()
    found = problems[["code", "category", "address", "geometry"]].assign(
        no_grid=homeless.astype("boolean"), no_zone=lacking.mask(lacking == "")
    )
    found = found[found["no_grid"] | found["no_zone"].notna()]
    return found.reset_index(drop=True)


def _only_polygons(shapes: Shapes) -> Shapes:
    parts, row = shapely.get_parts(shapes, return_index=True)
    kept = shapely.get_dimensions(parts) == 2  # noqa: PLR2004 - the dimension of a polygon
    row, parts = row[kept], parts[kept]
    whole = np.full(len(shapes), shapely.Polygon(), dtype=object)
    for at in np.unique(row):
        whole[at] = shapely.union_all(parts[row == at])
    return whole


def _parts(
    shapes: Shapes, labels: dict[str, npt.NDArray[np.object_]], crs: object, minimum_m2: float
) -> gpd.GeoDataFrame:
    parts, row = shapely.get_parts(shapes, return_index=True)
    # The parts of a geometry collection are taken apart once more.
    parts, inner = shapely.get_parts(parts, return_index=True)
    row = row[inner]
    area = shapely.area(parts)
    frame = gpd.GeoDataFrame(
        {name: pd.Series(values[row], dtype="string") for name, values in labels.items()},
        geometry=parts,
        crs=crs,
    )
    frame.insert(len(labels), "area_m2", area)
    frame = frame[area >= max(minimum_m2, 1e-9)]
    order = [*labels, "area_m2"]
    rising = [True] * len(labels) + [False]
    return frame.sort_values(order, ascending=rising, kind="stable").reset_index(drop=True)
