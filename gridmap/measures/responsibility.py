"""Who must answer for what: responsibilities, where they are missing and where they clash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.measures.registry import Given, Made, Measure
from gridmap.model import City
from gridmap.settings import Responsibility
from gridmap.summaries import Summarised

__all__ = ["Holders", "reach_of", "responsibilities"]

_AREAS = ("grids", "microgrids", "zones", "roads", "places")
# Points that are asked for at once: each has about ten answers, which take memory.
_AT_ONCE = 131_072


@dataclass(frozen=True, repr=False)
class Holders(Summarised):
    """Who answers for what in a city.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame
        That somebody can answer for; frontages are zones of the kind ``frontage``.
    assignments : DataFrame
        All, as the layer ``assignments``.
    valid : DataFrame
        Those in force when the city is analysed.

    Examples
    --------
    >>> from gridmap.measures.responsibility import Holders, responsibilities
    >>> city = gridmap.read_city("data", layers=["grids", "assignments"])
    >>> layers, assignments = responsibilities(city)
    >>> holders = Holders(layers, assignments, analysis.in_force(assignments, city.as_of))
    >>> len(holders.valid) < len(holders.assignments)
    True
    """

    layers: Mapping[str, gpd.GeoDataFrame]
    assignments: pd.DataFrame
    valid: pd.DataFrame


def responsibilities(
    city: City, settings: Responsibility | None = None
) -> tuple[dict[str, gpd.GeoDataFrame], pd.DataFrame]:
    """Return the layers that somebody answers for, and all assignments.

    Parameters
    ----------
    city : City
    settings : Responsibility, optional

    Returns
    -------
    layers : dict of str to GeoDataFrame
        For `gridmap.analysis.who`; frontages are zones of the kind ``frontage``.
    assignments : DataFrame
        Those of the layers themselves, then those of the layer ``assignments``.

    Examples
    --------
    >>> from gridmap.measures.responsibility import responsibilities
    >>> city = gridmap.read_city("data", layers=["grids", "assignments"])
    >>> layers, assignments = responsibilities(city)
    >>> list(layers)
    ['grids']
    >>> sorted(assignments["role"].unique())
    ['cooperating', 'direct', 'fallback', 'lead', 'sponsor']
    """
    settings = settings or Responsibility()
    layers = {name: city.frame(name) for name in _AREAS if city.has(name)}
    if city.has("fronts"):
        strips = _frontages(city, settings)
        as_zones = strips.assign(kind="frontage", lead=strips["holder"])
        columns = ["code", "name", "kind", "lead", "valid_from", "geometry"]
        zones = [layers["zones"]] if "zones" in layers else []
        layers["zones"] = pd.concat([*zones, as_zones[columns]], ignore_index=True)
    rows = [analysis.implied_assignments(layers)]
    if city.has("assignments"):
        rows.append(city.layers["assignments"])
    fields = city.catalog.layer("assignments").fields
    return layers, pd.concat(rows, ignore_index=True).reindex(columns=list(fields))


def reach_of(settings: Responsibility) -> dict[str, float]:
    """Return how far from a road or place, in metres, a point still belongs to it.

    Examples
    --------
    >>> from gridmap.measures.responsibility import reach_of
    >>> reach_of(gridmap.Analysis().responsibility)
    {'roads': 30.0, 'places': 50.0}
    """
    return {"roads": settings.road_m, "places": settings.place_m}


def _holders(given: Given) -> Made:
    """Return who answers for what, and the frontages that follow from street fronts."""
    city, settings = given.city, given.settings.responsibility
    layers, assignments = responsibilities(city, settings)
    valid = analysis.in_force(assignments, city.as_of)
    made: dict[str, object] = {"holders": Holders(layers, assignments, valid)}
    if len(valid):
        fields = city.catalog.layer("responsibilities").fields
        order = ["layer", "target", "category", "role", "holder"]
        told = valid.sort_values(order, kind="stable", na_position="first", ignore_index=True)
        made["responsibilities"] = told[list(fields)]
    return made


def _fronts(given: Given) -> Made:
    strips = _frontages(given.city, given.settings.responsibility)
    return {"frontages": given.counted(strips)}


def _corridors(given: Given) -> Made:
    """Return the corridors of road chiefs, and roads that nobody cooperates on."""
    roads, valid = given["roads"], given["holders"].valid
    width = given.settings.responsibility.road_m
    stretches = analysis.road_corridors(roads, valid, width_m=width)
    if stretches.empty:
        return {}
    stretches = given.counted(stretches)
    length = stretches["to_m"] - stretches["from_m"]
    stretches["per_km"] = stretches["problems"].astype("float64") / (length / 1000.0)
    led = roads[roads["code"].isin(stretches["road"])]
    bare = analysis.without_cooperation(led, valid)
    leads = stretches.groupby("road")["lead"].agg(", ".join)
    lonely = bare[["code", "name", "geometry"]].assign(
        lead=bare["code"].map(leads).astype("string"), length_m=bare.length
    )
    return {"corridors": stretches, "bare_roads": lonely.reset_index(drop=True)}


def _asked(city: City) -> bool:
    """Tell whether the city names leads at all, so that to have none means something."""
    zones = city.layers.get("zones")
    return city.has("assignments") or (zones is not None and bool(zones["lead"].notna().any()))


def _frontages(city: City, settings: Responsibility) -> gpd.GeoDataFrame:
    roads = city.frame("roads") if city.has("roads") else None
    return analysis.frontage_zones(city.frame("fronts"), roads, depth_m=settings.frontage_m)


def _unheld(given: Given) -> Made:
    """Return problems and places that nobody owns, or that two lead for one line."""
    city, holders = given.city, given["holders"]
    if not _asked(city):
        return {}
    layers, assignments = holders.layers, holders.assignments
    named = set(assignments.loc[assignments["layer"] == "places", "target"])
    near = {**layers}
    if "places" in near:
        near["places"] = near["places"][near["places"]["code"].isin(named)]
        if near["places"].empty:
            del near["places"]
    parts = []
    for what in ("problems", "places"):
        if not given.has(what):
            continue
        points = given.placed if what == "problems" else given[what]
        label = points["address" if what == "problems" else "name"]
        points = points.assign(address=label, what=what).reset_index(drop=True)
        for start in range(0, max(len(points), 1), _AT_ONCE):
            some = points.iloc[start : start + _AT_ONCE].reset_index(drop=True)
            told = analysis.who(
                some,
                near,
                assignments,
                at=pd.Timestamp(city.as_of),
                category=some["category"] if what == "problems" else None,
                reach_m=reach_of(given.settings.responsibility),
            )
            parts.append(_unowned(some, told))
            if what == "problems":
                # Two leads of a line concern its cases; a place is of no line.
                parts.append(_double(some, told))
    if not parts:
        return {}
    columns = [*city.catalog.layer("dead_corners").fields, "geometry"]
    frame = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    frame = frame.sort_values(["finding", "what", "code"], kind="stable", ignore_index=True)
    # One problem can be both; the code of a finding is that of what it is about.
    again = frame["code"].duplicated(keep=False)
    frame["code"] = frame["code"].where(~again, frame["code"] + "-" + frame["finding"])
    return {"dead_corners": gpd.GeoDataFrame(frame, geometry="geometry", crs=city.crs)}


def _unowned(points: gpd.GeoDataFrame, told: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(analysis.unowned(points, told)).assign(finding="unowned")


def _double(points: gpd.GeoDataFrame, told: pd.DataFrame) -> pd.DataFrame:
    double = analysis.double_leads(told)
    merged = double.groupby("point", as_index=False).agg(
        category=("category", "first"),
        holders=("holders", "; ".join),
        targets=("targets", "; ".join),
    )
    rows = pd.DataFrame(points.iloc[merged["point"].to_numpy(dtype="int64")])
    kept = rows.drop(columns="category", errors="ignore").reset_index(drop=True)
    return kept.join(merged.drop(columns="point")).assign(finding="double")


def _seams(given: Given) -> Made:
    """Return strips between zones of one kind that belong to neither."""
    settings, zones = given.settings.responsibility, given["holders"].layers.get("zones")
    if zones is None or not settings.seam_kinds:
        return {}
    parts = []
    for kind in settings.seam_kinds:
        some = zones[zones["kind"] == kind].reset_index(drop=True)
        if len(some) > 1:
            strips = analysis.seams(some, width_m=settings.seam_m)
            parts.append(strips.assign(kind=kind, code=kind + "-" + strips["code"]))
    if not parts:
        columns = {"code": "string", "kind": "string", "between": "string", "area_m2": "float64"}
        none = gpd.GeoDataFrame(columns=[*columns, "geometry"], geometry="geometry", crs=zones.crs)
        return {"seams": given.counted(none.astype(columns))}
    return {"seams": given.counted(pd.concat(parts, ignore_index=True))}


def _matrix(given: Given) -> Made:
    """Return who leads each line in each block, one row for each pair."""
    city, settings = given.city, given.settings.responsibility
    if not settings.block_level:
        return {}
    blocks, valid = city.areas(settings.block_level), given["holders"].valid
    if city.has("categories"):
        lines = list(city.layers["categories"]["code"])
    else:
        lines = sorted(given.placed["category"].unique()) if given.has("problems") else []
    inside = valid[valid["layer"] == "grids"]
    wide = analysis.line_by_block(inside, lines, list(blocks["code"]))
    pairs = pd.DataFrame(wide.stack(future_stack=True)).reset_index()
    pairs.columns = pd.Index(["category", "target", "holders"])
    pairs["name"] = pairs["target"].map(blocks.set_index("code")["name"])
    return {"line_by_block": pairs[["category", "target", "name", "holders"]].astype("string")}


def _derived(given: Given) -> Made:
    """Return who leads zones by the areas that they lie over, beside who does on record."""
    city, settings, holders = given.city, given.settings.responsibility, given["holders"]
    zones, valid = holders.layers.get("zones"), holders.valid
    if zones is None or not (settings.derived_kinds and settings.leads_from):
        return {}
    some = zones[zones["kind"].isin(settings.derived_kinds)].reset_index(drop=True)
    blocks = city.areas(settings.leads_from)
    heads = valid[
        (valid["layer"] == "grids")
        & (valid["role"] == settings.leader_role)
        & valid["target"].isin(blocks["code"])
    ]
    heads = heads[heads["category"].isna()]
    leaders = heads.drop_duplicates("target").set_index("target")["holder"]
    derived = analysis.derived_leads(some, blocks, leaders, share=settings.lead_share)
    recorded = valid[
        (valid["layer"] == "zones")
        & valid["target"].isin(some["code"])
        & valid["role"].isin(("lead", "cooperating"))
        & valid["category"].isna()
    ]
    keys = ["target", "holder"]
    roles = recorded.drop_duplicates(keys).set_index(keys)["role"].rename("before")
    table = derived.set_index(keys).join(roles, how="outer").reset_index()
    # Departments that help with a zone are no leaders of areas, and stay as they are.
    table = table[
        table["role"].notna() | table["holder"].isin(leaders) | (table["before"] == "lead")
    ]
    table["changed"] = table["role"].fillna("") != table["before"].fillna("")
    table["name"] = table["target"].map(some.set_index("code")["name"]).astype("string")
    order = ["target", "share", "holder"]
    table = table.sort_values(order, ascending=[True, False, True], ignore_index=True)
    return {"derived_leads": table[[*city.catalog.layer("derived_leads").fields]]}


def _findings(given: Given) -> Made:
    """Return what is missing or contradictory in the registers of responsibility."""
    city, holders, made = given.city, given["holders"], given.found
    if not (city.has("assignments") or city.has("organisations")):
        return {}
    assignments = holders.assignments
    codes = {name: set(frame["code"]) for name, frame in holders.layers.items()}
    lines = set(city.layers["categories"]["code"]) if city.has("categories") else None
    parts = [analysis.check_assignments(assignments, codes, as_of=city.as_of, categories=lines)]
    if "line_by_block" in made:
        pairs = made["line_by_block"]
        empty = pairs[pairs["holders"].isna()][["category", "target"]]
        parts.append(empty.assign(kind="empty_cell", layer="grids", role="lead"))
    if "bare_roads" in made:
        bare = made["bare_roads"]
        parts.append(
            pd.DataFrame({"target": bare["code"], "holder": bare["lead"]}).assign(
                kind="no_cooperation", layer="roads", role="cooperating"
            )
        )
    if "frontages" in made:
        unsigned = made["frontages"][made["frontages"]["holder"].isna()]
        parts.append(
            pd.DataFrame({"target": unsigned["code"]}).assign(kind="no_contract", layer="fronts")
        )
    if city.has("organisations") and city.has("grids"):
        parts.append(_organised(city))
    return {"duty_findings": _numbered(city, [part for part in parts if len(part)])}


def _organised(city: City) -> pd.DataFrame:
    """Return what the overlay of organisations on areas finds, for the levels that it uses."""
    links = city.layers.get("organisation_areas", pd.DataFrame({"organisation": [], "target": []}))
    grids = city.frame("grids")
    used = grids.loc[grids["code"].isin(links["target"]), "level"].unique()
    areas = list(grids.loc[grids["level"].isin(used), "code"])
    if city.has("microgrids"):
        micro = city.frame("microgrids")["code"]
        areas += list(micro) if micro.isin(links["target"]).any() else []
    return analysis.check_organisations(city.layers["organisations"], links, areas)


def _numbered(city: City, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return findings in one table, each with a code and the name of its target."""
    fields = city.catalog.layer("duty_findings").fields
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    table = table.reindex(columns=list(fields))
    table["at"] = pd.to_datetime(table["at"], utc=True).dt.tz_convert(city.timezone)
    names = pd.concat(
        [
            frame.drop_duplicates("code").set_index("code")["name"]
            for frame in city.layers.values()
            if {"code", "name"} <= set(frame.columns)
        ]
    )
    names = names[~names.index.duplicated()]
    table["name"] = table["target"].map(names)
    table["code"] = [f"finding-{number}" for number in range(1, len(table) + 1)]
    return table


