from __future__ import annotations

import geopandas as gpd
import pandas as pd
from shapes import CRS, grid_of, points_at

from gridmap.analysis.responsibility.gaps import (
    derived_leads,
    double_leads,
    line_by_block,
    seams,
    unowned,
    without_cooperation,
)


def found(*rows: tuple[int, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["point", "role", "holder"])
    return table.assign(layer="zones", kind="subzone", category=pd.NA, target="t")


def test_who_has_no_lead_and_nobody_directly_is_unowned() -> None:
    points = points_at((0, 0), (1, 1), (2, 2), (3, 3)).assign(code=list("abcd"))
    table = found(
        (0, "lead", "L"), (1, "fallback", "F"), (1, "cooperating", "C"), (3, "direct", "D")
    )
    left = unowned(points, table)
    assert left["code"].to_list() == ["b", "c"]
    assert left["fallback"].fillna("nobody").to_list() == ["F", "nobody"]


def test_two_leads_of_one_kind_are_told_one_of_each_kind_is_not() -> None:
    table = pd.concat(
        [
            found((0, "lead", "B"), (0, "lead", "A"), (1, "lead", "A"), (1, "lead", "A")),
            found((1, "lead", "R")).assign(kind="road"),
            found((2, "lead", "A"), (2, "lead", "B")).assign(category=["lamp", "waste"]),
        ]
    )
    double = double_leads(table)
    assert double[["point", "holders"]].to_numpy().tolist() == [[0, "A, B"]]
    assert double["category"].isna().all()
    assert double_leads(found()).empty


def test_the_matrix_of_lines_and_blocks_has_empty_cells() -> None:
    rows = pd.DataFrame(
        [
            ("A", "lead", "c1", "traffic"),
            ("B", "lead", "c1", "traffic"),
            ("C", "lead", "c2", pd.NA),
            ("D", "cooperating", "c1", "market"),
            ("E", "lead", "elsewhere", "market"),
        ],
        columns=["holder", "role", "target", "category"],
    )
    matrix = line_by_block(rows, ["traffic", "market"], ["c1", "c2", "c3"])
    assert matrix.loc["traffic"].to_list()[:2] == ["A, B", "C"]
    assert matrix.isna().to_numpy().tolist() == [[False, False, True], [True, False, True]]


def test_roads_without_a_cooperating_department() -> None:
    roads = gpd.GeoDataFrame({"code": ["r1", "r2"]}, geometry=[None, None], crs=CRS)
    rows = pd.DataFrame(
        {"layer": ["roads", "roads"], "target": ["r1", "r2"], "role": ["cooperating", "lead"]}
    )
    assert without_cooperation(roads, rows)["code"].to_list() == ["r2"]


def test_strips_between_two_estates_are_seams_wide_gaps_and_edges_are_not() -> None:
    estates = grid_of("a.b", size=100.0)
    estates["geometry"] = estates.buffer(48.0, join_style="mitre").scale(1.0, 0.5)
    strips = seams(estates, width_m=6.0)
    assert strips["between"].to_list() == ["a, b"]
    assert strips["area_m2"].round(3).to_list() == [round(4.0 * 98.0, 3)]
    assert seams(estates, width_m=3.0).empty
    assert seams(estates.iloc[:1], width_m=6.0).empty


def test_the_leader_of_most_of_a_zone_leads_it() -> None:
    communities = grid_of("aab", size=100.0)
    zones = gpd.GeoDataFrame(
        {"code": ["z1", "z2"]},
        geometry=grid_of("xxxy", size=75.0).geometry.to_list(),
        crs=CRS,
    )
    leaders = pd.Series({"a": "示例员甲", "b": "示例员乙"})
    before = derived_leads(zones, communities, leaders)
    assert before[["target", "holder", "role"]].to_numpy().tolist() == [
        ["z1", "示例员甲", "lead"],
        ["z1", "示例员乙", "cooperating"],
        ["z2", "示例员乙", "lead"],
    ]
    assert before["share"].round(3).to_list() == [0.889, 0.111, 1.0]
    assert len(derived_leads(zones, communities, leaders, share=0.2)) == 2
    nobody = derived_leads(zones, communities, leaders.iloc[:1])
    assert nobody["target"].to_list() == ["z1"]
