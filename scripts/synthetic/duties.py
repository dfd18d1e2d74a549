"""Who answers for what in the town, with what is wrong in the registers of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from synthetic.categories import CATEGORIES
from synthetic.fields import stream
from synthetic.zones import Zones

HEADERS = {
    "code": "编码",
    "holder": "责任主体",
    "role": "角色",
    "layer": "图层",
    "target": "对象",
    "category": "条线",
    "from_m": "起点里程",
    "to_m": "终点里程",
    "valid_from": "生效时间",
    "valid_to": "失效时间",
    "phone": "电话",
    "source": "依据文件",
}
SINCE = "2025-01-01 00:00"
EMPTY_LINES = 4
EMPTY_ELSEWHERE = 3
DOUBLE_CELLS = 2
BARE_ROADS = 2
HELPERS = 65
SHARE = 0.1
ROAD_REACH_M = 30.0
UNITLESS_GRIDS = 2
DECLARED_CATERERS = ((3182, ""), (36, "大型"), (142, "中型"), (2124, "小型"), (819, "小微"))
HIGH_RISK_OVERSTATED = 2


@dataclass(frozen=True)
class Duties:
    """The registers: assignments, organisations and their areas, declared numbers; the facts."""

    grids: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    assignments: pd.DataFrame
    organisations: pd.DataFrame
    organisation_areas: pd.DataFrame
    declared: pd.DataFrame
    planted: dict[str, Any]


class _Register:
    """Assignments as they are written down, one after the other."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, holder: str, role: str, layer: str, target: str, **more: Any) -> None:
        number = len(self.rows) + 1
        row = {"code": f"ZR{number:05d}", "holder": holder, "role": role, "layer": layer}
        usual = {"valid_from": SINCE, "phone": f"000-{7000 + number // 10000:04d}-{number:04d}"}
        self.rows.append({**row, "target": target, **usual, "source": "示例〔2025〕1号", **more})

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows).reindex(columns=list(HEADERS))


