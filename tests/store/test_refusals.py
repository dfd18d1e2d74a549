"""What the store refuses, each in one clear line, with nothing half-written."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from gridmap import store
from gridmap.catalog import load_catalog
from gridmap.errors import StoreError
from gridmap.result import Analysed
from gridmap.store.connection import parse_url, reason_of, shown, transaction
from gridmap.store.tables import CITY, GEOMETRY, ROW, SINGLE, city_table, layer_table


@pytest.mark.parametrize(
    "text",
    [
        "out/city.gpkg",
        "mysql://u:S3cret@h/db",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://u:S3cret@h",
        "postgresql://u:S3@cret@h/db",
        "postgresql://u:S3cret@h:port/db",
        "postgresql+asyncpg://u:S3cret@h/db",
        "",
    ],
)
def test_bad_url(text, make_town):
    with pytest.raises(StoreError) as raised:
        store.save(make_town(), text)
    assert raised.value.key == "store.bad_url"
    assert "cret" not in raised.value.text("en") + raised.value.text("zh")


def test_urls():
    assert parse_url("a b/城市.db").database == "a b/城市.db"
    assert parse_url("sqlite:////srv/x").database == "/srv/x"
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        url = parse_url(f"{scheme}://u:S3cret@h:1/db?password=S3cret")
        assert url.drivername == "postgresql+psycopg"
        assert shown(url) == "postgresql://u:***@h:1/db"


def test_unreachable(make_town):
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as raised:
        store.save(make_town(), "postgresql://u:S3cret@127.0.0.1:1/db?application_name=S3cret")
    assert raised.value.key == "store.unreachable"
    assert raised.value.params["store"] == "postgresql://u:***@127.0.0.1:1/db"
    assert "S3cret" not in raised.value.text("en") + raised.value.text("zh")
    assert raised.value.__cause__ is None


def test_password_in_a_reason(make_town):
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as raised:
        store.save(make_town(), "postgresql://u:S3cret@127.0.0.1:1/db?sslmode=S3cret")
    assert raised.value.key == "store.unreachable"
    assert "***" in str(raised.value.params["reason"])
    assert "S3cret" not in raised.value.text("en") + raised.value.text("zh")


def test_a_reason_is_the_first_line_of_what_was_said():
    assert reason_of(ValueError("\n one\ntwo")) == "one"
    assert reason_of(ValueError("")) == "ValueError"
    wrapped = sa.exc.DBAPIError("SELECT 'S3cret'", {}, ValueError("no"))
    assert reason_of(wrapped) == "no"


@pytest.mark.parametrize("module", ["psycopg", "geoalchemy2"])
def test_driver_missing(module, make_town, assert_same, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StoreError) as raised:
        store.save(make_town(), "postgresql://127.0.0.1:1/db")
    assert raised.value.key == "store.driver_missing"
    assert raised.value.params == {"module": module}
    file = str(tmp_path / "city.sqlite")
    store.save(make_town(), file)
    assert_same(store.load(file, "town"), make_town())


def test_no_file(tmp_path):
    file = tmp_path / "none.sqlite"
    for ask in (lambda: store.cities(str(file)), lambda: store.load(str(file), "town")):
        with pytest.raises(StoreError) as raised:
            ask()
        assert raised.value.key == "store.no_file"
    assert not file.exists()


def test_no_folder(make_town, tmp_path):
    (tmp_path / "file").touch()
    for folder in ("none", "file"):
        with pytest.raises(StoreError) as raised:
            store.save(make_town(), str(tmp_path / folder / "city.sqlite"))
        assert raised.value.key == "store.unreachable"


def test_locked(make_town, tmp_path):
    file = tmp_path / "city.sqlite"
    store.save(make_town(), str(file))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError) as raised:
        store.save(make_town(), f"sqlite:///{file}?timeout=0.1")
    assert raised.value.key == "store.failed"
    assert "locked" in str(raised.value)
    other.close()


def _others_turn(file: Path, statement: str) -> None:
    """Run a statement in another connection, which does not wait."""
    other = sqlite3.connect(file, isolation_level=None, timeout=0)
    try:
        other.execute(statement)
    finally:
        other.close()


def test_one_writer_at_a_time(make_town, tmp_path):
    file = tmp_path / "city.sqlite"
    store.save(make_town(), str(file))
    with (
        transaction(str(file), write=True),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        _others_turn(file, "BEGIN IMMEDIATE")
    with transaction(str(file), write=False):
        _others_turn(file, "BEGIN IMMEDIATE")


def test_nothing_is_saved_while_a_city_is_read(make_town, tmp_path):
    file = tmp_path / "city.sqlite"
    store.save(make_town(), str(file))
    with transaction(str(file), write=False) as connection:
        connection.exec_driver_sql("SELECT * FROM gridmap_cities").all()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _others_turn(file, "DELETE FROM gridmap_cities")
    assert store.cities(str(file)) == ["town"]


def test_no_database(make_town, tmp_path):
    file = tmp_path / "city.sqlite"
    file.write_text("This is a text of more than a few hundred bytes. " * 20)
    with pytest.raises(StoreError) as raised:
        store.save(make_town(), str(file))
    assert raised.value.key == "store.failed"
    assert file.read_text().startswith("This")


def test_new_file_is_taken_away(make_town, tmp_path):
    def cut_off(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save(make_town(), str(tmp_path / "city.sqlite"), progress=cut_off)
    assert list(tmp_path.iterdir()) == []


def _refused(town: Analysed, folder: Path) -> StoreError:
    with pytest.raises(StoreError) as raised:
        store.save(town, str(folder / "city.sqlite"))
    assert list(folder.iterdir()) == []
    return raised.value


def test_column_that_is_no_field(make_town, tmp_path):
    town = make_town()
    hotspots = town.results["hotspots"].frame.assign(more=1)
    error = _refused(make_town(results={"hotspots": hotspots}), tmp_path)
    assert (error.key, error.params["field"]) == ("store.field_unknown", "more")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("count", [1.5, 2.0]),
        ("z", ["a", "b"]),
        ("hotspot", [1, 2]),
        ("count", [True, False]),
        ("z", [True, False]),
    ],
)
def test_column_of_another_type(field, values, make_town, tmp_path):
    hotspots = make_town().results["hotspots"].frame.assign(**{field: values})
    error = _refused(make_town(results={"hotspots": hotspots}), tmp_path)
    assert (error.key, error.params["field"]) == ("store.field_type", field)


@pytest.mark.parametrize("shape", ["POINT (0 0)", "POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1))"])
def test_geometry_of_another_kind(shape, make_town, tmp_path):
    hotspots = make_town().results["hotspots"].frame
    hotspots = hotspots.set_geometry([shapely.from_wkt(shape)] * 2, crs=4549)
    error = _refused(make_town(results={"hotspots": hotspots}), tmp_path)
    assert error.key == "store.geometry"


def test_geometry_under_another_name(make_town, tmp_path):
    hotspots = make_town().results["hotspots"].frame.rename_geometry("shape")
    error = _refused(make_town(results={"hotspots": hotspots}), tmp_path)
    assert (error.key, error.params["field"]) == ("store.field_unknown", "shape")


def test_missing_shapes_are_no_other_kind(make_town, tmp_path, assert_same):
    hotspots = make_town().results["hotspots"].frame
    hotspots = hotspots.set_geometry([None, hotspots.geometry[1]], crs=4549)
    town = make_town(results={"hotspots": hotspots})
    file = str(tmp_path / "city.sqlite")
    store.save(town, file)
    found = store.load(file, "town").results["hotspots"].frame.geometry
    assert found.isna().tolist() == [True, False]
    assert found[1].equals(hotspots.geometry[1])


def test_layer_that_lost_its_geometry(make_town, tmp_path):
    hotspots = pd.DataFrame(make_town().results["hotspots"].frame.drop(columns="geometry"))
    error = _refused(make_town(results={"hotspots": hotspots}), tmp_path)
    assert error.key == "store.geometry"


def _moved(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.set_geometry(frame.translate(1e-9))


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.iloc[::-1].reset_index(drop=True),
        lambda frame: frame.iloc[:2],
        lambda frame: frame.drop(columns="address"),
        lambda frame: frame.assign(code=frame["code"] + "x"),
        _moved,
    ],
)
def test_result_that_changes_its_input(change, make_town, tmp_path):
    problems = change(make_town().results["problems"].frame)
    error = _refused(make_town(results={"problems": problems}), tmp_path)
    assert (error.key, error.params) == ("store.result_differs", {"layer": "problems"})


def test_value_that_json_cannot_hold(make_town, tmp_path):
    town = make_town()
    error = _refused(Analysed(town.city, town.results, {"x": {1, 2}}), tmp_path)
    assert (error.key, error.params["kind"]) == ("store.value", "set")


@pytest.mark.postgis
def test_crs_without_epsg_code(make_town, postgres_database, tmp_path, assert_same):
    town = make_town()
    local = pyproj.CRS.from_proj4("+proj=tmerc +lon_0=121.47 +k=1 +x_0=0 +y_0=-3457147.81 +units=m")
    layers = {
        name: frame.set_crs(local, allow_override=True) if "geometry" in frame else frame
        for name, frame in town.city.layers.items()
    }
    city = type(town.city)(**{**vars(town.city), "crs": local, "layers": layers})
    there = Analysed(city, {}, {})
    with pytest.raises(StoreError) as raised:
        store.save(there, postgres_database)
    assert raised.value.key == "store.no_srid"
    file = str(tmp_path / "city.sqlite")
    store.save(there, file)
    assert_same(store.load(file, "town"), there)


@pytest.mark.parametrize("name", ["gridmap_city", "Geometry", "CODE"])
def test_field_of_a_taken_name(name):
    layer = load_catalog().layer("roads")
    fields = {**layer.fields, name: layer.fields["name"]}
    with pytest.raises(StoreError) as raised:
        layer_table(sa.MetaData(), layer.model_copy(update={"fields": fields}))
    assert raised.value.key == "store.field_name"


def test_one_model_serves_both(tmp_path):
    pytest.importorskip("geoalchemy2")
    metadata = sa.MetaData()
    for layer in load_catalog().in_order:
        layer_table(metadata, layer, srid=4549)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'both.sqlite'}")
    metadata.create_all(engine)
    columns = sa.inspect(engine).get_columns("gridmap_grids")
    assert str(next(c["type"] for c in columns if c["name"] == "geometry")) == "BLOB"
    engine.dispose()


def test_the_tables_are_those_that_the_documentation_tells():
    metadata = sa.MetaData()
    cities = city_table(metadata)
    assert " ".join(str(CreateTable(cities)).split()) == (
        "CREATE TABLE gridmap_cities ( name TEXT NOT NULL, srid INTEGER, version TEXT NOT NULL, "
        "state JSON NOT NULL, PRIMARY KEY (name) )"
    )
    catalog = load_catalog()
    problems = layer_table(metadata, catalog.layer("problems"))
    fields = catalog.layer("problems").fields
    assert list(problems.columns.keys()) == [CITY, ROW, *fields, GEOMETRY]
    assert [column.name for column in problems.primary_key] == [CITY, ROW]
    assert all(problems.c[name].nullable for name in (*fields, GEOMETRY))
    comments = {name: problems.c[name].comment for name in fields}
    assert comments["opened"].endswith(f" / {fields['opened'].label.en}")
    assert comments["days_to_close"].endswith(f" [{fields['days_to_close'].unit}]")
    lines = layer_table(metadata, catalog.layer("roads"))
    assert list(lines.columns.keys())[-2:] == [SINGLE, GEOMETRY]
    assert [index.name for index in lines.indexes] == ["gridmap_roads_geometry"]
    plain = layer_table(metadata, catalog.layer("categories"))
    assert list(plain.columns.keys()) == [CITY, ROW, *catalog.layer("categories").fields]
    assert not plain.indexes


def test_infinite_figures(make_town, tmp_path):
    town = make_town()
    summary = {"a": np.inf, "b": -np.inf, "c": np.int64(3)}
    file = str(tmp_path / "city.sqlite")
    store.save(Analysed(town.city, {}, summary), file)
    assert store.load(file, "town").summary == {"a": np.inf, "b": -np.inf, "c": 3}
