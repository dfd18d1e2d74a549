"""Who answers for a place: assignments over layers that do not nest."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis.location.assign import assign_all, assign_lines

__all__ = ["COLUMNS", "ROLES", "implied_assignments", "targets_at", "who"]

ROLES = ("lead", "direct", "cooperating", "sponsor", "fallback")
COLUMNS = (
    "point", "rank", "holder", "role", "category", "layer", "kind", "target", "rule",
    "distance_m", "chainage_m", "until", "phone", "source",
)  # fmt: skip

REACH_M = {"roads": 30.0, "places": 50.0}
_IMPLIED = {
    "grids": {"member": "direct"},
    "microgrids": {"member": "direct"},
    "zones": {"lead": "lead", "cooperating": "cooperating"},
}
_KINDS = {"grids": "level", "microgrids": None, "zones": "kind"}
_TERRITORY = ("grids", "microgrids")


def implied_assignments(layers: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """Return what the layers say of responsibility themselves, as assignments.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame
        Of which ``grids`` and ``microgrids`` name a ``member``, who is ``direct``, and ``zones`` a
        ``lead`` and who is ``cooperating``, from ``valid_from`` on.

    Returns
    -------
    DataFrame
        With the columns of the layer ``assignments``.
    """
    parts = []
    for layer, columns in _IMPLIED.items():
        frame = layers.get(layer)
        for column, role in columns.items():
            if frame is None or column not in frame:
                continue
            named = frame[frame[column].notna()]
            since = named.get("valid_from", pd.NaT)
            parts.append(
                pd.DataFrame(
                    {
                        "code": layer + ":" + named["code"].astype(str) + ":" + column,
                        "holder": named[column].astype("string"),
                        "role": role,
                        "layer": layer,
                        "target": named["code"].astype("string"),
                        "valid_from": since,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["code"])


@asks("points", "layers")
def targets_at(
    points: gpd.GeoDataFrame,
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    reach_m: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return everything that a point lies in, along or at.

    Parameters
    ----------
    points : GeoDataFrame of n points
    layers : mapping of str to GeoDataFrame
        Some of ``grids`` (with ``level``), ``microgrids``, ``zones`` (with ``kind``), ``roads`` and
        ``places``; all in the metric system of the points.
    reach_m : mapping of str to float, optional, metres
        How far from a road or a place a point still belongs to it; 30 and 50.

    Returns
    -------
    DataFrame
        ``point`` (its position), ``layer``, ``kind`` (level of a grid, kind of a zone), ``target``
        (code), ``distance_m``, ``chainage_m`` and ``extent_m2`` (area of the target, of a road
        that of its corridor, nothing for a place).
    """
    reach = {**REACH_M, **(reach_m or {})}
    numbered = gpd.GeoDataFrame(
        {"code": np.arange(len(points))}, geometry=points.geometry.to_numpy(), crs=points.crs
    )
    parts = []
    for layer, column in _KINDS.items():
        areas = layers.get(layer)
        if areas is None:
            continue
        kinds = [("", areas)] if column is None else areas.groupby(column, observed=True)
        parts += [_inside(numbered, some, layer, str(kind)) for kind, some in kinds]
    if "roads" in layers:
        parts.append(_along(numbered, layers["roads"], reach["roads"]))
    if "places" in layers:
        parts.append(_near(numbered, layers["places"], reach["places"]))
    columns = ["point", "layer", "kind", "target", "distance_m", "chainage_m", "extent_m2"]
    known = [part for part in parts if len(part)]
    if not known:
        return pd.DataFrame(columns=columns)
    return pd.concat(known, ignore_index=True)[columns]


def _inside(
    points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, layer: str, kind: str
) -> pd.DataFrame:
    pairs = assign_all(points, areas)
    extent = pd.Series(areas.area.to_numpy(), index=areas["code"].astype(str))
    return pd.DataFrame(
        {
            "point": pairs["point"].astype(np.int64),
            "layer": layer,
            "kind": kind,
            "target": pairs["area"].astype("string"),
            "distance_m": 0.0,
            "chainage_m": np.nan,
            "extent_m2": extent.reindex(pairs["area"]).to_numpy(),
        }
    )


def _along(points: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, reach_m: float) -> pd.DataFrame:
    found = assign_lines(points, roads, within_m=reach_m)
    at = found["code"].notna().to_numpy()
    width = pd.Series(2.0 * reach_m * roads.length.to_numpy(), index=roads["code"].astype(str))
    return pd.DataFrame(
        {
            "point": np.flatnonzero(at),
            "layer": "roads",
            "kind": "",
            "target": found["code"].to_numpy()[at],
            "distance_m": found["distance_m"].to_numpy()[at],
            "chainage_m": found["chainage_m"].to_numpy()[at],
            "extent_m2": width.reindex(found["code"].to_numpy()[at]).to_numpy(),
        }
    )


def _near(points: gpd.GeoDataFrame, places: gpd.GeoDataFrame, reach_m: float) -> pd.DataFrame:
    tree = shapely.STRtree(places.geometry.to_numpy())
    shapes = points.geometry.to_numpy()
    point, place = tree.query(shapes, predicate="dwithin", distance=reach_m)
    return pd.DataFrame(
        {
            "point": point,
            "layer": "places",
            "kind": "",
            "target": places["code"].astype("string").to_numpy()[place],
            "distance_m": shapely.distance(shapes[point], places.geometry.to_numpy()[place]),
            "chainage_m": np.nan,
            "extent_m2": 0.0,
        }
    )


