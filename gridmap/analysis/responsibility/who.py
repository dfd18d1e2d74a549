"""Who answers for a place: assignments over layers that do not nest."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.responsibility.asking import in_order, with_territory
from gridmap.analysis.responsibility.registers import holds_at
from gridmap.analysis.responsibility.targets import targets_at
from gridmap.errors import ConformError

__all__ = ["COLUMNS", "implied_assignments", "who", "whole"]

COLUMNS = (
    "point", "rank", "holder", "role", "category", "layer", "kind", "target", "rule",
    "distance_m", "chainage_m", "until", "phone", "source",
)  # fmt: skip

_IMPLIED = {
    "grids": {"member": "direct"},
    "microgrids": {"member": "direct"},
    "zones": {"lead": "lead", "cooperating": "cooperating"},
}
_NEEDED = ("holder", "role", "layer", "target")
_OPTIONAL = (
    "code", "category", "valid_from", "valid_to", "from_m", "to_m", "phone", "source",
)  # fmt: skip


@asks()
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

    Examples
    --------
    >>> square = shapely.box(0, 0, 100, 100)
    >>> grids = gpd.GeoDataFrame({"code": ["g"], "member": ["Li"]}, geometry=[square], crs=4549)
    >>> told = analysis.implied_assignments({"grids": grids})
    >>> told[["holder", "role", "layer", "target"]]
      holder    role  layer target
    0     Li  direct  grids      g
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


# The layers first, where the system must be true to scale: a point far off is in none of them.
@asks("layers", "points")
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
    role ``fallback``, or, where a point has none, of the smallest grid that has anybody. The rule
    is `gridmap.analysis.responsibility.asking.ORDER`.

    Parameters
    ----------
    points : GeoDataFrame of n points
    layers : mapping of str to GeoDataFrame
        As for `gridmap.analysis.targets_at`.
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

    Examples
    --------
    >>> square = shapely.box(0, 0, 100, 100)
    >>> grids = gpd.GeoDataFrame({"code": ["g"], "level": ["grid"]}, geometry=[square], crs=4549)
    >>> told = pd.DataFrame({"code": ["1", "2"], "holder": ["Li", "Water office"]})
    >>> told = told.assign(layer="grids", target="g", role="direct", category=[None, "drains"])
    >>> point = gpd.GeoDataFrame(geometry=gpd.points_from_xy([60], [50]), crs=4549)
    >>> now = pd.Timestamp("2025-03-03", tz="Asia/Shanghai")
    >>> found = analysis.who(point, {"grids": grids}, told, at=now, category="drains")
    >>> found[["rank", "holder", "role", "rule"]]
       rank        holder      role       rule
    0     1  Water office    direct     inside
    1     2            Li    direct     inside
    2     3            Li  fallback  territory

    The office answers for drains, Li for everything; last comes who answers where nobody does.
    """
    found = targets_at(points, layers, reach_m=reach_m)
    if found.empty or assignments.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    names = {"layer": "string", "target": "string"}
    known = whole(assignments)
    if not isinstance(at, pd.Series):
        known = known[holds_at(known, at)]
    pairs = found.astype(names).merge(known, on=list(names))
    asked = _at_each(category, pairs["point"]) if isinstance(category, pd.Series) else category
    fits = _on_stretch(pairs) & _fits(pairs, asked)
    if isinstance(at, pd.Series):
        fits &= holds_at(pairs, _at_each(at, pairs["point"]))
    pairs = pairs[fits]
    told = in_order(with_territory(pairs))
    return told.rename(columns={"valid_to": "until"})[list(COLUMNS)]


def whole(assignments: pd.DataFrame) -> pd.DataFrame:
    """Return assignments with every column that an answer depends on, missing where left out.

    Raises
    ------
    ConformError
        If one lacks without which there is no answer.
    """
    for column in _NEEDED:
        if column not in assignments:
            known = ", ".join(map(str, assignments.columns))
            raise ConformError("clock.column", table="assignments", column=column, known=known)
    columns = dict.fromkeys((*assignments.columns, *_OPTIONAL))
    texts = dict.fromkeys(("layer", "target", "role"), "string")
    return assignments.reindex(columns=[*columns]).astype(texts)


def _at_each(values: pd.Series, point: pd.Series) -> pd.Series:
    """Return, for each pair, the value of its point."""
    return values.iloc[point.to_numpy(dtype=np.int64)].set_axis(point.index)


def _on_stretch(pairs: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which assignments hold on that stretch of road; all do of what is no road."""
    along = pairs["chainage_m"].astype("float64")
    off = (along < pairs["from_m"].astype("float64")) | (along > pairs["to_m"].astype("float64"))
    on: npt.NDArray[np.bool_] = ~off.to_numpy(dtype=np.bool_)
    return on


def _fits(pairs: pd.DataFrame, asked: str | pd.Series | None) -> npt.NDArray[np.bool_]:
    """Tell which assignments are for the category asked for; without one, all of them."""
    if asked is None:
        return np.ones(len(pairs), dtype=np.bool_)
    fits = pairs["category"].isna() | (pairs["category"] == asked).fillna(False)
    return fits.to_numpy(dtype=np.bool_)
