"""What tells who is responsible for any place of a city: its targets, and who answers for them."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from gridmap.analysis.responsibility.registers import in_force
from gridmap.analysis.responsibility.targets import Targets, target_groups
from gridmap.analysis.responsibility.who import who as asked_of
from gridmap.analysis.responsibility.who import whole
from gridmap.catalog import Catalog, Text, load_catalog
from gridmap.crs import DATUMS, parse_crs, to_wgs84
from gridmap.errors import ConformError
from gridmap.kinds import checked
from gridmap.measures.responsibility import reach_of, responsibilities
from gridmap.model import City
from gridmap.result import Analysed
from gridmap.settings import Responsibility

__all__ = [
    "Outside",
    "Ownership",
    "outside",
    "owners_of",
    "ownership",
    "ownership_of",
    "target_title",
    "who",
]

_POLE = 90.0
# From here on a strip of Gauss-Krueger says nothing of how far something is.
_FAR_M = 300_000.0


@dataclass(frozen=True)
class Ownership:
    """The ingredients of the answer of `gridmap.analysis.who`, all but the place and category.

    Parameters
    ----------
    at : datetime, aware
        The moment that is answered for.
    groups : tuple of Targets
        Those that somebody answers for, and every road, for the nearest one decides.
    holders : DataFrame
        The assignments that hold at that moment, as the layer ``assignments``, by code.
    roles : mapping of str to Text
    titles : mapping of (str, str) to Text
        What the targets of a layer and kind are called.
    categories : mapping of str to str
        The names of the categories that can be asked for, by code: the city's own in their order,
        then others that assignments name.
    """

    at: dt.datetime
    groups: tuple[Targets, ...]
    holders: pd.DataFrame
    roles: Mapping[str, Text]
    titles: Mapping[tuple[str, str], Text]
    categories: Mapping[str, str]


def ownership(analysed: Analysed) -> Ownership:
    """Return who answers for what in a city, by the settings that it was analysed with.

    Examples
    --------
    >>> from gridmap.measures.ownership import ownership
    >>> city = gridmap.read_city("data", layers=["grids", "assignments"])
    >>> found = ownership(gridmap.analyse(city, want=["responsibilities"]))
    >>> [group.kind for group in found.groups]
    ['community', 'grid']
    """
    result = analysed.results.get("responsibilities")
    kept = result.parameters.get("responsibility") if result is not None else None
    return ownership_of(analysed.city, Responsibility.model_validate(kept or {}))


def ownership_of(city: City, settings: Responsibility | None = None) -> Ownership:
    """Return who answers for what in a city at its moment.

    Examples
    --------
    >>> from gridmap.measures.ownership import ownership_of
    >>> city = gridmap.read_city("data", layers=["grids", "assignments"])
    >>> found = ownership_of(city)
    >>> found.roles["lead"].zh
    '牵头'
    """
    settings = settings or Responsibility()
    layers, assignments = responsibilities(city, settings)
    found = owners_of(
        layers, assignments, at=_moment(city), catalog=city.catalog, reach_m=reach_of(settings)
    )
    if not city.has("categories"):
        return found
    table = city.layers["categories"]
    names = dict(zip(table["code"], table["name"].fillna(table["code"]), strict=True))
    return replace(found, categories=names | {**found.categories, **names})


@checked
def who(
    city: City,
    lon: float,
    lat: float,
    *,
    category: str | None = None,
    at: dt.datetime | None = None,
    crs: str = "EPSG:4490",
    settings: Responsibility | None = None,
) -> pd.DataFrame:
    """Return everyone who is responsible for a place of a city, in the order in which to ask them.

    Parameters
    ----------
    city : City
    lon, lat : float
        Of `crs`: east or longitude first.
    category : str, optional
        Of the problem; without one, the assignments for any category are told.
    at : datetime, aware, optional
        By default the moment that the city is analysed for.
    crs : str
        A system, or one of the datums GCJ-02 and BD-09.
    settings : Responsibility, optional
        How far a road or a place reaches.

    Returns
    -------
    DataFrame
        As `gridmap.analysis.who`, for one point, with ``target_name``.

    Examples
    --------
    >>> import gridmap
    >>> found = gridmap.who(gridmap.read_city("data"), 120.9063, 30.7012)
    >>> found["rank"].to_list()[:2], found["layer"].iloc[0]
    ([1, 2], 'zones')
    """
    settings = settings or Responsibility()
    layers, assignments = responsibilities(city, settings)
    if category:
        _known_category(city, assignments, category)
    found = asked_of(
        _point(city, lon, lat, crs),
        layers,
        assignments,
        at=pd.Timestamp(at or _moment(city)),
        category=category or None,
        reach_m=reach_of(settings),
    )
    names = {
        (layer, code): name
        for layer, frame in layers.items()
        if "name" in frame
        for code, name in zip(frame["code"], frame["name"], strict=True)
    }
    targets = zip(found["layer"], found["target"], strict=True)
    told = pd.Series([names.get(target) for target in targets], found.index, dtype="string")
    return found.assign(target_name=told)


def _moment(city: City) -> dt.datetime:
    """Return the moment of a city, for nobody answers for anything without one."""
    if city.moment is None:
        raise ConformError("who.no_moment", city=city.name)
    return city.moment


def _point(city: City, lon: float, lat: float, crs: str) -> gpd.GeoDataFrame:
    at_x, at_y = np.array([lon]), np.array([lat])
    if crs in DATUMS:
        at_x, at_y = to_wgs84(at_x, at_y, crs)
    place = gpd.points_from_xy(at_x, at_y, crs=parse_crs(crs))
    return gpd.GeoDataFrame(geometry=place).to_crs(city.crs)


def _known_category(city: City, assignments: pd.DataFrame, category: str) -> None:
    """Prove that a problem or an assignment has a category; without problems, any will do."""
    if not city.has("problems"):
        return
    columns = city.frame("problems")["category"], assignments.get("category", pd.Series())
    known = sorted({str(name) for column in columns for name in column.dropna().unique()})
    if known and category not in known:
        near = difflib.get_close_matches(category, known, n=3, cutoff=0.3) or known
        raise ConformError("who.category", category=category, known=", ".join(near))


@dataclass(frozen=True)
class Outside:
    """How far outside a city a place is, and whether it is inside with its degrees exchanged."""

    distance_m: float
    exchanged: bool


def outside(city: City, lon: float, lat: float, *, crs: str = "EPSG:4490") -> Outside | None:
    """Return how far outside every area of a city a place is; nothing if it is inside one.

    Examples
    --------
    >>> from gridmap.measures.ownership import outside
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> outside(city, 120.9063, 30.7012) is None, outside(city, 30.7012, 120.9063 - 60).exchanged
    (True, False)
    >>> outside(city, 30.7012, 80.0).distance_m > 1_000_000
    True
    """
    distance = _away_m(city, lon, lat, crs)
    if distance <= 0.0:
        return None
    return Outside(distance, abs(lon) <= _POLE and _away_m(city, lat, lon, crs) <= 0.0)


def _away_m(city: City, lon: float, lat: float, crs: str) -> float:
    """Return the distance of a place from the nearest area, over the ellipsoid where it is far."""
    areas = city.frame("grids")
    point = _point(city, lon, lat, crs)
    near = areas.distance(point.geometry.iloc[0]).min()
    if np.isfinite(near) and near < _FAR_M:
        return float(near)
    middle = areas.to_crs(4326).total_bounds
    centre = (middle[0] + middle[2]) / 2, (middle[1] + middle[3]) / 2
    return float(pyproj.Geod(ellps="GRS80").inv(lon, lat, *centre)[2])


def owners_of(
    layers: Mapping[str, gpd.GeoDataFrame],
    assignments: pd.DataFrame,
    *,
    at: dt.datetime,
    catalog: Catalog | None = None,
    reach_m: Mapping[str, float] | None = None,
) -> Ownership:
    """Return who answers for what in layers, by assignments.

    Parameters
    ----------
    layers, assignments, reach_m
        As for `gridmap.analysis.who`.
    at : datetime, aware
    catalog : Catalog, optional
        That names roles and targets; by default the shipped one.

    Examples
    --------
    >>> from gridmap.measures.ownership import owners_of
    >>> square = shapely.box(0, 0, 100, 100)
    >>> grids = gpd.GeoDataFrame({"code": ["g"], "level": ["grid"]}, geometry=[square], crs=4549)
    >>> told = pd.DataFrame({"code": ["1"], "holder": ["Li"], "role": ["direct"]})
    >>> told = told.assign(layer="grids", target="g")
    >>> found = owners_of({"grids": grids}, told, at=pd.Timestamp("2025-03-03", tz="Asia/Shanghai"))
    >>> found.titles["grids", "grid"].zh, found.roles["direct"].zh
    ('网格', '直接')
    """
    catalog = catalog or load_catalog()
    holders = whole(in_force(assignments, at))
    holders = holders.sort_values("code", kind="stable", ignore_index=True)
    groups = _answered(target_groups(layers, reach_m=reach_m), holders)
    lines = sorted(set(holders["category"].dropna()))
    return Ownership(
        at=at,
        groups=groups,
        holders=holders,
        roles=catalog.layer("assignments").fields["role"].categories,
        titles={(g.layer, g.kind): target_title(catalog, g.layer, g.kind) for g in groups},
        categories=dict(zip(lines, lines, strict=True)),
    )


def _answered(groups: list[Targets], holders: pd.DataFrame) -> tuple[Targets, ...]:
    """Return the groups of which somebody answers for a target; of places, only those."""
    kept = []
    for group in groups:
        codes = holders.loc[holders["layer"] == group.layer, "target"]
        named = group.frame["code"].isin(codes)
        if not named.any():
            continue
        frame = group.frame[named] if group.rule == "near" else group.frame
        kept.append(replace(group, frame=frame.reset_index(drop=True)))
    return tuple(kept)


def target_title(catalog: Catalog, layer: str, kind: str) -> Text:
    """Return what the targets of a layer and kind are called, such as the level of a grid.

    Examples
    --------
    >>> from gridmap.measures.ownership import target_title
    >>> target_title(gridmap.load_catalog(), "grids", "street").zh
    '街道'
    """
    spec = catalog.layer("frontages" if kind == "frontage" else layer)
    field = spec.fields.get("level" if layer == "grids" else "kind")
    named = field.categories.get(kind) if field is not None else None
    return named or (Text(en=kind, zh=kind) if kind and kind != "frontage" else spec.title)
