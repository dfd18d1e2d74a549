"""What was edited in a GIS desktop is read as it was meant, and grids of every level are merged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from shapes import EAST, NORTH, grid_of
from towns import rows_of_buildings, town

from gridmap.catalog import load_catalog
from gridmap.design import as_layers, design_grids
from gridmap.design.plan import Plan
from gridmap.errors import ConformError, CrsError, SourceError
from gridmap.outputs import write_layers
from gridmap.sources.edits import layer_names, merge_levels, read_areas, read_edits
from gridmap.sources.plan import read_plan

CITY = replace(town(grid_of("AB", 400.0), rows_of_buildings(20, 10)), review_number="GS(2026)1号")


def strip(west: float, east: float, south: float = 0.0, north: float = 100.0) -> shapely.Polygon:
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def test_the_only_layer_of_a_file_is_meant_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "one.gpkg"
    grid_of("ab").assign(code=[" a ", "b"]).to_file(path, layer="mine")
    assert layer_names(path) == ["mine"]
    assert read_areas(path, "grids")["code"].to_list() == ["a", "b"]
    grid_of("c").to_file(path, layer="other")
    assert read_areas(path, "other")["code"].to_list() == ["c"]
    with pytest.raises(SourceError, match=r"'grids'.*mine, other"):
        read_areas(path, "grids")


def test_what_are_no_areas_with_codes_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.gpkg"):
        layer_names(tmp_path / "missing.gpkg")
    (tmp_path / "broken.gpkg").write_text("no database")
    with pytest.raises(SourceError, match=r"broken\.gpkg"):
        read_areas(tmp_path / "broken.gpkg", "grids")
    grid_of("a").rename(columns={"code": "name"}).to_file(tmp_path / "bare.gpkg")
    with pytest.raises(SourceError, match="code"):
        read_areas(tmp_path / "bare.gpkg", "bare")
    table = pd.DataFrame({"code": ["a"]})
    pyogrio.write_dataframe(table, tmp_path / "table.gpkg", layer="table")
    with pytest.raises(SourceError, match="code"):
        read_areas(tmp_path / "table.gpkg", "table")
    with pytest.warns(UserWarning, match="crs"):
        grid_of("a").set_crs(None, allow_override=True).to_file(tmp_path / "nowhere.shp")
    with pytest.raises(CrsError, match=r"nowhere\.shp"):
        read_areas(tmp_path / "nowhere.shp", "nowhere")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    """A plan and the file that it was written to."""
    plan = design_grids(CITY)
    (path,) = write_layers(as_layers(plan, CITY), tmp_path_factory.mktemp("p"), formats=["gpkg"])
    return path, read_plan(path, load_catalog())[1]


def edited(written: tuple[Path, Plan], folder: Path, **layers: pd.DataFrame) -> Path:
    """Return a file with the layer of the plan and others that are given."""
    path = folder / "edited.gpkg"
    pyogrio.write_dataframe(pyogrio.read_dataframe(written[0], layer="plan"), path, layer="plan")
    for name, frame in layers.items():
        pyogrio.write_dataframe(frame, path, layer=name)
    return path


def table(written: tuple[Path, Plan], layer: str) -> pd.DataFrame:
    return pyogrio.read_dataframe(written[0], layer=layer, read_geometry=False)


def test_a_plan_comes_back_with_its_city(written: tuple[Path, Plan]) -> None:
    city, plan = read_plan(written[0], load_catalog())
    for fact in ("name", "title", "source", "timezone", "as_of", "review_number"):
        assert getattr(city, fact) == getattr(CITY, fact), fact
    assert city.areas("grid")["code"].to_list() == ["A", "B"]
    before = design_grids(CITY)
    assert sorted(plan.code) == sorted(before.code)
    assert plan.atoms["code"].to_list() == before.atoms["code"].to_list()
    assert plan.code[plan.label].tolist() == before.code[before.label].tolist()


def test_a_building_with_another_micro_grid_than_its_atom_was_moved(
    written: tuple[Path, Plan], tmp_path: Path
) -> None:
    buildings, atoms = table(written, "plan_buildings"), table(written, "plan_atoms")
    codes = sorted(set(atoms["microgrid"]))
    stays = atoms.set_index("code")["microgrid"]
    first = buildings.loc[0, "atom"]
    other = next(code for code in codes if code != stays[first])
    given = buildings.assign(
        microgrid=buildings["microgrid"].mask(buildings["atom"] == first, other)
    )
    # A building without a micro-grid says nothing of where it goes.
    last = buildings["atom"].iloc[-1]
    given["microgrid"] = given["microgrid"].mask(given["atom"] == last)
    read = read_edits(edited(written, tmp_path, plan_atoms=atoms, plan_buildings=given), written[1])
    assert dict(read.moved) == {first: other}
    assert read.exported == stays.to_dict()
    assert not read.stale
    assert sorted(read.drawn["code"]) == codes


def test_a_plan_that_went_on_since_makes_an_edit_stale(
    written: tuple[Path, Plan], tmp_path: Path
) -> None:
    atoms = table(written, "plan_atoms")
    other = next(code for code in atoms["microgrid"] if code != atoms.loc[0, "microgrid"])
    atoms.loc[0, "microgrid"] = other
    assert read_edits(edited(written, tmp_path, plan_atoms=atoms), written[1]).stale


def test_without_atoms_there_is_no_telling_what_was_moved(
    written: tuple[Path, Plan], tmp_path: Path
) -> None:
    buildings = table(written, "plan_buildings").assign(microgrid="elsewhere")
    read = read_edits(edited(written, tmp_path, plan_buildings=buildings), written[1])
    assert (read.exported, dict(read.moved), read.stale) == (None, {}, False)


def test_one_atom_cannot_go_two_ways(written: tuple[Path, Plan], tmp_path: Path) -> None:
    buildings, atoms = table(written, "plan_buildings"), table(written, "plan_atoms")
    twice = pd.concat([buildings, buildings.iloc[:1].assign(microgrid="Z")], ignore_index=True)
    path = edited(written, tmp_path, plan_atoms=atoms, plan_buildings=twice)
    with pytest.raises(ConformError, match=r"edited\.gpkg.*Z"):
        read_edits(path, written[1])


def levels(*parts: tuple[str, gpd.GeoDataFrame], **columns: Any) -> gpd.GeoDataFrame:
    frames = [frame.assign(level=level) for level, frame in parts]
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=frames[0].crs)


def test_each_level_is_merged_within_the_level_above_it() -> None:
    below = grid_of("ab").assign(parent="C", name=["one", "two"])
    before = levels(("grid", below), ("community", grid_of("CC").assign(parent=None, name="Com")))
    after = before.copy()
    after.loc[0, "geometry"] = strip(0, 90)
    after.loc[1, "geometry"] = strip(90, 200)
    after.loc[1, "name"] = "new"
    after = after.iloc[::-1].reset_index(drop=True)
    merged, changes, conflicts = merge_levels(before, after)
    assert conflicts.empty
    assert merged["code"].to_list() == ["a", "b", "C"]
    assert merged.columns.to_list() == before.columns.to_list()
    assert merged.area.to_list() == pytest.approx([9_000, 11_000, 20_000])
    assert merged["name"].to_list() == ["one", "new", "Com"]
    told = changes[["code", "kind"]].to_numpy().tolist()
    assert sorted(told) == [["a", "reshaped"], ["b", "attribute"], ["b", "reshaped"]]
    # Beyond its community a grid cannot go.
    beyond = after.copy()
    beyond.loc[beyond["code"] == "b", "geometry"] = strip(90, 250)
    merged, _, conflicts = merge_levels(before, beyond)
    assert len(conflicts)
    assert merged.area.to_list() == pytest.approx([10_000, 10_000, 20_000])


def test_degrees_come_back_as_degrees_and_what_is_new_comes_last() -> None:
    before = grid_of("b.a").assign(name="x").iloc[::-1].reset_index(drop=True).to_crs(4490)
    added = grid_of("b0a").assign(name="y").set_index("code").loc[["0", "a", "b"]].reset_index()
    added["name"] = added["name"].mask(added["code"] != "0", "x")
    merged, changes, conflicts = merge_levels(before, added.to_crs(4490))
    assert merged.crs == before.crs
    assert conflicts.empty
    assert merged["code"].to_list() == ["b", "a", "0"]
    assert changes["code"].to_list() == ["0"]
    assert merged.to_crs(4549).area.to_list() == pytest.approx([10_000] * 3, rel=1e-6)