def _reconciled(given: Given) -> Made:
    every = {**given.city.layers, **given.found}
    return {"reconciled": analysis.reconcile_all(given["declared"], every)}


_OF = ("responsibility",)

MEASURES = (
    Measure(
        "responsibilities",
        needs=(),
        uses=("grids", "microgrids", "zones", "roads", "places", "fronts", "assignments"),
        makes=("holders", "responsibilities"),
        method="Assignments of the registers and of the layers themselves, in force at the moment",
        settings=_OF,
        silent="measure.nobody",
        dated=True,
        run=_holders,
    ),
    Measure(
        "frontages",
        needs=("fronts",),
        uses=("roads", "problems"),
        makes=("frontages",),
        method="Strips along street fronts, on the side of the nearest road, up to its middle",
        settings=_OF,
        run=_fronts,
    ),
    Measure(
        "corridors",
        needs=("roads", "holders"),
        uses=("problems",),
        makes=("corridors", "bare_roads"),
        method="Buffers of stretches of road from chainage to chainage",
        settings=_OF,
        silent="measure.no_chiefs",
        run=_corridors,
    ),
    Measure(
        "dead_corners",
        needs=("holders",),
        uses=("problems", "places", "zones", "assignments"),
        makes=("dead_corners",),
        method="Places with no lead or direct holder, or with two leads of one line",
        settings=_OF,
        silent="measure.no_leads",
        run=_unheld,
    ),
    Measure(
        "seams",
        needs=("holders", "zones"),
        uses=("problems",),
        makes=("seams",),
        method="Morphological closing (Serra 1982)",
        settings=_OF,
        silent="measure.no_seam_kinds",
        run=_seams,
    ),
    Measure(
        "line_by_block",
        needs=("grids", "assignments", "holders"),
        uses=("categories", "problems"),
        makes=("line_by_block",),
        method="Leads of each line in each block",
        settings=_OF,
        silent="measure.no_blocks",
        run=_matrix,
    ),
    Measure(
        "derived_leads",
        needs=("grids", "holders"),
        makes=("derived_leads",),
        method="Largest share of area",
        settings=_OF,
        silent="measure.no_derived",
        run=_derived,
    ),
    Measure(
        "duty_findings",
        needs=("holders",),
        uses=(
            "line_by_block",
            "bare_roads",
            "frontages",
            "assignments",
            "categories",
            "grids",
            "microgrids",
            "organisations",
            "organisation_areas",
        ),
        makes=("duty_findings",),
        method="Registers against each other and against the layers",
        settings=_OF,
        silent="measure.no_registers",
        run=_findings,
    ),
    Measure(
        "reconciled",
        needs=("declared",),
        uses=(
            "grids",
            "microgrids",
            "zones",
            "roads",
            "places",
            "fronts",
            "buildings",
            "units",
            "organisations",
            "responsibilities",
            "frontages",
            "corridors",
            "bare_roads",
        ),
        makes=("reconciled",),
        method="Declared numbers against counted rows",
        run=_reconciled,
    ),
)
