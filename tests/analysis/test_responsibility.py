from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapes import CRS, EAST, NORTH, grid_of, points_at

from gridmap.analysis.responsibility.who import implied_assignments, targets_at, who
from gridmap.errors import ConformError

NOW = pd.Timestamp("2026-01-01", tz="Asia/Shanghai")


def layers() -> dict[str, gpd.GeoDataFrame]:
    """Two grids in a community, a sub-zone over both halves, a road, a shop front and a place."""
    grids = pd.concat(
        [
            grid_of("ab", level=["grid", "grid"], member=["示例员甲", None]),
            grid_of("CC", level=["community"], member=["示例员丙"]),
        ],
        ignore_index=True,
    )
    zones = pd.concat(
        [
            grid_of(".zz", size=66.0, kind=["subzone"], lead=["L"], cooperating=["K"]),
            gpd.GeoDataFrame(
                {"code": ["f"], "kind": ["frontage"], "lead": ["shop"], "cooperating": [None]},
                geometry=[shapely.box(EAST + 150, NORTH + 40, EAST + 160, NORTH + 60)],
                crs=CRS,
            ),
        ],
        ignore_index=True,
    ).assign(valid_from=pd.NaT)
    road = shapely.LineString([(EAST, NORTH + 90), (EAST + 200, NORTH + 90)])
    roads = gpd.GeoDataFrame({"code": ["r"]}, geometry=[road], crs=CRS)
    places = points_at((20, 20)).assign(code="p")
    return {"grids": grids, "zones": zones, "roads": roads, "places": places}


def assigned(**rows: object) -> pd.DataFrame:
    base = {"code": "x", "holder": "H", "role": "lead", "layer": "roads", "target": "r"}
    return pd.DataFrame([{**base, **rows}])


def holders(found: pd.DataFrame, point: int = 0) -> list[tuple[str, str]]:
    rows = found[found["point"] == point]
    return list(zip(rows["holder"], rows["role"], strict=True))


def test_the_closest_responsibility_comes_first_and_the_territory_last() -> None:
    city = layers()
    found = who(points_at((155, 50), (20, 22)), city, implied_assignments(city), at=NOW)
    assert holders(found) == [
        ("shop", "lead"),
        ("L", "lead"),
        ("K", "cooperating"),
        ("示例员丙", "direct"),
        ("示例员丙", "fallback"),
    ]
    assert holders(found, 1) == [
        ("示例员甲", "direct"),
        ("示例员丙", "direct"),
        ("示例员甲", "fallback"),
    ]
    assert found.groupby("point")["rank"].apply(list).to_list() == [[1, 2, 3, 4, 5], [1, 2, 3]]
    assert found["rule"].iloc[[0, 4]].to_list() == ["inside", "territory"]


def test_a_named_fallback_takes_the_place_of_the_territory() -> None:
    city = layers()
    named = assigned(holder="duty desk", role="fallback", layer="grids", target="C")
    found = who(points_at((20, 20)), city, pd.concat([implied_assignments(city), named]), at=NOW)
    assert holders(found)[-1] == ("duty desk", "fallback")
    assert (found["role"] == "fallback").sum() == 1


def test_on_a_road_the_chainage_decides() -> None:
    city = layers()
    rows = pd.concat(
        [assigned(holder="west", to_m=100.0), assigned(code="y", holder="east", from_m=100.0)]
    )
    found = who(points_at((40, 85), (150, 95), (100, 90), (40, 20)), city, rows, at=NOW)
    assert [holders(found, n) for n in range(4)] == [
        [("west", "lead")],
        [("east", "lead")],
        [("east", "lead"), ("west", "lead")],
        [],
    ]
    assert found["chainage_m"].to_list() == [40, 150, 100, 100]
    assert found["distance_m"].to_list() == [5, 5, 0, 0]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2025-12-31 23:59", []), ("2026-01-01 00:00", ["H"]), ("2026-02-01 00:00", [])],
)
def test_an_assignment_holds_from_its_first_moment_until_its_last(
    moment: str, expected: list[str]
) -> None:
    rows = assigned(valid_from=NOW, valid_to=pd.Timestamp("2026-02-01", tz="Asia/Shanghai"))
    at = pd.Timestamp(moment, tz="Asia/Shanghai")
    assert who(points_at((40, 90)), layers(), rows, at=at)["holder"].to_list() == expected


def test_every_point_may_have_a_moment_and_a_category_of_its_own() -> None:
    rows = pd.concat(
        [
            assigned(holder="old", valid_to=NOW),
            assigned(holder="new", valid_from=NOW),
            assigned(holder="lamps", valid_from=NOW, category="lamp"),
        ]
    )
    points = points_at((40, 90), (40, 90), (40, 90))
    at = pd.Series([NOW - pd.Timedelta(hours=1), NOW, NOW])
    category = pd.Series(["lamp", "lamp", "waste"], dtype="string")
    found = who(points, layers(), rows, at=at, category=category)
    assert [holders(found, n) for n in range(3)] == [
        [("old", "lead")],
        [("lamps", "lead"), ("new", "lead")],
        [("new", "lead")],
    ]
    everyone = who(points[:1], layers(), rows, at=NOW)
    assert {name for name, _ in holders(everyone)} == {"lamps", "new"}


def test_nobody_is_responsible_for_nowhere() -> None:
    city = layers()
    assert who(points_at((9000, 9000)), city, implied_assignments(city), at=NOW).empty
    assert who(points_at(), city, implied_assignments(city), at=NOW).empty
    assert who(points_at((20, 20)), {}, assigned(), at=NOW).empty
    assert targets_at(points_at((20, 20)), {}).empty


def test_places_count_within_reach() -> None:
    city = layers()
    rows = assigned(holder="shopkeeper", role="direct", layer="places", target="p")
    points = points_at((20, 60), (20, 80))
    assert who(points, city, rows, at=NOW)["point"].to_list() == [0]
    found = who(points, city, rows, at=NOW, reach_m={"places": 60.0})
    assert found["distance_m"].to_list() == [40, 60]
    assert set(found["rule"]) == {"near"}


def test_assignments_need_a_holder_and_a_target_and_nothing_else() -> None:
    told = pd.DataFrame({"holder": ["H"], "role": ["lead"], "layer": ["roads"], "target": ["r"]})
    found = who(points_at((100, 95)), layers(), told, at=NOW)
    assert holders(found) == [("H", "lead")]
    with pytest.raises(ConformError, match="assignments: no column 'role'; it has: holder, layer"):
        who(points_at((100, 95)), layers(), told.drop(columns="role"), at=NOW)
