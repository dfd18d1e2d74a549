"""The synthetic town: repeatable, exact, and with the defects that its record tells."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from pandas.testing import assert_frame_equal
from synthetic import (
    FILES,
    SAMPLE_GOVERNANCE,
    SAMPLE_HOUSEHOLDS,
    SAMPLE_RANDOM_STATE,
    SyntheticCity,
    made_with,
    make_city,
    write_sample,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
FRAMES = (
    "district",
    "streets",
    "communities",
    "grids",
    "grids_planted",
    "blocks",
    "buildings",
    "units",
    "roads",
    "zones",
    "fronts",
    "places",
    "problems",
)
SAMPLE = {
    "households": SAMPLE_HOUSEHOLDS,
    "random_state": SAMPLE_RANDOM_STATE,
    "governance": SAMPLE_GOVERNANCE,
}
LEVELS = ("district", "streets", "communities", "grids")
METRES = "EPSG:4549"


@pytest.fixture(scope="module")
def city() -> SyntheticCity:
    return make_city(**SAMPLE)


@pytest.fixture(scope="module")
def folder(city: SyntheticCity, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("town")
    write_sample(city, written)
    return written


@pytest.fixture(scope="module")
def planted(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "planted.json").read_text(encoding="utf-8"))
    return record


@pytest.fixture(scope="module")
def rows(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "problems.csv", encoding="gb18030", dtype=str, na_filter=False)


@pytest.fixture(scope="module")
def grids(folder: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(folder / "areas.gpkg", layer="grids").to_crs(METRES).set_index("code")


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def points(rows: pd.DataFrame) -> gpd.GeoSeries:
    lon, lat = (pd.to_numeric(rows[column]) for column in ("经度", "纬度"))
    return gpd.GeoSeries.from_xy(lon, lat, crs="EPSG:4490").to_crs(METRES)


def usable(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose coordinates can be those of the town."""
    lon = pd.to_numeric(rows["经度"], errors="coerce")
    lat = pd.to_numeric(rows["纬度"], errors="coerce")
    return rows[lon.between(120.8, 121.0) & lat.between(30.6, 30.8)]


class TestRepeatable:
    def test_two_makes_are_equal(self, city: SyntheticCity) -> None:
        again = make_city(**SAMPLE)
        for name in FRAMES:
            assert_geodataframe_equal(getattr(again, name), getattr(city, name))
        assert_frame_equal(again.categories, city.categories)
        assert again.planted == city.planted

    def test_another_random_state_gives_another_town(self, city: SyntheticCity) -> None:
        other = make_city(**{**SAMPLE, "random_state": SAMPLE_RANDOM_STATE + 1})
        assert not other.district.geometry.iloc[0].equals(city.district.geometry.iloc[0])

    def test_same_bytes_from_another_process_and_folder(self, folder: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "synthetic", "--out", "elsewhere"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
        told = subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True, env=environment
        )
        assert digests(tmp_path / "elsewhere") == digests(folder)
        for name in FILES:
            assert name in told.stdout

    def test_writing_again_replaces_and_leaves_other_files(
        self, city: SyntheticCity, tmp_path: Path
    ) -> None:
        (tmp_path / "city.toml").write_text("kept")
        write_sample(city, tmp_path)
        before = digests(tmp_path)
        write_sample(city, tmp_path)
        assert digests(tmp_path) == before
        assert (tmp_path / "city.toml").read_text() == "kept"

    def test_shipped_data_is_what_the_generator_writes(self, folder: Path) -> None:
        shipped = json.loads((DATA / "planted.json").read_text(encoding="utf-8"))
        if shipped["made_with"] == made_with():
            assert digests(DATA) == digests(folder)
            return
        # Other library versions write other bytes of the same content.
        fresh = json.loads((folder / "planted.json").read_text(encoding="utf-8"))
        assert {**shipped, "made_with": {}} == {**fresh, "made_with": {}}
        texts = [name for name in FILES if name.endswith(".csv")]
        for name in texts:
            assert (DATA / name).read_bytes() == (folder / name).read_bytes()
        for level in LEVELS:
            assert_geodataframe_equal(
                gpd.read_file(DATA / "areas.gpkg", layer=level),
                gpd.read_file(folder / "areas.gpkg", layer=level),
                check_less_precise=True,
            )

    def test_shipped_data_is_small_and_complete(self) -> None:
        sizes = {path.name: path.stat().st_size for path in DATA.iterdir() if path.is_file()}
        assert set(sizes) - {"city.toml", "city.schema.json"} == set(FILES)
        assert sum(sizes.values()) < 2_000_000


