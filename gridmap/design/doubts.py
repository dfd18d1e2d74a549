"""What in a city makes a plan doubtful, told before it is made: overlaps of grids and buildings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.analysis import assign, find_overlaps
from gridmap.design.grids import grids_of
from gridmap.errors import ConformError
from gridmap.model import City
from gridmap.settings import Design

__all__ = ["doubts"]

LEAST_M2 = 1.0  # an overlap below this is one of digitising
NAMED = 10  # codes that one line names


def doubts(city: City, settings: Design | None = None) -> list[ConformError]:
    """Return what is doubtful of the grids and buildings that a plan is made of, not raised.

    Parameters
    ----------
    city : City
        With grids and buildings.
    settings : Design, optional

    Returns
    -------
    list of ConformError
        Overlapping grids: two micro-grids would claim the same land. Buildings that overlap
        others: the border between them cuts one. Buildings across the outline of their grid: that
        cuts them. Each names codes, and what to do.

    Raises
    ------
    ConformError
        If the city lacks grids or buildings.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> [doubt.key for doubt in design.doubts(city)]
    ['design.grids_overlap']

    Two grids of the sample city share a strip, which was planted there.
    """
    grids, buildings = grids_of(city, settings or Design()), city.frame("buildings")
    return [*_grids(grids), *_overlaps(buildings), *_across(buildings, grids)]


def _grids(grids: gpd.GeoDataFrame) -> Iterator[ConformError]:
    found = find_overlaps(grids, minimum_m2=LEAST_M2)
    if len(found):
        worst = found.loc[found["area_m2"].idxmax()]
        yield ConformError(
            "design.grids_overlap",
            count=len(found),
            first=worst["first"],
            second=worst["second"],
            area=f"{found['area_m2'].max():,.0f}",
        )


def _overlaps(buildings: gpd.GeoDataFrame) -> Iterator[ConformError]:
    shapes = buildings.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    area = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    cut = np.unique(np.concatenate([one[area > LEAST_M2], other[area > LEAST_M2]]))
    if len(cut):
        codes = buildings["code"].iloc[cut]
        yield ConformError("design.buildings_overlap", count=len(cut), codes=_named(codes))


def _across(buildings: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> Iterator[ConformError]:
    inner = buildings.set_geometry(buildings.representative_point())
    own = assign(inner, grids).map(pd.Series(grids.index, index=grids["code"]))
    there = np.flatnonzero(own.notna())
    shapes = buildings.geometry.to_numpy()[there]
    outlines = grids.geometry.to_numpy()[own.iloc[there].to_numpy(dtype=np.int64)]
    beyond = shapely.area(shapely.difference(shapes, outlines)) > LEAST_M2
    if beyond.any():
        codes = buildings["code"].iloc[there[beyond]]
        yield ConformError("design.buildings_across", count=int(beyond.sum()), codes=_named(codes))


def _named(codes: Sequence[str] | pd.Series) -> str:
    shown = ", ".join(map(str, sorted(codes)[:NAMED]))
    return f"{shown}, ..." if len(codes) > NAMED else shown
