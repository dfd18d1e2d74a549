"""Who must answer for what: responsibilities, where they are missing and where they clash."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.measures.summary import Frames, trusted
from gridmap.model import City
from gridmap.settings import Duties

__all__ = ["LAYERS", "RESULTS", "duties", "reach_of", "responsibilities"]

# What the answer depends on; nothing else need be read to ask who is responsible.
LAYERS = (
    "grids", "microgrids", "zones", "fronts", "roads", "places", "assignments",
)  # fmt: skip
RESULTS = (
    "dead_corners", "duty_findings", "line_by_block", "derived_leads", "bare_roads", "seams",
    "corridors", "frontages", "reconciled",
)  # fmt: skip
_AREAS = ("grids", "microgrids", "zones", "roads", "places")


def responsibilities(
    city: City, settings: Duties | None = None
) -> tuple[dict[str, gpd.GeoDataFrame], pd.DataFrame]:
    """Return the layers that somebody answers for, and all assignments.

    Parameters
    ----------
    city : City
    settings : Duties, optional

    Returns
    -------
    layers : dict of str to GeoDataFrame
        For `gridmap.analysis.who`; frontages are zones of the kind ``frontage``.
    assignments : DataFrame
        Those of the layers themselves, then those of the layer ``assignments``.
    """
    settings = settings or Duties()
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


def reach_of(settings: Duties) -> dict[str, float]:
    """Return how far from a road or place, in metres, a point still belongs to it."""
    return {"roads": settings.road_m, "places": settings.place_m}


def duties(city: City, found: Frames, settings: Duties) -> Frames:
    """Compute what is known of responsibility.

    Parameters
    ----------
    city : City
    found : mapping of str to DataFrame
        Of the steps before: problems with their place and state.
    settings : Duties

    Returns
    -------
    dict of str to DataFrame
        Results by layer; what the city has no input for is left out.
    """
    layers, assignments = responsibilities(city, settings)
    valid = analysis.in_force(assignments, city.as_of)
    made: Frames = {}
    problems = trusted(found) if "problems" in found else None
    if len(valid):
        fields = city.catalog.layer("responsibilities").fields
        order = ["layer", "target", "category", "role", "holder"]
        told = valid.sort_values(order, kind="stable", na_position="first", ignore_index=True)
        made["responsibilities"] = told[list(fields)]
    if city.has("fronts"):
        made["frontages"] = _counted(_frontages(city, settings), problems)
    if "roads" in layers:
        made |= _roads(layers["roads"], valid, problems, settings)
    if _asked(city):
        made["dead_corners"] = _dead_corners(city, layers, assignments, problems, settings)
    if settings.seam_kinds and "zones" in layers:
        made["seams"] = _seams(layers["zones"], problems, settings)
    if settings.block_level and city.has("grids") and city.has("assignments"):
        made["line_by_block"] = _matrix(city, valid, problems, settings)
    if settings.derived_kinds and settings.leads_from and {"zones", "grids"} <= set(layers):
        made["derived_leads"] = _derived(city, layers["zones"], valid, settings)
    if city.has("declared"):
        every = {**city.layers, **made}
        made["reconciled"] = analysis.reconcile_all(city.layers["declared"], every)
    if city.has("assignments") or city.has("organisations"):
        made["duty_findings"] = _findings(city, layers, assignments, made)
    return made


def _asked(city: City) -> bool:
    """Tell whether the city names leads at all, so that to have none means something."""
    zones = city.layers.get("zones")
    return city.has("assignments") or (zones is not None and bool(zones["lead"].notna().any()))


def _frontages(city: City, settings: Duties) -> gpd.GeoDataFrame:
    roads = city.frame("roads") if city.has("roads") else None
    return analysis.frontage_zones(city.frame("fronts"), roads, depth_m=settings.frontage_m)


def _counted(areas: gpd.GeoDataFrame, problems: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    none = pd.Series(0, index=areas.index, dtype="Int64")
    counts = none if problems is None else analysis.count_points(areas, problems)
    return areas.assign(problems=counts)


def _roads(
    roads: gpd.GeoDataFrame,
    valid: pd.DataFrame,
    problems: gpd.GeoDataFrame | None,
    settings: Duties,
) -> Frames:
    """Return the corridors of road chiefs, and roads that nobody cooperates on."""
    stretches = analysis.road_corridors(roads, valid, width_m=settings.road_m)
    if stretches.empty:
        return {}
    stretches = _counted(stretches, problems)
    length = stretches["to_m"] - stretches["from_m"]
    stretches["per_km"] = stretches["problems"].astype("float64") / (length / 1000.0)
    led = roads[roads["code"].isin(stretches["road"])]
    bare = analysis.without_cooperation(led, valid)
    leads = stretches.groupby("road")["lead"].agg(", ".join)
    lonely = bare[["code", "name", "geometry"]].assign(
        lead=bare["code"].map(leads).astype("string"), length_m=bare.length
    )
    return {"corridors": stretches, "bare_roads": lonely.reset_index(drop=True)}


def _dead_corners(
    city: City,
    layers: Mapping[str, gpd.GeoDataFrame],
    assignments: pd.DataFrame,
    problems: gpd.GeoDataFrame | None,
    settings: Duties,
) -> gpd.GeoDataFrame:
    """Return problems and places that nobody owns, or that two lead for one line."""
    named = set(assignments.loc[assignments["layer"] == "places", "target"])
    near = {**layers}
    if "places" in near:
        near["places"] = near["places"][near["places"]["code"].isin(named)]
        if near["places"].empty:
            del near["places"]
    parts = []
    for what in ("problems", "places"):
        points = problems if what == "problems" else city.layers.get("places")
        if points is None or points.empty:
            continue
        points = points.reset_index(drop=True)
        category = points["category"] if what == "problems" else None
        told = analysis.who(
            points,
            near,
            assignments,
            at=pd.Timestamp(city.as_of),
            category=category,
            reach_m=reach_of(settings),
        )
        label = points["address" if what == "problems" else "name"]
        points = points.assign(address=label, what=what)
        parts.append(_unowned(points, told))
        if what == "problems":
            # Two leads of a line concern its cases; a place is of no line.
            parts.append(_double(points, told))
    columns = [*city.catalog.layer("dead_corners").fields, "geometry"]
    frame = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    frame = frame.sort_values(["finding", "what", "code"], kind="stable", ignore_index=True)
    # One problem can be both; the code of a finding is that of what it is about.
    again = frame["code"].duplicated(keep=False)
    frame["code"] = frame["code"].where(~again, frame["code"] + "-" + frame["finding"])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=city.crs)


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


def _seams(
    zones: gpd.GeoDataFrame, problems: gpd.GeoDataFrame | None, settings: Duties
) -> gpd.GeoDataFrame:
    parts = []
    for kind in settings.seam_kinds:
        some = zones[zones["kind"] == kind].reset_index(drop=True)
        if len(some) > 1:
            strips = analysis.seams(some, width_m=settings.seam_m)
            parts.append(strips.assign(kind=kind, code=kind + "-" + strips["code"]))
    if not parts:
        columns = {"code": "string", "kind": "string", "between": "string", "area_m2": "float64"}
        none = gpd.GeoDataFrame(columns=[*columns, "geometry"], geometry="geometry", crs=zones.crs)
        return _counted(none.astype(columns), problems)
    return _counted(pd.concat(parts, ignore_index=True), problems)


def _matrix(
    city: City, valid: pd.DataFrame, problems: gpd.GeoDataFrame | None, settings: Duties
) -> pd.DataFrame:
    """Return who leads each line in each block, cell by cell."""
    blocks = city.areas(settings.block_level)
    if city.has("categories"):
        lines = list(city.layers["categories"]["code"])
    else:
        lines = [] if problems is None else sorted(problems["category"].unique())
    inside = valid[valid["layer"] == "grids"]
    wide = analysis.line_by_block(inside, lines, list(blocks["code"]))
    cells = pd.DataFrame(wide.stack(future_stack=True)).reset_index()
    cells.columns = pd.Index(["category", "target", "holders"])
    cells["name"] = cells["target"].map(blocks.set_index("code")["name"])
    return cells[["category", "target", "name", "holders"]].astype("string")


def _derived(
    city: City, zones: gpd.GeoDataFrame, valid: pd.DataFrame, settings: Duties
) -> pd.DataFrame:
    """Return who leads zones by the areas that they lie over, beside who does on record."""
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
    return table[[*city.catalog.layer("derived_leads").fields]]


def _findings(
    city: City,
    layers: Mapping[str, gpd.GeoDataFrame],
    assignments: pd.DataFrame,
    made: Frames,
) -> pd.DataFrame:
    codes = {name: set(frame["code"]) for name, frame in layers.items()}
    lines = set(city.layers["categories"]["code"]) if city.has("categories") else None
    parts = [analysis.check_assignments(assignments, codes, as_of=city.as_of, categories=lines)]
    if "line_by_block" in made:
        cells = made["line_by_block"]
        empty = cells[cells["holders"].isna()][["category", "target"]]
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
    return _numbered(city, [part for part in parts if len(part)])


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
