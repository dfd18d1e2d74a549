"""Hot lixels that hang together, as black spots in the order of their excess."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely

from gridmap.analysis.network.graph import Network
from gridmap.summaries import Summarised

__all__ = ["NetworkHotspots", "told"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class NetworkHotspots(Summarised):
    """Lixels with their scores, and the black spots that hot lixels form.

    Parameters
    ----------
    lixels : GeoDataFrame, m rows
        ``code`` (from 1), ``road``, ``black_spot`` (its code, missing for none), ``length_m``,
        ``events``, ``weight`` (their sum), ``density`` and ``expected`` (weight per kilometre),
        ``p`` (one-sided), ``q`` (p after Benjamini and Hochberg, 1995), ``hotspot`` (``hot`` or
        ``none``) and the line.
    black_spots : GeoDataFrame
        ``code`` (the rank, from 1), ``road``, ``events``, ``weight``, ``expected`` (weight),
        ``excess``, ``peak`` (weight per kilometre), ``length_m``, ``q`` (the lowest) and the
        line; the largest excess of weight over what chance gives first.
    lixel : Series of Int64, shape (n,)
        The lixel of every event, on the index of the events; missing where none is near.
    """

    lixels: gpd.GeoDataFrame
    black_spots: gpd.GeoDataFrame
    lixel: pd.Series

    @property
    def left_out(self) -> int:
        """How many events are too far from every road."""
        return int(self.lixel.isna().sum())


def told(
    network: Network,
    frame: gpd.GeoDataFrame,
    expected: Floats,
    lixel: pd.Series,
    alpha: float,
    minimum: int,
) -> NetworkHotspots:
    """Join hot lixels that touch, rank them, and put everything in order."""
    hot = np.flatnonzero((frame["q"] <= alpha) & (frame["density"] > frame["expected"]))
    group = _joined(network, hot)
    frame["hotspot"] = "none"
    frame.loc[hot, "hotspot"] = "hot"
    parts = frame.loc[hot].assign(group=group, chance=expected[hot])
    spots = _black_spots(parts, minimum)
    rank = pd.Series(range(1, len(spots) + 1), index=spots["group"])
    frame["black_spot"] = pd.Series(pd.NA, index=frame.index, dtype="Int64")
    frame.loc[hot, "black_spot"] = rank.reindex(group).astype("Int64").to_numpy()
    spots["code"] = range(1, len(spots) + 1)
    kinds = {"code": "Int64", "events": "Int64", "road": "string"}
    order = ["code", "road", "black_spot", "length_m", "events", "weight", "density", "expected",
             "p", "q", "hotspot", "geometry"]  # fmt: skip
    ranked = ["code", "road", "events", "weight", "expected", "excess", "peak", "length_m", "q",
              "geometry"]  # fmt: skip
    return NetworkHotspots(
        frame.astype({**kinds, "hotspot": "string"})[order], spots.astype(kinds)[ranked], lixel
    )


def _joined(network: Network, hot: Longs) -> Longs:
    """Return which of the hot lixels hang together, numbered by the first of each group."""
    ends = network.lixel_ends[hot]
    row = np.repeat(np.arange(len(hot)), 2)
    places = int(network.lixel_ends.max(initial=-1)) + 1
    touch = sp.csr_array((np.ones(2 * len(hot)), (row, ends.reshape(-1))), (len(hot), places))
    found = sp.csgraph.connected_components(touch @ touch.T, directed=False)[1]
    return found.astype(np.int64)


def _black_spots(parts: gpd.GeoDataFrame, minimum: int) -> gpd.GeoDataFrame:
    groups = parts.groupby("group", sort=True)
    # The road on which most of it lies names it; of equals the lowest name.
    lengths = parts.groupby(["group", "road"], dropna=True)["length_m"].sum().reset_index()
    lengths = lengths.sort_values(["group", "length_m", "road"], ascending=[True, False, True])
    road = lengths.drop_duplicates("group").set_index("group")["road"]
    lines = [shapely.line_merge(shapely.multilinestrings(one.to_numpy()))
             for _, one in groups["geometry"]]  # fmt: skip
    spots = groups.agg(
        events=("events", "sum"),
        weight=("weight", "sum"),
        expected=("chance", "sum"),
        peak=("density", "max"),
        length_m=("length_m", "sum"),
        q=("q", "min"),
    )
    spots = spots.assign(road=road, excess=spots["weight"] - spots["expected"])
    made = gpd.GeoDataFrame(spots.reset_index(), geometry=np.array(lines, object), crs=parts.crs)
    made = made[made["events"] >= minimum]
    return made.sort_values(["excess", "group"], ascending=[False, True]).reset_index(drop=True)
