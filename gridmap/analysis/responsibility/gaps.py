"""Where nobody answers, or two who each think the other does (文明死角)."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.analysis._doors import asks

__all__ = [
    "derived_leads",
    "double_leads",
    "line_by_block",
    "seams",
    "unowned",
    "without_cooperation",
]

OWNERS = ("lead", "direct")


@asks(columns={"found": ("point", "holder", "role")})
def unowned(points: gpd.GeoDataFrame, found: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the points that nobody leads or is directly responsible for.

    Parameters
    ----------
    points : GeoDataFrame of n points
    found : DataFrame
        Of `gridmap.analysis.responsibility.who` for these points.

    Returns
    -------
    GeoDataFrame
        Those rows of the points, with ``fallback``: who answers even so, missing for nobody.

    Examples
    --------
    >>> square = shapely.box(0, 0, 100, 100)
    >>> grids = gpd.GeoDataFrame({"code": ["g"], "level": ["grid"]}, geometry=[square], crs=4549)
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([50, 300], [50, 50]), crs=4549)
    >>> told = pd.DataFrame({"code": ["1"], "holder": ["Li"], "role": ["direct"]})
    >>> told = told.assign(layer="grids", target="g")
    >>> now = pd.Timestamp("2025-03-03", tz="Asia/Shanghai")
    >>> found = analysis.who(points, {"grids": grids}, told, at=now)
    >>> analysis.unowned(points, found).index.to_list()
    [1]
    """
    owned = found.loc[found["role"].isin(OWNERS), "point"].to_numpy(dtype=np.int64)
    left = np.setdiff1d(np.arange(len(points)), owned)
    named = found[found["role"] == "fallback"].drop_duplicates("point").set_index("point")
    fallback = named["holder"].reindex(left).astype("string")
    return points.iloc[left].assign(fallback=fallback.array)


@asks(columns={"found": ("point", "holder", "role", "category", "layer", "kind", "target")})
def double_leads(found: pd.DataFrame) -> pd.DataFrame:
    """Return the points that have several leads of one kind for one line.

    Parameters
    ----------
    found : DataFrame
        Of `gridmap.analysis.responsibility.who`.

    Returns
    -------
    DataFrame
        ``point, layer, kind, category, holders`` (all of them, joined by commas) and ``targets``.

    Examples
    --------
    >>> square = shapely.box(0, 0, 100, 100)
    >>> zones = gpd.GeoDataFrame({"code": ["z"], "kind": ["market"]}, geometry=[square], crs=4549)
    >>> point = gpd.GeoDataFrame(geometry=gpd.points_from_xy([50], [50]), crs=4549)
    >>> leads = pd.DataFrame({"code": ["1", "2"], "holder": ["Office A", "Office B"]})
    >>> leads = leads.assign(role="lead", layer="zones", target="z")
    >>> now = pd.Timestamp("2025-03-03", tz="Asia/Shanghai")
    >>> found = analysis.who(point, {"zones": zones}, leads, at=now)
    >>> analysis.double_leads(found)[["point", "kind", "holders"]]
       point    kind             holders
    0      0  market  Office A, Office B
    """
    leads = found[found["role"] == "lead"]
    keys = ["point", "layer", "kind", "category"]
    leads = leads.assign(category=leads["category"].astype("string").fillna(""))
    # Nearly every point has one lead for a line; names are joined for the few others alone.
    distinct = leads.drop_duplicates([*keys, "holder"])
    clashing = distinct.loc[distinct.duplicated(keys), keys].drop_duplicates()
    groups = leads.merge(clashing, on=keys).groupby(keys, sort=True, observed=True)
    double = groups.agg(
        holders=("holder", lambda names: ", ".join(sorted(set(names)))),
        targets=("target", lambda codes: ", ".join(sorted(set(codes)))),
    ).reset_index()
    return double.assign(category=double["category"].replace("", pd.NA))


@asks(columns={"assignments": ("holder", "target", "role", "category")})
def line_by_block(
    assignments: pd.DataFrame, lines: Sequence[str], blocks: Sequence[str]
) -> pd.DataFrame:
    """Return who leads each line (条) in each block (块).

    Parameters
    ----------
    assignments : DataFrame
        With ``holder, role, target, category``; a lead without category leads every line.
    lines : sequence of str
        Categories.
    blocks : sequence of str
        Codes of areas.

    Returns
    -------
    DataFrame of string, shape (len(lines), len(blocks))
        Names joined by commas; missing where nobody leads.

    Examples
    --------
    >>> leads = pd.DataFrame({"holder": ["Water office", "Chief E"], "target": ["west", "east"]})
    >>> leads = leads.assign(role="lead", category=["drains", None])
    >>> found = analysis.line_by_block(leads, ["drains", "litter"], ["east", "west"])
    >>> found.fillna("nobody").to_dict("list")
    {'east': ['Chief E', 'Chief E'], 'west': ['Water office', 'nobody']}

    The chief of the east leads every line, the water office only one.
    """
    leads = assignments[assignments["role"] == "lead"]
    every = leads[leads["category"].isna()].drop(columns="category")
    every = every.merge(pd.DataFrame({"category": list(lines)}), how="cross")
    both = pd.concat([leads[leads["category"].notna()], every], ignore_index=True)
    both = both[both["category"].isin(lines) & both["target"].isin(blocks)]
    names = both.groupby(["category", "target"], observed=True)["holder"].agg(
        lambda holders: ", ".join(sorted(set(holders)))
    )
    cells = pd.MultiIndex.from_product([lines, blocks], names=["category", "target"])
    wide = names.reindex(cells).unstack("target")
    return wide.reindex(index=list(lines), columns=list(blocks))


