"""Coordinates that are no place: where a geocoder drops what it cannot find."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gridmap.analysis._doors import asks

__all__ = ["find_fallback_points"]

_ADDRESSES = 10


@asks(columns={"problems": ("address",)})
def find_fallback_points(
    problems: gpd.GeoDataFrame, *, share: float = 0.01, minimum: int = 30
) -> tuple[pd.Series, gpd.GeoDataFrame]:
    """Find the fallback points among reported places.

    A busy place, such as a town hall, gets many reports with one address; a fallback point gets
    many reports with many addresses.

    Parameters
    ----------
    problems : GeoDataFrame of n points
        With a column ``address``; where it is empty throughout, the count alone decides.
    share : float
        The part of all problems that must have exactly one coordinate, to be suspected.
    minimum : int
        And how many at least.

    Returns
    -------
    on_pile : Series of boolean, shape (n,)
        Whether a problem lies on such a point.
    piles : GeoDataFrame
        One point a row: ``code, problems, addresses, share, geometry``, the largest first.

    Examples
    --------
    >>> east = [10] * 40 + [200] * 40 + [300]
    >>> problems = gpd.GeoDataFrame(geometry=gpd.points_from_xy(east, [0] * 81), crs=4549)
    >>> problems["address"] = [f"Lane {n}" for n in range(40)] + ["Town hall"] * 41
    >>> on_pile, piles = analysis.find_fallback_points(problems)
    >>> int(on_pile.sum())
    40
    >>> piles[["problems", "addresses"]]
       problems  addresses
    0        40         40
    """
    points = problems.geometry
    places = pd.MultiIndex.from_arrays([points.x, points.y]).factorize()[0]
    by_place = problems.groupby(places)["address"].agg(["size", "nunique"])
    suspect = by_place["size"] >= max(minimum, share * len(problems))
    if problems["address"].notna().any():
        suspect &= by_place["nunique"] >= _ADDRESSES
    chosen = by_place[suspect].sort_values("size", ascending=False, kind="stable")
    first = pd.Series(places).drop_duplicates()
    rows = pd.Series(first.index, index=first.to_numpy()).reindex(chosen.index).to_numpy(dtype=int)
    piles = gpd.GeoDataFrame(
        {
            "code": pd.Series([f"pile-{n}" for n in range(1, len(chosen) + 1)], dtype="string"),
            "problems": pd.Series(chosen["size"].to_numpy(), dtype="Int64"),
            "addresses": pd.Series(chosen["nunique"].to_numpy(), dtype="Int64"),
            "share": chosen["size"].to_numpy(dtype="float64") / max(len(problems), 1),
        },
        geometry=points.iloc[rows].to_numpy(),
        crs=problems.crs,
    )
    on_pile = pd.Series(places, index=problems.index).isin(chosen.index).astype("boolean")
    return on_pile, piles