def _lines_and_blocks(
    register: _Register, communities: gpd.GeoDataFrame, corner: str, rng: np.random.Generator
) -> dict[str, Any]:
    """Give each line of each community a lead; leave some cells empty, give two to others."""
    lines = [kind.name for kind in CATEGORIES]
    codes = communities["code"].tolist()
    bare = {(lines[k], corner) for k in range(EMPTY_LINES)}
    others = [code for code in codes if code != corner]
    pick = rng.permutation(len(others) * len(lines))
    cells = [(lines[k % len(lines)], others[k // len(lines)]) for k in pick]
    empty = {*bare, *cells[:EMPTY_ELSEWHERE]}
    # A line of which there are many cases, so that its two leads are seen on the map.
    double = [cell for cell in cells[EMPTY_ELSEWHERE:] if cell[0] in lines[:3]][:DOUBLE_CELLS]
    for column, code in enumerate(codes):
        for row, line in enumerate(lines):
            if (line, code) in empty:
                continue
            holder = f"示例专员{column * len(lines) + row + 1:03d}"
            register.add(holder, "lead", "grids", code, category=line)
            if (line, code) in double:
                register.add(f"{holder}副", "lead", "grids", code, category=line)
    return {
        "empty_cells": sorted([line, code] for line, code in empty),
        "double_cells": sorted([line, code] for line, code in double),
    }


def _leaders(
    register: _Register,
    communities: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    rng: np.random.Generator,
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Name a leader for each community, and record who leads each sub-zone by the overlay."""
    leaders = {code: f"示例领导{k:02d}" for k, code in enumerate(communities["code"], start=1)}
    for code, leader in leaders.items():
        register.add(leader, "sponsor", "grids", code)
    sub = zones.index[zones["kind"] == "subzone"]
    changed = rng.permutation(sub)[:3].tolist()
    told = []
    lead = zones["lead"].copy()
    for row in sub:
        zone = zones.geometry[row]
        share = communities.intersection(zone).area / zone.area
        order = share[share > 0].sort_values(ascending=False, kind="stable")
        codes = communities["code"][order.index].tolist()
        lead[row] = leaders[codes[0]]
        helpers = [leaders[c] for c, s in zip(codes[1:], order.iloc[1:], strict=True) if s >= SHARE]
        target = zones["code"][row]
        if row == changed[0]:
            # The record still names somebody who leads no community there.
            lead[row] = "示例员900"
            told.append([target, "示例员900", "", "lead"])
            told.append([target, leaders[codes[0]], "lead", ""])
        elif row in changed[1:]:
            gone = "示例员901" if row == changed[1] else "示例员902"
            register.add(gone, "lead", "zones", target, valid_from="2024-01-01 00:00",
                         valid_to="2024-03-01 00:00")  # fmt: skip
        for helper in helpers:
            register.add(helper, "cooperating", "zones", target)
    return zones.assign(lead=lead), {"changed_leads": sorted(told)}


def _roads(register: _Register, roads: gpd.GeoDataFrame, chiefs: int) -> dict[str, Any]:
    """Give the widest, then the longest roads a chief, and all but a few some departments."""
    rank = roads["class"].map({"main": 0, "secondary": 1, "lane": 2})
    table = pd.DataFrame({"rank": rank, "length": -roads.length, "code": roads["code"]})
    chosen = table.sort_values(["rank", "length", "code"])["code"].head(chiefs).tolist()
    for number, road in enumerate(chosen, start=1):
        register.add(f"示例路长{number:02d}", "lead", "roads", road)
    bare, helped = chosen[-BARE_ROADS:], chosen[:-BARE_ROADS]
    for number in range(1, HELPERS + 1):
        road = helped[(number - 1) % len(helped)]
        register.add(f"示例协同单位{number:02d}", "cooperating", "roads", road)
    return {"chief_roads": sorted(chosen), "bare_roads": sorted(bare)}


def _vacancies(
    register: _Register, grids: gpd.GeoDataFrame, vacant: list[int], rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Let the members of some grids leave; one has a successor."""
    member, phone = grids["member"].copy(), grids["phone"].copy()
    gone = []
    for row in vacant:
        register.add(
            member[row], "direct", "grids", grids["code"][row], valid_to="2025-07-01 00:00"
        )
        gone.append([grids["code"][row], member[row]])
        member[row], phone[row] = "", ""
    others = np.setdiff1d(np.arange(len(grids)), vacant)
    followed, handed = rng.permutation(others)[:2].tolist()
    # One left and was followed on the day; two overlap for a month, on paper.
    register.add("样例离任001", "direct", "grids", grids["code"][followed], valid_to=SINCE,
                 valid_from="2024-01-01 00:00")  # fmt: skip
    code = grids["code"][handed]
    register.add("样例前任001", "direct", "grids", code, valid_to="2025-11-01 00:00")
    register.add("样例后任001", "direct", "grids", code, valid_from="2025-10-01 00:00",
                 valid_to="2025-12-01 00:00")  # fmt: skip
    left = {"left_without_successor": sorted(gone)}
    return grids.assign(member=member, phone=phone), {
        **left,
        "handover": [code, "样例前任001", "样例后任001"],
    }


def _mistakes(
    register: _Register, zones: gpd.GeoDataFrame, places: gpd.GeoDataFrame
) -> dict[str, Any]:
    """Add two leads of one line in a sub-zone, sponsors of places, and rows that name nothing."""
    subzone = zones["code"][zones["kind"] == "subzone"].iloc[0]
    line = CATEGORIES[3].name
    pair = ["示例督导01", "示例督导02"]
    for holder in pair:
        register.add(holder, "lead", "zones", subzone, category=line)
    for number, place in enumerate(places["code"][places["risk"] == "high"], start=1):
        register.add(f"示例包保{number:03d}", "sponsor", "places", place)
    register.add("示例员950", "lead", "roads", "R99999")
    register.add("示例员951", "sponsor", "zones", "Z99999")
    register.add("示例员952", "cooperating", "zones", subzone, category="不存在的条线")
    return {
        "double_zone": [subzone, line, *pair],
        "unknown_targets": [["roads", "R99999"], ["zones", "Z99999"]],
        "unknown_lines": [["zones", subzone, "不存在的条线"]],
    }


def _organised(
    communities: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Lay branches over grids, many to many; some grids have none, one branch has no grid."""
    units = [("ZB", "示例区委", "区级", "")]
    parent = {}
    for k, code in enumerate(communities["code"], start=1):
        parent[code] = f"ZB{k:02d}"
        units.append((parent[code], f"示例社区党委{k:02d}", "社区", "ZB"))
    idle = rng.permutation(len(grids))[:UNITLESS_GRIDS].tolist()
    links = []
    for row, (code, above) in enumerate(zip(grids["code"], grids["parent"], strict=True)):
        if row in idle:
            continue
        unit = f"{parent[above]}{row // 2:03d}"
        if unit not in {one[0] for one in units}:
            units.append((unit, f"示例支部{row // 2:03d}", "支部", parent[above]))
        links.append((unit, code))
    units.append(("ZB99", "示例流动支部", "支部", "ZB"))
    return (
        pd.DataFrame(units, columns=["code", "name", "kind", "parent"]),
        pd.DataFrame(links, columns=["organisation", "target"]),
        {
            "grids_without_unit": sorted(grids["code"].iloc[idle]),
            "units_without_grid": ["ZB99"],
        },
    )


def _declared(places: gpd.GeoDataFrame, chiefs: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Write down what registers declare; some of it is not so."""
    high = int((places["risk"] == "high").sum())
    roads = "role=lead;layer=roads"
    rows = [
        ("路长制道路", "", chiefs, "assignments", "target", "", roads),
        ("路长", "", chiefs, "assignments", "holder", "", roads),
        ("道路协同部门", "", HELPERS, "assignments", "holder", "", "role=cooperating;layer=roads"),
        ("高风险点位", "", high + HIGH_RISK_OVERSTATED, "places", "risk", "high", ""),
        *(("餐饮单位", part, number, "", "", "", "") for number, part in DECLARED_CATERERS),
    ]
    columns = ["register", "part", "declared", "layer", "field", "value", "where"]
    total, *parts = (number for number, _ in DECLARED_CATERERS)
    return pd.DataFrame(rows, columns=columns), {
        # A chief of a road that is not there is one too many in the register.
        "declared_missing": {"路长制道路": -1, "路长": -1, "道路协同部门": 0,
                             "高风险点位": HIGH_RISK_OVERSTATED},
        "parts_missing": {"餐饮单位": total - sum(parts)},
    }  # fmt: skip


def make_duties(
    communities: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    roads: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    *,
    corner: shapely.Polygon,
    chiefs: int,
    random_state: int,
) -> Duties:
    """Write the registers of responsibility.

    Parameters
    ----------
    communities, grids, roads, zones, places : GeoDataFrame
        The layers; grids with member and phone, which the vacant ones lose.
    corner : shapely.Polygon
        The dead corner, whose grids are vacant and whose community leads few lines.
    chiefs : int
        How many roads have a chief.
    random_state : int
        The city's random state.

    Returns
    -------
    Duties
        ``planted`` holds every fact that is wrong or missing on purpose.
    """
    rng = stream(random_state, "duties")
    register = _Register()
    common = grids.intersection(corner).area.to_numpy()
    vacant = np.flatnonzero(common > 0.25 * corner.area).tolist()
    home = communities["code"][communities.intersection(corner).area.idxmax()]
    planted = _lines_and_blocks(register, communities, home, rng)
    zones, facts = _leaders(register, communities, zones, rng)
    planted |= facts | _roads(register, roads, chiefs)
    grids, facts = _vacancies(register, grids, vacant, rng)
    planted |= facts | _mistakes(register, zones, places)
    for number, code in enumerate(communities["code"][1:], start=2):
        register.add(f"示例兜底{number:02d}", "fallback", "grids", code)
    units, links, facts = _organised(communities, grids, rng)
    planted |= facts
    declared, facts = _declared(places, chiefs)
    planted |= facts
    return Duties(grids, zones, register.frame(), units, links, declared, planted)


def corners_of(
    problems: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    communities: gpd.GeoDataFrame,
    roads: gpd.GeoDataFrame,
    zones: Zones,
    duties: Duties,
) -> dict[str, list[str]]:
    """Tell, one problem at a time, which have nobody, and which two leads for their line."""
    planted = duties.planted
    empty = {tuple(cell) for cell in planted["empty_cells"]}
    double = {tuple(cell) for cell in planted["double_cells"]}
    zone, zone_line = planted["double_zone"][:2]
    chief = set(planted["chief_roads"])
    named = grids[grids["member"] != ""].geometry.tolist()
    held = zones.strips[(zones.fronts["holder"] != "").to_numpy()].tolist()
    frame = duties.zones
    home = np.full(len(problems), "", dtype=object)
    x, y = problems.geometry.x.to_numpy(), problems.geometry.y.to_numpy()
    for code, outline in zip(communities["code"], communities.geometry, strict=True):
        home[shapely.contains_xy(outline, x, y)] = code
    inside = shapely.contains_xy(frame.geometry[(frame["code"] == zone).idxmax()], x, y)
    nobody, twice = [], []
    rows = zip(problems["id"], problems["category"], home, inside, problems.geometry, strict=True)
    for code, line, block, both, point in rows:
        if (line, block) in double or (both and line == zone_line):
            twice.append(code)
        if (line, block) not in empty:
            continue
        away = roads.distance(point)
        owned = (
            frame.intersects(point).any()
            or any(grid.intersects(point) for grid in named)
            or (away.min() <= ROAD_REACH_M and roads["code"][away.idxmin()] in chief)
            or any(strip.intersects(point) for strip in held)
        )
        if not owned:
            nobody.append(code)
    return {"unowned": sorted(nobody), "double": sorted(twice)}