class TestAreas:
    @pytest.mark.parametrize("name", [*LEVELS[1:], "blocks"])
    def test_each_level_tiles_the_district(self, city: SyntheticCity, name: str) -> None:
        frame = getattr(city, name)
        outline = city.district.geometry.iloc[0]
        assert set(frame.geom_type) == {"Polygon"}
        assert shapely.coverage_is_valid(frame.geometry.to_numpy())
        assert frame.area.sum() == pytest.approx(outline.area, abs=1e-3)
        assert shapely.coverage_union_all(frame.geometry.to_numpy()).equals(outline)

    @pytest.mark.parametrize(("child", "parent"), list(zip(LEVELS[1:], LEVELS[:-1], strict=True)))
    def test_children_make_up_their_parent(
        self, city: SyntheticCity, child: str, parent: str
    ) -> None:
        above = getattr(city, parent).set_index("code").geometry
        for code, part in getattr(city, child).groupby("parent"):
            united = shapely.coverage_union_all(part.geometry.to_numpy())
            assert united.equals(above[code])
            assert part["code"].str.startswith(code).all()

    def test_codes_are_unique_and_long_enough(self, city: SyntheticCity) -> None:
        for name, digits in zip(LEVELS, (6, 9, 12, 15), strict=True):
            codes = getattr(city, name)["code"]
            assert codes.is_unique
            assert codes.str.fullmatch(rf"\d{{{digits}}}").all()
            assert codes.is_monotonic_increasing
        for name in ("buildings", "units", "roads", "zones", "fronts", "places"):
            assert getattr(city, name)["code"].is_unique

    def test_grids_are_numbered_from_west_to_east(self, city: SyntheticCity) -> None:
        for _, part in city.grids.groupby("parent"):
            assert part["code"].str[-3:].tolist() == [f"{k:03d}" for k in range(1, len(part) + 1)]
            assert part.centroid.x.round(1).is_monotonic_increasing

    def test_sizes_are_those_of_a_town(self, city: SyntheticCity) -> None:
        homes = city.buildings.groupby("grid")["households"].sum()
        assert homes.index.tolist() == city.grids["code"].tolist()
        assert homes.mean() == pytest.approx(350, rel=0.08)
        assert homes.between(150, 650).all()
        assert city.grids.groupby("parent").size().between(2, 5).all()
        assert len(city.communities) == 12
        assert 36 <= len(city.grids) <= 44

    @pytest.mark.parametrize("households", [10_000, 40_000])
    def test_households_are_near_the_request(self, households: int) -> None:
        town = make_city(households=households, random_state=3)
        assert town.buildings["households"].sum() == pytest.approx(households, rel=0.02)
        assert len(town.problems) == round(0.4 * households)

    def test_too_small_a_town_is_refused(self) -> None:
        with pytest.raises(ValueError, match="households=9000"):
            make_city(households=9_000, random_state=1)


class TestBuildings:
    def test_no_building_crosses_its_block(self, city: SyntheticCity) -> None:
        block = city.blocks.geometry.to_numpy()[city.buildings["block"]]
        assert shapely.contains_properly(block, city.buildings.geometry.to_numpy()).all()
        assert (
            city.blocks["grid"].to_numpy()[city.buildings["block"]] == city.buildings.grid
        ).all()

    def test_no_two_buildings_meet(self, city: SyntheticCity) -> None:
        shapes = city.buildings.geometry.to_numpy()
        pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        assert pairs.shape[1] == len(shapes)

    def test_no_building_stands_in_a_road(self, city: SyntheticCity) -> None:
        for road, metres in (("main", 14.0), ("secondary", 7.0), ("lane", 3.5)):
            lines = city.roads[city.roads["class"] == road].geometry.to_numpy()
            near = shapely.STRtree(city.buildings.geometry.to_numpy()).query(
                lines, predicate="dwithin", distance=metres
            )
            assert near.shape[1] == 0

    def test_units_add_up_to_their_building(self, city: SyntheticCity) -> None:
        buildings = city.buildings.set_index("code")
        grouped = city.units.groupby("building")
        for column in ("households", "occupied"):
            assert grouped[column].sum().eq(buildings[column]).all()
        assert grouped.size().eq(buildings["units"]).all()
        area = city.units.area.groupby(city.units["building"]).sum()
        assert np.allclose(area.reindex(buildings.index), buildings.area, atol=1e-6)

    def test_kinds_have_their_households(self, city: SyntheticCity) -> None:
        homes = city.buildings.groupby("kind")["households"]
        assert set(city.buildings["kind"]) == {"walkup", "tower", "villa", "other"}
        assert homes.min()["tower"] >= 60
        assert homes.max()["tower"] <= 200
        assert homes.max()["villa"] <= 4
        assert homes.max()["other"] == 0
        share = city.buildings["occupied"].sum() / city.buildings["households"].sum()
        assert share == pytest.approx(0.88, abs=0.02)
        empty = city.buildings[city.buildings["households"] > 0]["occupied"] == 0
        assert empty.any()


