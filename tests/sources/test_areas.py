"""A layer of areas is read for an audit whatever its columns are called and where it lies."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapes import grid_of, points_at
from towns import lines

from gridmap.errors import ConformError, SourceError
from gridmap.sources.areas import AreaFile, of_level, read_areas


def written(frame: gpd.GeoDataFrame, path: Path) -> Path:
    frame.to_file(path)
    return path


def test_columns_are_found_by_option_else_by_their_own_name(tmp_path: Path) -> None:
    frame = grid_of("ab").assign(
        编码=[7, 8], parent=["C", None], level="grid", households=["12", "many"], weight=[1.5, 2.0]
    )
    path = written(frame, tmp_path / "grids.gpkg")
    read = read_areas(path, columns={"code": ("编码", "--code-column"), "parent": ("", "--parent")})
    assert read.frame["code"].to_list() == ["7", "8"]
    assert read.frame["parent"].fillna("").to_list() == ["C", ""]
    assert read.frame["households"].to_list() == [12, pd.NA]
    assert read.frame["weight"].to_list() == [1.5, 2.0]
    assert dict(read.names) == {
        "code": "编码", "parent": "parent", "level": "level", "households": "households",
        "weight": "weight",
    }  # fmt: skip
    assert list(read.table["编码"]) == list(frame["编码"])
    assert read.frame.crs == frame.crs
    assert read.frame.geometry.to_list() == frame.geometry.to_list()


def test_a_column_that_is_not_there_is_told_with_its_option(tmp_path: Path) -> None:
    path = written(grid_of("ab").rename(columns={"code": "id"}), tmp_path / "grids.gpkg")
    with pytest.raises(SourceError, match=r"'code'; it has: id; .*--code-column"):
        read_areas(path)
    with pytest.raises(SourceError, match=r"'nr'; it has: id; .*--of-mine"):
        read_areas(path, columns={"code": ("nr", "--of-mine")})
    assert "code" not in read_areas(path, coded=False).frame


def test_buildings_may_be_points_and_areas_may_not(tmp_path: Path) -> None:
    points = written(points_at((5, 5), (45, 5)), tmp_path / "points.gpkg")
    assert read_areas(points, coded=False).frame.geom_type.to_list() == ["Point", "Point"]
    areas = written(grid_of("a"), tmp_path / "areas.gpkg")
    assert read_areas(areas, coded=False).frame.area.to_list() == pytest.approx([10_000])
    with pytest.raises(ConformError) as caught:
        read_areas(points)
    assert caught.value.key == "audit.kind"
    with pytest.raises(ConformError) as caught:
        read_areas(written(lines((0, 0, 9, 9)), tmp_path / "lines.gpkg"), coded=False)
    assert caught.value.params["asked"] == "Polygon"


@pytest.mark.parametrize(
    ("crs", "metric"),
    [(4549, 4549), (4490, 4549), (3857, 4549), (32651, 32651), (2263, None)],
)
def test_metres_of_the_file_stay_if_they_are_metres(
    crs: int, metric: int | None, tmp_path: Path
) -> None:
    areas = grid_of("ab")
    if metric is None:  # feet of another country
        areas = areas.set_crs(32618, allow_override=True)
    path = written(areas.to_crs(crs), tmp_path / "areas.gpkg")
    read = read_areas(path).frame
    assert read.area.to_list() == pytest.approx([10_000] * 2, rel=2e-3)
    if metric is None:
        assert {axis.unit_name for axis in read.crs.axis_info} == {"metre"}
    elif crs in (4549, 32651):
        assert read.crs.to_epsg() == crs
    else:
        assert read.crs == read_areas(written(areas.to_crs(4326), tmp_path / "d.gpkg")).frame.crs
    own = read_areas(path, working=grid_of("a").crs)
    assert own.frame.crs.to_epsg() == 4549


def test_one_layer_of_several_is_read_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    grid_of("ab").to_file(path, layer="one")
    grid_of("c").to_file(path, layer="other")
    assert read_areas(path, sublayer="other").frame["code"].to_list() == ["c"]
    plain = written(grid_of("a").to_crs(4490), tmp_path / "plain.gpkg")
    shifted = read_areas(plain, crs="GCJ-02").frame
    assert shifted.distance(read_areas(plain).frame.to_crs(shifted.crs), align=True)[0] > 100


def of_levels(**columns: list[str | None]) -> AreaFile:
    frame = grid_of("PQR").assign(**columns)
    return AreaFile(Path("over.gpkg"), frame, pd.DataFrame(frame), {})


def test_parents_are_of_the_level_that_is_asked_for_or_that_the_areas_name() -> None:
    over = of_levels(level=["community", "street", "street"])
    areas = grid_of("ab").assign(parent=["Q", "R"])
    named = of_level(over, areas)
    assert (named["code"].to_list(), named.index.to_list()) == (["Q", "R"], [0, 1])
    assert of_level(over, areas, "community")["code"].to_list() == ["P"]
    # Whose parents nobody knows may have any.
    for lost in (areas.assign(parent="X"), areas.drop(columns="parent")):
        assert of_level(over, lost)["code"].to_list() == ["P", "Q", "R"]
    flat = of_levels()
    assert of_level(flat, areas)["code"].to_list() == ["P", "Q", "R"]
    with pytest.raises(ConformError, match=r"over\.gpkg.*'city'.*community, street"):
        of_level(over, areas, "city")
    with pytest.raises(ConformError, match=r"over\.gpkg.*'city'.*-"):
        of_level(flat, areas, "city")