@asks("points", "layers")
def who(
    points: gpd.GeoDataFrame,
    layers: Mapping[str, gpd.GeoDataFrame],
    assignments: pd.DataFrame,
    *,
    at: pd.Timestamp | pd.Series,
    category: str | pd.Series | None = None,
    reach_m: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return everyone who is responsible for each point, in the order in which to ask them.

    First those of the smallest extent: of the place, then of the frontage, the micro-grid, the
    road, the sub-zone and so on up; among equals those for the very category before those for
    all, then by role. Last comes who answers where nobody else does (属地兜底): the holders of the
    role ``fallback``, or, where a point has none, of the smallest grid that has anybody.

    Parameters
    ----------
    points : GeoDataFrame of n points
    layers : mapping of str to GeoDataFrame
        As for `targets_at`.
    assignments : DataFrame
        As the layer ``assignments``; columns that are left out hold for everything and always.
    at : Timestamp or Series of them, shape (n,)
        The moment; an assignment holds from ``valid_from`` on and before ``valid_to``.
    category : str or Series of string, shape (n,), optional
        The category of the problem; without one, the assignments for any category are told.
    reach_m : mapping of str to float, optional, metres

    Returns
    -------
    DataFrame
        With `COLUMNS`: ``point`` (its position), ``rank`` from 1, the ``holder`` and why: by which
        ``rule`` (``inside``, ``along``, ``near`` or ``territory``), and ``until`` when.
    """
    found = targets_at(points, layers, reach_m=reach_m)
    known = assignments.reindex(columns=[*dict.fromkeys((*assignments.columns, *_OPTIONAL))])
    if found.empty or known.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    keys = ["layer", "target"]
    known = known.astype({"layer": "string", "target": "string", "role": "string"})
    pairs = found.astype({"layer": "string", "target": "string"}).merge(known, on=keys)
    pairs = pairs[_holds(pairs, at, category)].copy()
    rules = {"roads": "along", "places": "near"}
    pairs["rule"] = pairs["layer"].map(rules).fillna("inside").astype("string")
    pairs = pd.concat([pairs, _territorial(pairs, len(points))], ignore_index=True)
    pairs["place"] = pairs["role"].map({role: n for n, role in enumerate(ROLES)})
    pairs["general"] = pairs["category"].isna()
    pairs["last"] = pairs["role"] == "fallback"
    order = ["point", "last", "extent_m2", "distance_m", "general", "place", "holder", "code"]
    pairs = pairs.sort_values(order, kind="stable", ignore_index=True)
    pairs = pairs.drop_duplicates(["point", "holder", "role", "layer", "target", "category"])
    pairs["rank"] = pairs.groupby("point").cumcount() + 1
    pairs["until"] = pairs["valid_to"]
    return pairs[list(COLUMNS)].reset_index(drop=True)


_OPTIONAL = (
    "category", "valid_from", "valid_to", "from_m", "to_m", "phone", "source",
)  # fmt: skip


def _holds(
    pairs: pd.DataFrame, at: pd.Timestamp | pd.Series, category: str | pd.Series | None
) -> npt.NDArray[np.bool_]:
    """Tell which assignments hold at that moment, for that category, on that stretch of road."""
    point = pairs["point"].to_numpy(dtype=np.int64)
    moments = _moments(at if isinstance(at, pd.Series) else pd.Series([at]))
    moment = moments.iloc[point].array if isinstance(at, pd.Series) else moments.iloc[0]
    since, until = _moments(pairs["valid_from"]), _moments(pairs["valid_to"])
    begun = since.isna() | (since <= moment)
    lasts = until.isna() | (until > moment)
    along = pairs["chainage_m"].astype("float64")
    on = ~(along < pairs["from_m"].astype("float64")) & ~(along > pairs["to_m"].astype("float64"))
    fits = pd.Series(True, index=pairs.index)
    if category is not None:
        asked = category.to_numpy()[point] if isinstance(category, pd.Series) else category
        fits = pairs["category"].isna() | (pairs["category"] == asked).fillna(False)
    holds: npt.NDArray[np.bool_] = (begun & lasts & on & fits).to_numpy(dtype=np.bool_)
    return holds


def _moments(times: pd.Series) -> pd.Series:
    """Return times in UTC; missing columns hold no times at all."""
    moments: pd.Series = pd.to_datetime(times, utc=True)
    return moments


def _territorial(pairs: pd.DataFrame, points: int) -> pd.DataFrame:
    """Return who answers for the territory, for points that no fallback is named for."""
    named = np.zeros(points, dtype=np.bool_)
    named[pairs.loc[pairs["role"] == "fallback", "point"].to_numpy(dtype=np.int64)] = True
    grids = pairs[pairs["layer"].isin(_TERRITORY) & ~named[pairs["point"].to_numpy(dtype=np.int64)]]
    order = grids["role"].map({role: n for n, role in enumerate(ROLES)})
    grids = grids.assign(place=order).sort_values(
        ["point", "extent_m2", "place", "holder", "code"], kind="stable"
    )
    first: pd.DataFrame = grids.drop_duplicates("point").drop(columns="place")
    return first.assign(role="fallback", rule="territory")
