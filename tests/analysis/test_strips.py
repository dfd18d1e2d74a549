"""Frontages before street fronts, corridors of road chiefs."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridmap.analysis import frontage_zones, road_corridors, who
from gridmap.analysis.responsibility.who import implied_assignments

CRS = "EPSG:4549"


def lines(*coordinates: list[tuple[float, float]], **columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"code": [f"c{k}" for k in range(len(coordinates))], **columns},
        geometry=[shapely.LineString(points) for points in coordinates],
        crs=CRS,
    )


ROAD = lines([(0, 0), (100, 0)], name=["Road"])


@pytest.mark.parametrize("y", [12.0, -12.0])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_strip_lies_on_the_side_of_the_road(y: float, backwards: bool) -> None:
    front = [(40, y), (50, y)][:: -1 if backwards else 1]
    strip = frontage_zones(lines(front), ROAD, depth_m=5).geometry.iloc[0]
    expected = shapely.box(40, min(y, y * 7 / 12), 50, max(y, y * 7 / 12))
    assert strip.symmetric_difference(expected).area == pytest.approx(0, abs=1e-6)


def test_a_strip_ends_at_the_road() -> None:
    found = frontage_zones(lines([(40, 3), (50, 3)]), ROAD, depth_m=5)
    assert found.loc[0, "area_m2"] == pytest.approx(30)
    assert found.loc[0, "length_m"] == pytest.approx(10)
    assert found.geometry.iloc[0].bounds == pytest.approx((40, 0, 50, 3))


def test_without_roads_the_left_side_counts() -> None:
    strip = frontage_zones(lines([(0, 0), (10, 0)]), depth_m=2).geometry.iloc[0]
    assert strip.bounds == pytest.approx((0, 0, 10, 2))


def test_a_front_that_meets_its_road_has_a_strip_on_one_side() -> None:
    found = frontage_zones(lines([(40, 0), (40, 10)]), ROAD, depth_m=4)
    assert found.area.iloc[0] >= 0
    assert len(frontage_zones(lines([(0, 5), (1, 5)]).iloc[:0], ROAD)) == 0


@given(
    angle=st.floats(0, 6.28), width=st.floats(2, 30), depth=st.floats(0.5, 8),
    away=st.floats(10, 40),
)  # fmt: skip
def test_a_strip_has_the_area_of_its_front(
    angle: float, width: float, depth: float, away: float
) -> None:
    front = shapely.affinity.rotate(
        shapely.LineString([(50, away), (50 + width, away)]), angle, (50, 0), use_radians=True
    )
    road = shapely.affinity.rotate(ROAD.geometry.iloc[0], angle, (50, 0), use_radians=True)
    found = frontage_zones(
        gpd.GeoDataFrame({"code": ["a"]}, geometry=[front], crs=CRS),
        gpd.GeoDataFrame({"code": ["r"]}, geometry=[road], crs=CRS),
        depth_m=depth,
    )
    assert found.loc[0, "area_m2"] == pytest.approx(width * depth, rel=1e-6)
    assert found.geometry.iloc[0].centroid.distance(road) < front.distance(road)


def assigned(*rows: tuple[str, str, float | None, float | None]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["role", "holder", "from_m", "to_m"])
    return table.assign(layer="roads", target="c0", code=range(len(rows)))


def test_corridors_run_from_chainage_to_chainage() -> None:
    found = road_corridors(
        ROAD,
        assigned(
            ("lead", "A", None, 40.0), ("lead", "B", 40.0, None),
            ("cooperating", "X", None, None), ("cooperating", "Y", 50.0, 60.0),
        ),
        width_m=10,
    )  # fmt: skip
    assert found["code"].to_list() == ["c0/1", "c0/2"]
    assert found["lead"].to_list() == ["A", "B"]
    assert found["cooperating"].to_list() == ["X", "X, Y"]
    assert found["to_m"].to_list() == [40.0, 100.0]
    assert found.geometry[0].bounds == pytest.approx((0, -10, 40, 10))
    assert found.area.to_list() == pytest.approx([800.0, 1200.0])


def test_roads_without_a_lead_have_no_corridor() -> None:
    found = road_corridors(ROAD, assigned(("cooperating", "X", None, None)))
    assert found.empty
    assert list(found.columns[:3]) == ["code", "road", "name"]


def test_a_chief_answers_for_his_stretch_and_a_shop_for_its_front() -> None:
    strips = frontage_zones(lines([(40, 12), (50, 12)], name=["Shop"]), ROAD)
    zones = strips.assign(code="Q", kind="frontage", lead="Keeper")
    layers = {"zones": zones, "roads": ROAD}
    every = pd.concat(
        [
            implied_assignments(layers),
            assigned(("lead", "A", None, 40.0), ("lead", "B", 40.0, None)),
        ],
        ignore_index=True,
    )
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy([45, 20], [10, 10]), crs=CRS)
    found = who(places, layers, every, at=pd.Timestamp("2026-01-01", tz="Asia/Shanghai"))
    assert found.groupby("point")["holder"].agg(list).to_dict() == {0: ["Keeper", "B"], 1: ["A"]}
