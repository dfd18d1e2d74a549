import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapes import CRS, EAST, NORTH, grid_of

from gridmap import cli
from gridmap.catalog import load_catalog
from gridmap.design.audit.checks import KINDS, audit
from gridmap.design.codes import load_profiles
from gridmap.errors import ConformError, CrsError

DATA = Path(__file__).parents[2] / "data"
TOWN = """
    aabb
    aabb
    ccdd
"""
PARENTS = """
    PPPP
    PPPP
    QQQQ
"""


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Return a rectangle in metres from the south-west corner of a drawing."""
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def plain(drawing: str) -> gpd.GeoDataFrame:
    """Return drawn areas without the corners of the squares inside their edges."""
    frame = grid_of(drawing)
    return frame.set_geometry(frame.simplify(0))


def town(**columns: object) -> gpd.GeoDataFrame:
    return plain(TOWN).assign(parent=["P", "P", "Q", "Q"], **columns)


def parents() -> gpd.GeoDataFrame:
    return plain(PARENTS)


def changed(frame: gpd.GeoDataFrame, row: int, shape: object) -> gpd.GeoDataFrame:
    shapes = frame.geometry.to_numpy().copy()
    shapes[row] = shape
    return frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))


def kinds(findings: gpd.GeoDataFrame) -> list[str]:
    return findings["kind"].tolist()


def only(findings: gpd.GeoDataFrame) -> pd.Series:
    assert len(findings) == 1, findings.drop(columns="geometry").to_string()
    return findings.iloc[0]


def test_areas_that_fit_have_no_findings() -> None:
    assert audit(town()).empty
    assert audit(town(), parents()).empty
    assert audit(town().iloc[:0]).empty
    assert set(audit(town()).columns) == {*load_catalog().layer("findings").fields, "geometry"}


def test_every_category_is_in_the_catalogue() -> None:
    # The layer holds what a check of a whole city finds, too.
    assert set(KINDS) <= set(load_catalog().layer("findings").fields["kind"].categories)


def test_a_gap_inside_is_found_with_its_area_and_neighbours() -> None:
    hole = box(150, 150, 250, 250)
    areas = town()
    areas = areas.set_geometry(areas.difference(hole))
    for found in (only(audit(areas)), only(audit(areas, parents()))):
        assert (found["kind"], found["areas"], found["fix"]) == ("gap", "a, b", "assign_gap")
        assert found["area_m2"] == pytest.approx(10_000)
        assert found["width_m"] == pytest.approx(50)
        assert not found["safe"]
        assert shapely.equals(found["geometry"], hole)
    assert only(audit(areas, parents()))["parent"] == "P"


def test_a_gap_at_the_rim_is_found_against_the_parents_alone() -> None:
    areas = changed(town(), 0, box(0, 150, 200, 300))
    assert kinds(audit(areas)) == ["unmatched"]
    found = only(audit(areas, parents()))
    assert (found["kind"], found["area_m2"], found["parent"]) == ("gap", pytest.approx(1e4), "P")


def test_an_area_in_a_hole_is_no_gap() -> None:
    areas = grid_of("aaa aba aaa")
    assert audit(areas).empty
    assert only(audit(areas[areas["code"] == "a"]))["area_m2"] == pytest.approx(1e4)
    smaller = changed(areas, 1, box(110, 110, 190, 190))
    assert only(audit(smaller))["area_m2"] == pytest.approx(1e4 - 6400)


def test_an_overlap_is_found_once_with_both_areas() -> None:
    areas = changed(town(), 0, box(0, 100, 230, 300))
    found = only(audit(areas, parents()))
    assert (found["kind"], found["areas"], found["fix"]) == ("overlap", "a, b", "decide_overlap")
    assert found["area_m2"] == pytest.approx(6000)


def test_an_area_inside_another_overlaps_it() -> None:
    areas = pd.concat([town(), town().iloc[:1].assign(code="e")], ignore_index=True)
    areas = changed(areas, 4, box(50, 150, 80, 180))
    found = audit(areas)
    assert found.loc[0, ["kind", "areas"]].tolist() == ["overlap", "a, e"]
    assert kinds(found) == ["overlap"]


@pytest.mark.parametrize(("to", "detail", "fix"), [
    (200.2, "overlap", "settle_overlap"), (199.8, "gap", "close_gap"),
])  # fmt: skip
def test_what_is_thin_is_a_sliver_and_safe_to_mend(to: float, detail: str, fix: str) -> None:
    areas = changed(town(), 0, box(0, 100, to, 300))
    found = only(audit(areas, parents()))
    assert found[["kind", "detail", "fix", "safe"]].tolist() == ["sliver", detail, fix, True]
    assert found["area_m2"] == pytest.approx(40)
    assert found["width_m"] == pytest.approx(0.2, rel=0.01)
    assert only(audit(areas, parents(), tolerance_m=0.1))["kind"] == detail


def test_rounding_errors_are_no_findings() -> None:
    areas = changed(town(), 0, box(0, 100, 200 + 1e-9, 300))
    assert set(kinds(audit(areas, parents()))) <= {"unmatched"}


def test_an_area_that_is_a_sliver_itself_is_not_mended() -> None:
    areas = pd.concat([town(), town().iloc[3:].assign(code="e")], ignore_index=True)
    areas = changed(changed(areas, 3, box(200.3, 0, 400, 100)), 4, box(200, 0, 200.3, 100))
    found = audit(areas, parents()).iloc[0]
    assert found[["kind", "detail", "areas", "safe"]].tolist() == ["sliver", "area", "e", False]


def test_invalid_shapes_are_found_and_the_rest_is_judged_as_mended() -> None:
    bow = shapely.Polygon([(EAST, NORTH + 100), (EAST + 200, NORTH + 300),
                           (EAST + 200, NORTH + 100), (EAST, NORTH + 300)])  # fmt: skip
    found = audit(changed(town(), 0, bow), parents())
    assert kinds(found)[0] == "invalid"
    assert found.loc[0, ["areas", "fix", "safe"]].tolist() == ["a", "make_valid", True]
    assert found.loc[0, "area_m2"] == pytest.approx(20_000)
    assert found.loc[found["kind"] == "gap", "area_m2"].sum() == pytest.approx(20_000)
    assert "multi_part" in kinds(found)


@pytest.mark.parametrize("nothing", [None, shapely.Polygon(), shapely.Point(EAST, NORTH)])
def test_an_area_without_a_polygon_is_invalid(nothing: object) -> None:
    found = audit(changed(town(), 0, nothing), parents())
    assert kinds(found) == ["invalid", "gap"]
    assert found.loc[0, ["detail", "fix", "safe"]].tolist() == ["no_shape", "draw", False]


def test_parts_apart_are_found_unless_the_parent_forces_them() -> None:
    apart = grid_of("aa.ab cc.cb", parent=["P"] * 3)
    one = audit(apart, grid_of("PP.PP PP.PP"))
    assert kinds(one) == []
    free = audit(apart, grid_of("PPPPP PPPPP"))
    assert kinds(free) == ["gap", "multi_part", "multi_part"]
    assert free["value"].tolist()[1:] == [2, 2]
    assert kinds(audit(apart)) == ["multi_part", "multi_part"]
    twice = grid_of("aba.b", parent=["P"] * 2)
    assert only(audit(twice, grid_of("PPP.P")))["areas"] == "a"


def test_a_small_detached_part_is_an_orphan() -> None:
    areas = changed(town(), 0, shapely.union(box(0, 100, 200, 300), box(300, 200, 310, 210)))
    areas = changed(areas, 1, shapely.difference(areas.geometry[1], box(300, 200, 310, 210)))
    found = only(audit(areas, parents()))
    assert found[["kind", "detail", "areas"]].tolist() == ["orphan", "detached", "a"]
    assert found["area_m2"] == pytest.approx(100)


def test_an_area_must_lie_in_the_parent_that_it_names() -> None:
    areas = town()
    areas["parent"] = ["P", "P", "P", "Q"]
    found = audit(areas, parents())
    nested = only(found)
    assert nested["kind"] == "not_nested"
    assert nested[["areas", "fix", "value"]].tolist() == ["c", "correct_parent", 100]
    reach = changed(town(), 2, box(0, 0, 200, 103))
    found = audit(reach, parents())
    assert kinds(found) == ["overlap", "not_nested"]
    assert found.loc[1, "fix"] == "cut_at_parent"
    assert found.loc[1, "value"] == pytest.approx(300 / 103)


def test_the_parent_is_told_by_name_then_by_code_then_by_place() -> None:
    profile = load_profiles()["suffix2"]
    areas = grid_of("ab", parent=["x", pd.NA]).assign(code=["P01", "Q01"])
    over = grid_of("PQ")
    found = audit(areas, over, profile=profile)
    assert kinds(found) == ["orphan", "orphan"]
    assert found["parent"].tolist() == ["P", "Q"]
    assert audit(areas.drop(columns="parent"), over, profile=profile).empty
    strange = audit(areas.drop(columns="parent").assign(code=["Q01", "P01"]), over, profile=profile)
    assert set(kinds(strange)) == {"not_nested"}
    placed = audit(areas.drop(columns="parent").assign(code=["X01", "Q01"]), over, profile=profile)
    assert only(placed)[["kind", "detail", "parent"]].tolist() == ["code_wrong", "parent", "P"]


def test_an_area_outside_of_every_parent_is_found() -> None:
    areas = grid_of("aab", parent=["P", "P"])
    found = audit(areas.drop(columns="parent"), grid_of("PP."))
    assert only(found)[["kind", "areas"]].tolist() == ["outside", "b"]


def test_what_overlaps_because_parents_do_is_not_laid_on_the_areas() -> None:
    over = parents()
    over = changed(over, 1, box(0, 0, 400, 120))
    areas = changed(changed(town(), 2, box(0, 0, 200, 120)), 3, box(200, 0, 400, 120))
    assert set(kinds(audit(areas, over))) == {"unmatched"}
    assert kinds(audit(areas)) == ["overlap", "overlap"]


def test_codes_are_checked_by_their_profile() -> None:
    areas = town().assign(code=["P001", "P001", "Q01", pd.NA])
    found = audit(areas, parents(), profile=load_profiles()["suffix"])
    assert sorted(zip(found["kind"], found["detail"].fillna(""), strict=True)) == [
        ("code_missing", ""),
        ("code_repeated", ""),
        ("code_wrong", "pattern"),
    ]
    assert set(found["fix"]) == {"give_code", "renumber", "correct_code"}


def test_full_width_codes_and_copies_are_safe_to_mend() -> None:
    areas = pd.concat([town(), town().iloc[:1]], ignore_index=True)
    areas.loc[3, "code"] = "ｄ１　"
    found = audit(areas)
    codes = found[found["kind"].str.startswith("code")]
    assert codes["fix"].tolist() == ["tidy_code", "drop_copy"]
    assert codes["safe"].all()
    areas["households"] = [1, 2, 3, 4, 5]
    assert "renumber" in audit(areas)["fix"].tolist()


def test_bounds_are_those_given_or_the_targets() -> None:
    areas = town(households=[20, 75, 0, 50])
    assert kinds(audit(areas)) == ["empty"]
    found = audit(areas, target=50)
    assert found[["kind", "areas", "value"]].to_numpy().tolist() == [
        ["empty", "c", 0], ["over", "b", 75], ["under", "a", 20],
    ]  # fmt: skip
    assert kinds(audit(areas, minimum=10, maximum=75)) == ["empty"]
    assert kinds(audit(areas, target=50, minimum=10)) == ["empty", "over"]
    with pytest.raises(ConformError, match="minimum 90 is above the maximum 70"):
        audit(areas, target=50, minimum=90)


def test_what_no_plan_could_mend_is_no_finding() -> None:
    alone = grid_of("ab", parent=["P", "Q"], households=[10, 0])
    assert audit(alone, grid_of("PQ"), target=50).empty
    assert audit(alone, target=50).empty
    explained = town(households=[20, 90, 50, 50], reason=["island", "large_unit", None, None])
    assert audit(explained, parents(), target=50).empty
    tower = gpd.GeoDataFrame(
        {"code": ["t"], "households": [80]}, geometry=[box(250, 150, 260, 160)], crs=CRS
    )
    crowded = town(households=[50, 90, 50, 50])
    assert kinds(audit(crowded, target=50)) == ["over"]
    assert audit(crowded, target=50, buildings=tower).empty
    # One of the very maximum fits into an area by itself.
    assert kinds(audit(crowded, target=50, buildings=tower.assign(households=[70]))) == ["over"]
    assert audit(crowded, target=50, buildings=tower.assign(households=[71])).empty


def test_another_quantity_can_have_bounds() -> None:
    areas = town(households=[1, 1, 1, 1], weight=[50.0, 50, 50, 95])
    assert kinds(audit(areas, target=50, quantity="weight")) == ["over"]


def test_nodes_that_a_neighbour_lacks_are_found() -> None:
    areas = plain("aab aac")
    found = only(audit(areas))
    assert found[["kind", "areas", "value", "safe"]].tolist() == ["unmatched", "a, b, c", 1, True]
    assert shapely.distance(found["geometry"], shapely.Point(EAST + 200, NORTH + 100)) == 0


def test_buildings_that_a_border_cuts_are_found() -> None:
    buildings = gpd.GeoDataFrame(
        {"code": ["inside", "cut", "parents", "touch", "tower", "out"], "households": 1},
        geometry=[
            box(10, 110, 20, 120), box(195, 150, 205, 160), box(50, 95, 60, 105),
            box(190, 170, 200.0005, 180), box(195, 200, 205, 210), box(900, 0, 910, 10),
        ],
        crs=CRS,
    )  # fmt: skip
    buildings.loc[4, "households"] = 99
    found = audit(town(), parents(), buildings=buildings, maximum=70)
    one = only(found)
    assert one[["kind", "areas", "fix", "value"]].tolist() == [
        "building_cut", "cut", "move_border", pytest.approx(50),
    ]  # fmt: skip
    assert one["area_m2"] == pytest.approx(50)
    assert "tower" in audit(town(), parents(), buildings=buildings)["areas"].tolist()


def test_a_building_in_no_area_is_found_where_a_parent_holds_it() -> None:
    buildings = gpd.GeoDataFrame(
        {"code": ["p", "q"]},
        geometry=[shapely.Point(EAST + 150, NORTH + 150), shapely.Point(EAST + 900, NORTH)],
        crs=CRS,
    )
    areas = town().iloc[1:]
    found = audit(areas, parents(), buildings=buildings)
    homeless = found[found["kind"] == "homeless"]
    assert homeless["areas"].tolist() == ["p"]
    assert audit(areas, buildings=buildings)["areas"].tolist() == ["p", "q"]


def test_frames_must_have_codes_and_metres() -> None:
    with pytest.raises(ConformError, match="areas: has no column 'code'"):
        audit(town().drop(columns="code"))
    with pytest.raises(CrsError, match="does not measure in metres"):
        audit(town().to_crs(4326))
    with pytest.raises(CrsError, match="parents: is not in"):
        audit(town(), parents().to_crs(4326))


def test_the_order_of_rows_changes_nothing_but_the_order_of_names() -> None:
    areas = changed(town(households=[20, 75, 0, 50]), 0, box(0, 100, 230, 310))
    one = audit(areas, parents(), target=50)
    other = audit(areas.iloc[::-1], parents().iloc[::-1], target=50)
    columns = ["code", "kind", "area_m2", "value", "fix"]
    pd.testing.assert_frame_equal(one[columns], other[columns])


def test_the_planted_faults_of_the_sample_are_found(planted: dict) -> None:
    areas = gpd.read_file(DATA / "areas.gpkg", layer="grids")
    over = gpd.read_file(DATA / "areas.gpkg", layer="communities").to_crs(4549)
    found = audit(areas.to_crs(4549), over, profile=load_profiles()["gb15"])
    for kind, name in (("gap", "gaps"), ("overlap", "overlaps")):
        mine = found[found["kind"] == kind]
        assert sorted(mine["area_m2"].round(-2)) == sorted(
            round(one["area_m2"], -2) for one in planted[name]
        )
    assert len(found) == 4


# ---- the command


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")


def gridmap(*arguments: str | Path) -> int:
    """Run the command in this process and return its exit code."""
    saved, sys.argv = sys.argv, ["gridmap", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        sys.argv = saved
    return 0


def files(folder: Path) -> tuple[Path, Path]:
    """Write a grid layer with Chinese column names, and its parents."""
    areas = town(households=[20, 75, 50, 50]).rename(
        columns={"code": "编码", "parent": "上级", "households": "户数"}
    )
    areas.to_file(folder / "grids.gpkg", driver="GPKG")
    parents().to_crs(4490).to_file(folder / "over.geojson", driver="GeoJSON")
    return folder / "grids.gpkg", folder / "over.geojson"


NAMED = ("--code-column", "编码", "--parent-column", "上级", "--households-column", "户数")


def test_the_command_tells_findings_of_any_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = files(tmp_path)
    assert gridmap("check", path, *NAMED, "--target", "50") == 1
    said = capsys.readouterr().out
    assert "2 findings among 4 areas" in " ".join(said.split())
    assert "Above the maximum" in said
    assert gridmap("check", path, *NAMED, "--maximum", "80", "--lang", "zh") == 0
    assert "4 个区域均未发现问题" in capsys.readouterr().out


def test_the_command_writes_findings_and_the_mended_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    areas = changed(town(households=[50, 50, 50, 50]), 0, box(0, 100, 199.8, 300))
    areas.assign(员=["甲", "乙", "丙", "丁"]).to_file(tmp_path / "grids.shp", encoding="utf-8")
    parents().to_file(tmp_path / "over.gpkg", driver="GPKG")
    out = tmp_path / "out"
    asked = ["check", tmp_path / "grids.shp", "--parents", tmp_path / "over.gpkg"]
    assert gridmap(*asked, "--out", out, "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["kinds"] == {"sliver": 1}
    assert said["files"] == ["grids_findings.gpkg"]
    assert said["rows"][0]["fix"] == "close_gap"
    assert gridmap(*asked, "--out", out, "--json", "--fix") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["left"] == 0
    assert "close_gap" in [one["fix"] for one in said["mended"]]
    written = pyogrio.read_dataframe(out / "grids_findings.gpkg", layer="findings")
    assert written["kind"].tolist() == ["sliver"]
    assert "layer_styles" in pyogrio.list_layers(out / "grids_findings.gpkg")[:, 0]
    mended = pyogrio.read_dataframe(out / "grids_mended.gpkg")
    assert mended["员"].tolist() == ["甲", "乙", "丙", "丁"]
    assert mended.geometry.area.sum() == pytest.approx(120_000)
    assert gridmap("check", out / "grids_mended.gpkg", *asked[2:]) == 0


def test_parents_may_be_in_one_layer_with_other_levels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = pd.concat(
        [parents().assign(level="grid"), grid_of("TTTT TTTT TTTT").assign(level="town")]
    )
    levels.to_file(tmp_path / "levels.gpkg", driver="GPKG")
    town().to_file(tmp_path / "grids.gpkg", driver="GPKG")
    asked = ["check", tmp_path / "grids.gpkg", "--parents", tmp_path / "levels.gpkg"]
    assert gridmap(*asked) == 0
    assert gridmap(*asked, "--level", "town") == 1
    assert "The parent that it names does not exist" in " ".join(capsys.readouterr().out.split())
    assert gridmap(*asked, "--level", "street") == 1
    assert "no areas of level 'street'; it has: grid, town" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no column 'code'; it has: 编码, 上级, 户数; name the right one with --code-column"),
        (["--code-column", "code"], "--code-column"),
        ([*NAMED, "--profile", "gb16"], "no code profile 'gb16'; there are:"),
        ([*NAMED, "--parents", "none.gpkg"], "none.gpkg: no such file"),
        ([*NAMED, "--minimum", "9", "--maximum", "8"], "minimum 9 is above the maximum 8"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    path, _ = files(tmp_path)
    assert gridmap("check", path, *arguments) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_mending_needs_a_place_to_write_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = files(tmp_path)
    assert gridmap("check", path, *NAMED, "--fix") != 0
    assert "--out" in capsys.readouterr().err


def test_degrees_are_taken_to_metres(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, over = files(tmp_path)
    assert gridmap("check", over, "--json") == 0
    assert json.loads(capsys.readouterr().out)["areas"] == 2
    hole = parents()
    hole = hole.set_geometry(hole.difference(box(100, 150, 200, 250))).to_crs(4490)
    hole.to_parquet(tmp_path / "hole.parquet")
    assert gridmap("check", tmp_path / "hole.parquet", "--json") == 1
    found = json.loads(capsys.readouterr().out)["rows"][0]
    assert found["area_m2"] == pytest.approx(10_000, rel=1e-4)
    assert np.isclose(found["width_m"], 50, rtol=1e-4)