class TestPlanted:
    def test_rows_are_counted(self, folder: Path, planted: dict[str, Any]) -> None:
        read = {
            **{level: len(gpd.read_file(folder / "areas.gpkg", layer=level)) for level in LEVELS},
            "buildings": len(gpd.read_parquet(folder / "buildings.parquet")),
            "roads": len(gpd.read_file(folder / "roads.fgb")),
            "zones": len(gpd.read_file(folder / "zones.geojson")),
            "fronts": len(gpd.read_file(folder / "fronts.geojson")),
            "places": len(pd.read_excel(folder / "places.xlsx", engine="calamine")),
            "categories": len(pd.read_csv(folder / "categories.csv")),
            "problems": len(pd.read_csv(folder / "problems.csv", encoding="gb18030", dtype=str)),
        }
        assert planted["rows"] == read
        assert 5_000 <= read["problems"] <= 6_000

    def test_gaps_are_in_the_written_grids(
        self, city: SyntheticCity, grids: gpd.GeoDataFrame, planted: dict[str, Any]
    ) -> None:
        exact = city.grids.set_index("code").geometry
        missing = city.district.geometry.iloc[0].difference(grids.union_all())
        spots = sorted(
            (part for part in missing.geoms if part.area > 1), key=lambda part: part.area
        )
        expected = sorted(planted["gaps"], key=lambda gap: gap["area_m2"])
        assert len(expected) == 2
        for part, gap in zip(spots, expected, strict=True):
            assert part.area == pytest.approx(gap["area_m2"], abs=0.5)
            assert exact[gap["grid"]].covers(part.buffer(-0.01))
            assert part.distance(exact[gap["neighbour"]]) < 0.01

    def test_overlaps_are_in_the_written_grids(
        self, grids: gpd.GeoDataFrame, planted: dict[str, Any]
    ) -> None:
        shapes = grids.geometry.to_numpy()
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        area = shapely.area(shapely.intersection(shapes[first], shapes[second]))
        found = {
            frozenset(grids.index[[i, j]]): shared
            for i, j, shared in zip(first, second, area, strict=True)
            if i < j and shared > 1
        }
        expected = {
            frozenset((overlap["grid"], overlap["neighbour"])): overlap["area_m2"]
            for overlap in planted["overlaps"]
        }
        assert len(expected) == 2
        assert found == pytest.approx(expected, abs=0.5)

    def test_no_building_is_in_a_gap_or_overlap(
        self, city: SyntheticCity, grids: gpd.GeoDataFrame
    ) -> None:
        hit = shapely.STRtree(grids.geometry.to_numpy()).query(
            city.buildings.geometry.to_numpy(), predicate="intersects"
        )
        assert np.array_equal(hit[0], np.arange(len(city.buildings)))

    def test_other_grids_are_untouched(self, city: SyntheticCity, planted: dict[str, Any]) -> None:
        changed = {defect["grid"] for defect in [*planted["gaps"], *planted["overlaps"]]}
        same = city.grids.geometry.geom_equals(city.grids_planted.geometry)
        assert set(city.grids["code"][~same]) == changed

    def test_dirty_rows_by_reason(self, rows: pd.DataFrame, planted: dict[str, Any]) -> None:
        dirty = planted["dirty_rows"]
        for reason in dirty.values():
            assert len(set(reason["ids"])) == reason["count"] >= 20
        times = pd.to_datetime(rows["上报时间"], format="%Y-%m-%d %H:%M", errors="coerce")
        closed = pd.to_datetime(rows["结案时间"], format="%Y-%m-%d %H:%M", errors="coerce")
        blank = (rows["经度"] == "") & (rows["纬度"] == "")
        away = ~blank & ~rows.index.isin(usable(rows).index)
        found = {
            "no_coordinates": rows["编号"][blank],
            "out_of_area": rows["编号"][away],
            "unparseable_time": rows["编号"][times.isna()],
            "closed_before_reported": rows["编号"][closed < times],
            "repeated_id": rows["编号"][rows["编号"].duplicated()],
        }
        assert set(found) == set(dirty)
        for reason, ids in found.items():
            assert sorted(ids) == sorted(dirty[reason]["ids"])
        positions = np.concatenate([ids.index.to_numpy() for ids in found.values()])
        assert len(np.unique(positions)) == len(positions)

    def test_variants_make_up_their_reason(self, planted: dict[str, Any]) -> None:
        for reason in ("out_of_area", "unparseable_time"):
            record = planted["dirty_rows"][reason]
            dealt = [one for ids in record["variants"].values() for one in ids]
            assert sorted(dealt) == sorted(record["ids"])

    def test_pile_shares_one_coordinate(self, rows: pd.DataFrame, planted: dict[str, Any]) -> None:
        pile = planted["fallback_pile"]
        same = (rows["经度"] == f"{pile['lon']:.6f}") & (rows["纬度"] == f"{pile['lat']:.6f}")
        assert rows["编号"][same].tolist() == pile["ids"]
        assert pile["count"] == pytest.approx(0.025 * len(rows), abs=1)
        assert rows["地址"][same].nunique() > 0.8 * pile["count"]
        others = rows[~same & (rows["经度"].str.len() > 1)].groupby(["经度", "纬度"]).size()
        assert others.max() <= 4  # a chain of problems that came back

    def test_problems_in_no_grid_and_in_two(
        self, rows: pd.DataFrame, grids: gpd.GeoDataFrame, planted: dict[str, Any]
    ) -> None:
        good = usable(rows)
        shapes = points(good).to_numpy()
        hit = shapely.STRtree(grids.geometry.to_numpy()).query(shapes, predicate="intersects")[0]
        times_hit = np.bincount(hit, minlength=len(good))
        ids = good["编号"].to_numpy()
        assert ids[times_hit == 0].tolist() == planted["in_no_grid"]["ids"]
        assert ids[times_hit == 2].tolist() == planted["in_two_grids"]["ids"]
        assert times_hit.max() == 2
        assert planted["in_no_grid"]["count"] >= 16

    def test_hot_spots_gather_their_problems(
        self, rows: pd.DataFrame, planted: dict[str, Any]
    ) -> None:
        by_id = rows.set_index("编号")
        assert len(planted["hot_spots"]) == 3
        for spot in planted["hot_spots"]:
            own = by_id.loc[spot["ids"]]
            place = points(own)
            centre = shapely.Point(spot["x"], spot["y"])
            assert place.distance(centre).median() < 1.5 * spot["sigma_m"]
            assert 60 <= spot["sigma_m"] <= 120
            assert (own["类别"] == spot["category"]).mean() > 0.6
            assert own["上报时间"].min() >= spot["active_from"]
        starts = [spot["active_from"] for spot in planted["hot_spots"]]
        assert starts == ["2025-01-01", "2025-01-01", "2025-10-01"]

    def test_dead_corner_is_in_no_subzone(
        self, city: SyntheticCity, folder: Path, planted: dict[str, Any]
    ) -> None:
        corner = planted["dead_corner"]
        zones = gpd.read_file(folder / "zones.geojson").set_crs("EPSG:4490", allow_override=True)
        subzones = zones[zones["kind"] == "subzone"].to_crs(METRES)
        left_out = city.district.geometry.iloc[0].difference(subzones.buffer(0.05).union_all())
        assert left_out.area == pytest.approx(corner["area_m2"], rel=0.01)
        inside = city.buildings[city.buildings.centroid.within(left_out)]
        for column in ("households", "occupied"):
            assert inside[column].sum() == corner[column]
        assert 0 < corner["problems"]["count"] == len(set(corner["problems"]["ids"]))

    def test_subzones_cut_across_communities(self, city: SyntheticCity) -> None:
        subzones = city.zones[city.zones["kind"] == "subzone"]
        cut = [
            (city.communities.intersection(zone).area > 1000)
            & (city.communities.difference(zone).area > 1000)
            for zone in subzones.geometry
        ]
        assert np.any(cut, axis=0).sum() >= 3
        assert len(subzones) == 19

    def test_without_defects_everything_is_clean(self, city: SyntheticCity, tmp_path: Path) -> None:
        write_sample(city, tmp_path, defects=False)
        clean = gpd.read_file(tmp_path / "areas.gpkg", layer="grids").to_crs(METRES)
        assert clean.area.sum() == pytest.approx(city.district.area.sum(), abs=1)
        rows = pd.read_csv(tmp_path / "problems.csv", encoding="gb18030", dtype=str)
        assert rows["编号"].is_unique
        assert len(usable(rows)) == len(rows)
        record = json.loads((tmp_path / "planted.json").read_text(encoding="utf-8"))
        assert record["dirty_rows"] == {}
        assert len(record["hot_spots"]) == 3


