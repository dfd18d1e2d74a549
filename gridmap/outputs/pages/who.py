"""The panel of a page that tells who is responsible for the place that is clicked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap import messages
from gridmap.analysis.responsibility.asking import ORDER
from gridmap.analysis.responsibility.targets import Targets
from gridmap.catalog import Text
from gridmap.measures.ownership import Ownership
from gridmap.messages import Words, words
from gridmap.outputs.pages.basemap import datum_of, shifted
from gridmap.outputs.pages.elements import FeatureLayer
from gridmap.outputs.pages.encoding import pack_integers, plain
from gridmap.outputs.pages.metres import Metres, fitted_metres
from gridmap.outputs.pages.runtime import RuntimeCall

__all__ = ["DrawnTargets", "WhoIsResponsible"]

_TEXTS = ("inside", "along", "near", "territory", "open_end", "nobody")
_PER_METRE = 100  # shapes are held to the centimetre
_MARGIN_M = 100.0  # beyond what is within reach, so that no place there is left out


@dataclass(frozen=True)
class DrawnTargets:
    """An overlay that draws the targets of a group, whose shapes the page need not hold twice.

    Parameters
    ----------
    element : FeatureLayer
    codes : Series of string
        Of its rows.
    title : str or mapping of str to str
        By which the panel says that it has nobody.
    required : bool
        Whether the panel says so where it has nobody.
    """

    element: FeatureLayer
    codes: pd.Series
    title: Words
    required: bool = False


class WhoIsResponsible(RuntimeCall):
    """A panel that tells, on a click anywhere, who answers for that place, in order, and why.

    The page finds what the place lies in, along or near, and sorts; everything else is what
    `gridmap.analysis.who` goes by.

    Parameters
    ----------
    ownership : Ownership
    drawn : mapping of (str, str) to DrawnTargets
        By layer and kind. Areas that no overlay draws, roads and places are held by the panel.
    service : str
        The online base map for which what the page draws is shifted, if there is one.
    """

    function = "whoIsResponsible"

    def __init__(
        self,
        ownership: Ownership,
        drawn: Mapping[tuple[str, str], DrawnTargets] = MappingProxyType({}),
        *,
        service: str = "",
    ) -> None:
        overlays = [drawn.get((group.layer, group.kind)) for group in ownership.groups]
        groups, reckoned = _groups(ownership, overlays, service)
        texts = messages.written("who")
        super().__init__(
            {
                "at": f"{ownership.at:%Y-%m-%d %H:%M}",
                "order": asdict(ORDER),
                "roles": {role: _words(name) for role, name in ownership.roles.items()},
                "texts": {key: words(texts[key]) for key in _TEXTS},
                "categories": [*ownership.categories.items()],
                "holders": _holders(ownership),
                "groups": groups,
                "required": _required(ownership.groups, drawn),
                "metres": reckoned,
            }
        )


def _groups(
    ownership: Ownership, overlays: Sequence[DrawnTargets | None], service: str
) -> tuple[list[dict[str, Any]], Metres | None]:
    """Return what a point can belong to, and how the page reckons in metres if it has to."""
    named = set(zip(ownership.holders["layer"], ownership.holders["target"], strict=True))
    own = {
        at: _named(group, named)
        for at, group in enumerate(ownership.groups)
        if overlays[at] is None
    }
    reckoned, origin = _metres([*own.values()], service)
    groups = []
    for at, (group, overlay) in enumerate(zip(ownership.groups, overlays, strict=True)):
        what = ownership.titles.get((group.layer, group.kind))
        said = {"what": _words(what) if what else group.kind or group.layer}
        held = _own_group(own[at], origin) if overlay is None else _drawn_group(group, overlay)
        groups.append(held | said)
    return groups, reckoned


def _words(text: Text) -> str | dict[str, str]:
    return words({"en": text.en, "zh": text.zh})


def _named(group: Targets, named: set[tuple[str, str]]) -> Targets:
    """Return a group without the areas that nobody answers for."""
    if group.rule != "inside":
        return group
    kept = [(group.layer, code) in named for code in group.frame["code"]]
    return Targets(group.layer, group.kind, group.rule, group.reach_m, group.frame[kept])


def _required(
    groups: Sequence[Targets], drawn: Mapping[tuple[str, str], DrawnTargets]
) -> list[dict[str, Any]]:
    """Return the overlays that must have somebody, each with its groups by position."""
    at = {(group.layer, group.kind): number for number, group in enumerate(groups)}
    found: dict[str, dict[str, Any]] = {}
    for key, overlay in drawn.items():
        if overlay.required and key in at:
            layer: dict[str, Any] = {"title": words(overlay.title), "groups": []}
            found.setdefault(overlay.element.layer_name, layer)["groups"].append(at[key])
    return [*found.values()]


def _drawn_group(group: Targets, overlay: DrawnTargets) -> dict[str, Any]:
    """Return a group in the order of the rows of its overlay; a row of no target has no code."""
    rows = group.frame.drop_duplicates("code").set_index("code").reindex(overlay.codes)
    codes = overlay.codes.where(rows["extent_m2"].notna().to_numpy())
    return _group(group, codes, rows) | {"overlay": overlay.element.layer_name}


def _own_group(group: Targets, origin: tuple[float, float]) -> dict[str, Any]:
    frame = group.frame.sort_values("code", kind="stable", ignore_index=True)
    return _group(group, frame["code"], frame) | {"shapes": _shapes(frame, origin)}


def _group(group: Targets, codes: pd.Series, rows: pd.DataFrame) -> dict[str, Any]:
    names = rows.get("name", codes)
    return {
        "layer": group.layer,
        "kind": group.kind,
        "rule": group.rule,
        "reach": group.reach_m,
        "codes": plain(codes.astype("string")),
        "names": plain(names.astype("string")),
        "extents": plain(rows["extent_m2"]),
    }


def _metres(own: Sequence[Targets], service: str) -> tuple[Metres | None, tuple[float, float]]:
    """Return how the page reckons in metres where it holds shapes, and from which origin."""
    frames = [group.frame for group in own]
    if not frames:
        return None, (0.0, 0.0)
    reach = max(group.reach_m for group in own) + _MARGIN_M
    bounds = np.array([frame.total_bounds for frame in frames])
    west, south = np.floor(bounds[:, :2].min(axis=0) - reach)
    east, north = np.ceil(bounds[:, 2:].max(axis=0) + reach)
    # A straight border of a projected system is bent in degrees.
    border = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / 8)
    outline = shifted(gpd.GeoDataFrame(geometry=[border], crs=frames[0].crs), service)
    sides = outline.to_crs(4326).total_bounds
    box = (float(sides[0]), float(sides[1]), float(sides[2]), float(sides[3]))
    origin = (float(west), float(south))
    return fitted_metres(box, frames[0].crs, origin, datum=datum_of(service)), origin


def _shapes(frame: gpd.GeoDataFrame, origin: tuple[float, float]) -> dict[str, Any]:
    """Return lines, points or rings of areas: their places, where each ends, and whose it is."""
    parts, owner = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    if (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON).any():
        parts, of_part = shapely.get_rings(parts, return_index=True)
        owner = owner[of_part]
    places = np.round((shapely.get_coordinates(parts) - origin) * _PER_METRE).astype(np.int64)
    return {
        "x": pack_integers(places[:, 0]),
        "y": pack_integers(places[:, 1]),
        "ends": pack_integers(np.cumsum(shapely.get_num_coordinates(parts))),
        "owners": pack_integers(owner),
        "places": len(places),
        "parts": len(parts),
    }


def _holders(ownership: Ownership) -> dict[str, Any]:
    """Return who answers, by column; a row's position is that of its code among all."""
    table = ownership.holders
    zone = ownership.at.tzinfo
    until = pd.to_datetime(table["valid_to"], utc=True).dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    texts = table[["layer", "target", "holder", "category", "phone", "source"]].astype("string")
    columns = {str(name): _coded(column) for name, column in texts.items()}
    columns["role"] = _coded(table["role"], ORDER.roles)
    columns["until"] = _coded(until.astype("string"))
    for name in ("from_m", "to_m"):
        columns[name] = _coded(table[name].astype("float64"))
    return {"count": len(table), "columns": columns}


def _coded(column: pd.Series, values: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the different values in order, and which of them each row has; -1 for none."""
    known = sorted(column.dropna().unique()) if values is None else [*values]
    rows = pd.Index(known, dtype=column.dtype).get_indexer(pd.Index(column))
    return {"values": known, "rows": pack_integers(np.where(column.isna(), -1, rows))}
