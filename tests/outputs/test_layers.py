import json
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from python_calamine import CalamineWorkbook

from gridmap.errors import OutputError
from gridmap.outputs import write_layers, write_quarantine, write_report
from gridmap.outputs.staging import staged
from gridmap.result import Analysed


def test_the_geopackage_holds_every_layer_as_it_is(sample: Analysed, tmp_path: Path) -> None:
    (path,) = write_layers(sample, tmp_path, formats=["gpkg"])
    names = set(pyogrio.list_layers(path)[:, 0])
    assert names == {*sample.city.layers, *sample.results, "layer_styles"}
    problems = gpd.read_file(path, layer="problems")
    original = sample.frame("problems")
    assert original is not None
    assert problems.crs == sample.city.crs
    assert problems["code"].to_list() == original["code"].to_list()
    assert (
        problems["opened"].dt.tz_convert("UTC") == original["opened"].dt.tz_convert("UTC")
    ).all()
    assert problems.geometry.geom_equals(original.geometry).all()
    assert problems["category"].to_list() == original["category"].to_list()
    info = pyogrio.read_info(path, layer="grids")
    assert info["geometry_type"] == "MultiPolygon"


def test_geojson_is_rfc_7946(sample: Analysed, tmp_path: Path) -> None:
    (path,) = write_layers(sample, tmp_path, formats=["geojson"], names=["grids"])
    text = path.read_text(encoding="utf-8")
    data = json.loads(text)
    assert "crs" not in data
    ring = data["features"][0]["geometry"]["coordinates"][0]
    while not isinstance(ring[0][0], float):
        ring = ring[0]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    assert area > 0, "the outer ring runs counter-clockwise"
    assert max(len(str(value).partition(".")[2]) for place in ring for value in place) == 7
    assert 120 < ring[0][0] < 122
    assert "网格" in text


@pytest.mark.parametrize("suffix", ["fgb", "parquet"])
def test_single_layers_hold_the_same_features(
    sample: Analysed, tmp_path: Path, suffix: str
) -> None:
    names = ["problems", "zones", "gaps", "misnested", "roads"]
    written = write_layers(sample, tmp_path, formats=[suffix], names=names)
    assert {path.name for path in written} == {f"{name}.{suffix}" for name in names}
    for path in written:
        original = sample.frame(path.stem)
        assert isinstance(original, gpd.GeoDataFrame)
        made = gpd.read_parquet(path) if suffix == "parquet" else gpd.read_file(path)
        assert made.crs == original.crs
        assert sorted(made["code"]) == sorted(original["code"])
        same = made.set_index("code").loc[original["code"]]
        assert same.geometry.area.to_numpy() == pytest.approx(original.area.to_numpy())
    before = {path.name: path.read_bytes() for path in written}
    write_layers(sample, tmp_path, formats=[suffix], names=names)
    assert before == {path.name: path.read_bytes() for path in written}


def test_an_unknown_format_is_refused_before_anything_is_written(
    sample: Analysed, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="No format 'dwg'"):
        write_layers(sample, tmp_path, formats=["gpkg", "dwg"])
    assert list(tmp_path.iterdir()) == []


def test_the_report_has_every_figure_in_both_languages(sample: Analysed, tmp_path: Path) -> None:
    for lang in ("en", "zh"):
        write_report(sample, tmp_path, lang)
        book = CalamineWorkbook.from_path(str(tmp_path / "summary.xlsx"))
        first = book.get_sheet_by_index(0).to_python()
        assert len(first) == len(sample.summary) + 1
        assert ("Grids" in dict(first)) == (lang == "en")
        loads = book.get_sheet_by_name({"en": "Workload by grid", "zh": "网格工作量"}[lang])
        assert len(loads.to_python()) == len(sample.results["grid_results"].frame) + 1
    said = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert said["results"]["hotspots"]["parameters"] == {
        "alpha": 0.05,
        "neighbour_m": 1.0,
        "permutations": 0,
        "random_state": 0,
        "minimum_count": 0,
        "exposure": "auto",
        "level": "",
        "hotspot_p": "exact",
    }
    assert sum(entry["rows"] for entry in said["inputs"]) == said["summary"]["rows_in"]


def test_quarantined_rows_can_be_mended_and_read_again(sample: Analysed, tmp_path: Path) -> None:
    (path,) = write_quarantine(sample, tmp_path, "zh")
    table = pd.read_csv(path, dtype=str)
    assert list(table.columns[:5]) == ["行号", "字段", "原因", "内容", "编号"]
    assert len(table) == 141
    first = table[table["原因"].str.contains("没有坐标")].iloc[0]
    original = Path(__file__).parents[2] / "data" / "problems.csv"
    row = original.read_text(encoding="gb18030").splitlines()[int(first["行号"]) - 1]
    assert row.startswith(first["编号"])


def test_a_block_that_fails_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("old")

    def failing() -> None:
        with staged(tmp_path) as stage:
            (stage / "kept.txt").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert (tmp_path / "kept.txt").read_text() == "old"
    with staged(tmp_path) as stage:
        (stage / "sub").mkdir()
        (stage / "sub" / "made.txt").write_text("made")
    assert sorted(p.name for p in tmp_path.rglob("[!.]*")) == ["kept.txt", "made.txt", "sub"]