class TestContent:
    def test_written_files_have_their_reference_systems(self, folder: Path) -> None:
        for level in LEVELS:
            frame = gpd.read_file(folder / "areas.gpkg", layer=level)
            assert frame.crs.to_epsg() == 4490
            assert shapely.coverage_is_valid(frame.geometry.to_numpy()) == (level != "grids")
            west, south, east, north = frame.total_bounds
            assert 120.8 < west < 120.9 < east < 121.0
            assert 30.6 < south < 30.7 < north < 30.8
        assert gpd.read_parquet(folder / "buildings.parquet").crs.to_epsg() == 4549
        assert gpd.read_file(folder / "roads.fgb").crs.to_epsg() == 4490
        assert '"crs"' not in (folder / "zones.geojson").read_text(encoding="utf-8")

    def test_tables_have_chinese_headers(self, folder: Path, rows: pd.DataFrame) -> None:
        assert ",".join(rows.columns) == (
            "编号,类别,来源,上报时间,处置时限,结案时间,经度,纬度,地址,"
            "处置部门,处置方式,专项行动,回头看时间"
        )
        places = pd.read_excel(folder / "places.xlsx", engine="calamine")
        assert places.columns.tolist() == ["编号", "名称", "类型", "风险等级", "经度", "纬度"]
        assert set(places["风险等级"]) == {"high", "medium", "low"}
        kinds = pd.read_csv(folder / "categories.csv")
        assert set(rows["类别"]) == set(kinds["category"])
        assert len(kinds) == 12

    def test_people_are_synthetic(self, city: SyntheticCity) -> None:
        manned = city.grids[city.grids["member"] != ""]
        assert len(city.grids) - len(manned) == 2
        assert manned["member"].str.fullmatch(r"样例[甲乙丙丁戊己庚辛壬癸]\d{3}").all()
        assert manned["member"].is_unique
        assert manned["phone"].str.fullmatch(r"000-\d{4}-\d{4}").all()
        assert city.grids["members"].between(1, 3).all()
        assert city.zones["lead"].str.fullmatch(r"示例(员\d{3}|领导\d{2})").all()
        assert city.zones["cooperating"].map(lambda name: name == "" or name[:2] == "示例").all()
        assert city.places["name"].str.startswith("示例").all()

    def test_no_written_text_looks_like_a_phone(self, folder: Path) -> None:
        for name in ("zones.geojson", "planted.json"):
            assert not re.search(r"(?<![\d.])1[3-9]\d{9}(?!\d)", (folder / name).read_text("utf-8"))

    def test_names_are_unique_where_people_need_them_to_be(self, city: SyntheticCity) -> None:
        for name in ("streets", "communities", "grids", "buildings", "zones", "fronts", "places"):
            assert getattr(city, name)["name"].is_unique, name

    def test_year_has_its_rhythm(self, city: SyntheticCity) -> None:
        reported = city.problems["reported"].dt
        assert reported.year.eq(2025).all()
        background = city.problems["hot_spot"] == ""
        months = reported.month[background].value_counts()
        assert months[7] > 1.3 * months[1]
        hours = reported.hour.value_counts()
        assert hours[10] > 5 * hours[3]
        assert city.problems["closed"].isna().mean() == pytest.approx(0.10, abs=0.02)
        late = city.problems["closed"] > city.problems["deadline"]
        assert 0.05 < late.mean() < 0.2

    def test_problems_follow_occupied_households(self, city: SyntheticCity) -> None:
        plain = city.problems[city.problems["hot_spot"] == ""]
        grid = gpd.sjoin(plain, city.grids[["code", "geometry"]], predicate="within")["code"]
        counts = grid.value_counts().reindex(city.grids["code"])
        occupied = city.buildings.groupby("grid")["occupied"].sum()
        assert np.corrcoef(counts, occupied)[0, 1] > 0.9