@asks(columns={"roads": ("code",), "assignments": ("role", "layer", "target")})
def without_cooperation(roads: gpd.GeoDataFrame, assignments: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the roads that have no cooperating department.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, y), (100, y)]) for y in (0, 50)]
    >>> roads = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=lines, crs=4549)
    >>> told = pd.DataFrame({"layer": ["roads"], "role": ["cooperating"], "target": ["a"]})
    >>> analysis.without_cooperation(roads, told)["code"].to_list()
    ['b']
    """
    helped = assignments[(assignments["layer"] == "roads") & (assignments["role"] == "cooperating")]
    return roads[~roads["code"].isin(helped["target"])]


@asks("zones", columns={"zones": ("code",)})
def seams(zones: gpd.GeoDataFrame, *, width_m: float, minimum_m2: float = 1.0) -> gpd.GeoDataFrame:
    """Return the narrow strips between zones that belong to none of them.

    Parameters
    ----------
    zones : GeoDataFrame
        Of one kind, such as the estates of property companies; with ``code``.
    width_m : float, metres
        Strips up to this width between two zones count.
    minimum_m2 : float, square metres
        Smaller ones do not.

    Returns
    -------
    GeoDataFrame
        ``code, between`` (codes of the zones within that width, joined by commas), ``area_m2``
        and the strip, the largest first. Only strips between two zones or more are told.

    Notes
    -----
    Morphological closing (Serra 1982): the union is grown by half the width and shrunk again.

    Examples
    --------
    >>> squares = [shapely.box(0, 0, 100, 100), shapely.box(104, 0, 204, 100)]
    >>> estates = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=squares, crs=4549)
    >>> analysis.seams(estates, width_m=10)[["between", "area_m2"]].round(1)
      between  area_m2
    0    a, b    400.0
    """
    union = shapely.union_all(zones.geometry.to_numpy())
    closed = union.buffer(width_m / 2, join_style="mitre").buffer(-width_m / 2, join_style="mitre")
    strips = shapely.get_parts(closed.difference(union))
    strips = strips[shapely.area(strips) >= minimum_m2]
    strip, zone = zones.sindex.query(strips, predicate="dwithin", distance=width_m / 100)
    codes = zones["code"].astype(str).to_numpy()
    pairs = pd.DataFrame({"strip": strip, "zone": codes[zone]}).sort_values(["strip", "zone"])
    names = pairs.groupby("strip")["zone"].agg([", ".join, "size"])
    names = names[names["size"] > 1]
    found = gpd.GeoDataFrame(
        {"between": names["join"].astype("string")},
        geometry=strips[names.index.to_numpy(dtype=np.int64)],
        crs=zones.crs,
    )
    found["area_m2"] = found.area
    found = found.sort_values(["area_m2", "between"], ascending=[False, True], ignore_index=True)
    numbers = [f"seam-{number}" for number in range(1, len(found) + 1)]
    found.insert(0, "code", pd.Series(numbers, dtype="string"))
    return found


@asks(
    "zones",
    "blocks",
    codes=(
        "zones",
        "blocks",
    ),
)
@asks()
def derived_leads(
    zones: gpd.GeoDataFrame,
    blocks: gpd.GeoDataFrame,
    leaders: pd.Series,
    *,
    share: float = 0.1,
) -> pd.DataFrame:
    """Derive who leads a zone from the areas that it lies over.

    The leader of the area that covers most of the zone leads it; the leaders of the other areas
    that cover at least a share of it lead with them.

    Parameters
    ----------
    zones : GeoDataFrame
        Such as sub-zones, with ``code``.
    blocks : GeoDataFrame
        Such as communities, with ``code``; the two need not nest.
    leaders : Series of string
        By the code of the block; who has none leads nothing.
    share : float
        Of the zone's area.

    Returns
    -------
    DataFrame
        ``target`` (zone), ``holder, role`` (``lead`` or ``cooperating``), ``block`` and ``share``;
        by zone, then by share, largest first; of equal shares the lower code first.

    Examples
    --------
    >>> halves = [shapely.box(0, 0, 300, 100), shapely.box(300, 0, 600, 100)]
    >>> blocks = gpd.GeoDataFrame({"code": ["west", "east"]}, geometry=halves, crs=4549)
    >>> zone = shapely.box(100, 0, 350, 100)
    >>> zones = gpd.GeoDataFrame({"code": ["z"]}, geometry=[zone], crs=4549)
    >>> analysis.derived_leads(zones, blocks, pd.Series({"west": "Chief W", "east": "Chief E"}))
      target   holder         role block  share
    0      z  Chief W         lead  west    0.8
    1      z  Chief E  cooperating  east    0.2
    """
    zone, block = blocks.sindex.query(zones.geometry, predicate="intersects")
    shapes, grounds = zones.geometry.to_numpy(), blocks.geometry.to_numpy()
    common = shapely.area(shapely.intersection(shapes[zone], grounds[block]))
    whole = shapely.area(shapes[zone])
    table = pd.DataFrame(
        {
            "target": zones["code"].astype("string").to_numpy()[zone],
            "block": blocks["code"].astype("string").to_numpy()[block],
            "share": np.divide(common, whole, out=np.zeros_like(common), where=whole > 0),
        }
    )
    table["holder"] = table["block"].map(leaders).astype("string")
    table = table[table["holder"].notna() & (table["share"] > 0)]
    table = table.sort_values(["target", "share", "block"], ascending=[True, False, True])
    first = ~table["target"].duplicated()
    table["role"] = np.where(first, "lead", "cooperating")
    kept = table[first | (table["share"] >= share)]
    columns = ["target", "holder", "role", "block", "share"]
    return kept[columns].reset_index(drop=True)
