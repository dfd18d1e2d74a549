"""What holds on both back ends: what is loaded equals what was saved."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from gridmap import store
from gridmap.catalog import Catalog, load_catalog
from gridmap.errors import StoreError
from gridmap.store import rows

pytest_plugins = ("postgres",)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgis)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_database")
    return str(tmp_path / "城市.sqlite")


@pytest.fixture
def own_catalog(tmp_path: Path) -> Catalog:
    """A catalogue with a field more, whose name asks to be quoted."""
    folder = tmp_path / "own" / "layers"
    folder.mkdir(parents=True)
    field = 'type = "integer"\nlabel = { en = "Extra", zh = "附" }\n'
    field += 'description = { en = "Extra", zh = "附" }\nderived = true\n'
    (folder / "hotspots.toml").write_text(f"[fields.\"附 'a' %(b)s\"]\n{field}", encoding="utf-8")
    return load_catalog(folder.parent)


def test_round_trip(url, make_town, assert_same):
    told = []
    town = make_town()
    store.save(town, url, progress=told.append)
    assert_same(store.load(url, "town"), town)
    assert told == ["roads", "problems", "grids", "categories", "hotspots", "problem_zones", "gaps"]


def test_second_save_replaces(url, make_town, make_frame, assert_same):
    store.save(make_town(), url)
    catalog = load_catalog()
    later = make_town()
    roads = make_frame(catalog, "roads", ["LINESTRING (0 0, 7 7)"], code=["only"])
    piles = make_frame(catalog, "piles", ["POINT (1 2)"], derived=True, code=["p"])
    later = make_town(layers={"roads": roads}, results={"piles": piles})
    store.save(later, url)
    assert_same(store.load(url, "town"), later)


def test_layers_that_are_gone_leave_no_rows(url, make_town):
    town = make_town()
    store.save(town, url)
    results = {name: town.results[name] for name in ("problems",)}
    store.save(type(town)(town.city, results, town.summary), url)
    assert list(store.load(url, "town").results) == ["problems"]
    assert _count(url, "gridmap_hotspots") == 0
    assert _count(url, "gridmap_problems") == 3


def test_two_cities(url, make_town, assert_same):
    first, second = make_town("b_town"), make_town("a_town")
    store.save(first, url)
    store.save(second, url)
    assert store.cities(url) == ["a_town", "b_town"]
    assert_same(store.load(url, "b_town"), first)
    assert_same(store.load(url, "a_town"), second)


def test_saving_a_city_again_leaves_the_others(url, make_town, assert_same):
    first, second = make_town("a_town"), make_town("b_town")
    for town in (first, second, first):
        store.save(town, url)
    assert store.cities(url) == ["a_town", "b_town"]
    assert_same(store.load(url, "a_town"), first)
    assert_same(store.load(url, "b_town"), second)


def test_rows_come_back_in_their_order_however_they_lie(url, make_town, assert_same):
    town = make_town()
    store.save(town, url)
    _run(
        url,
        "ALTER TABLE gridmap_problems RENAME TO kept",
        "CREATE VIEW gridmap_problems AS SELECT * FROM kept ORDER BY code DESC",
    )
    assert_same(store.load(url, "town"), town)


def test_a_save_that_fails_leaves_no_new_table(url, make_town, make_frame):
    store.save(make_town(), url)
    piles = make_frame(load_catalog(), "piles", ["POINT (1 2)"], derived=True, code=["p"])

    def fail(layer: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save(make_town("other", results={"piles": piles}), url, progress=fail)
    engine = _engine(url)
    names = sa.inspect(engine).get_table_names()
    engine.dispose()
    assert "gridmap_problems" in names
    assert "gridmap_piles" not in names


def test_many_rows_are_numbered_through(url, make_town, make_frame, assert_same, monkeypatch):
    monkeypatch.setattr(rows, "_CHUNK_ROWS", 2)
    town = make_town()  # of three problems
    store.save(town, url)
    assert_same(store.load(url, "town"), town)
    numbers = _rows(url, "gridmap_problems")
    assert sorted(row[1] for row in numbers) == ["0", "1", "2"]


def test_a_database_of_somebody_else_has_no_city(url):
    _run(url, "CREATE TABLE other (x INTEGER)")
    assert store.cities(url) == []
    with pytest.raises(StoreError) as raised:
        store.load(url, "town")
    assert raised.value.key == "store.no_city"
    assert raised.value.params == {"city": "town", "known": "-"}


def test_a_layer_that_the_catalogue_has_not(url, make_town):
    town = make_town()
    store.save(town, url)
    catalog = load_catalog()
    layers = {name: layer for name, layer in catalog.layers.items() if name != "hotspots"}
    with pytest.raises(StoreError) as raised:
        store.load(url, "town", Catalog(layers=layers, maps={}))
    assert raised.value.key == "store.catalogue"
    assert raised.value.params == {"city": "town", "name": "hotspots"}


def test_same_city_same_state(url, make_town):
    store.save(make_town(), url)
    before = _rows(url, "gridmap_cities")
    store.save(make_town(), url)
    assert _rows(url, "gridmap_cities") == before


def test_failure_in_the_middle_leaves_what_was_there(url, make_town, assert_same):
    town = make_town()
    store.save(town, url)

    def fail(layer: str) -> None:
        if layer == "hotspots":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save(make_town(), url, progress=fail)
    with pytest.raises(KeyboardInterrupt):
        store.save(make_town("other"), url, progress=fail)
    assert store.cities(url) == ["town"]
    assert_same(store.load(url, "town"), town)


def test_no_city(url, make_town):
    store.save(make_town(), url)
    with pytest.raises(StoreError) as raised:
        store.load(url, "atlantis")
    assert raised.value.key == "store.no_city"
    assert raised.value.params == {"city": "atlantis", "known": "town"}


def test_own_field(url, make_town, assert_same, own_catalog):
    town = make_town(catalog=own_catalog)
    hotspots = town.results["hotspots"].frame
    hotspots["附 'a' %(b)s"] = pd.Series([1, None], dtype="Int64")
    store.save(town, url)
    assert_same(store.load(url, "town", own_catalog), town)
    with pytest.raises(StoreError) as raised:
        store.load(url, "town")
    assert raised.value.key == "store.catalogue"


def test_table_without_the_field(url, make_town, assert_same, own_catalog):
    town = make_town()
    store.save(town, url)
    with pytest.raises(StoreError) as raised:
        store.save(make_town("other", catalog=own_catalog), url)
    assert raised.value.key == "store.column_missing"
    assert raised.value.params["layer"] == "hotspots"
    assert raised.value.params["field"] == "附 'a' %(b)s"
    assert_same(store.load(url, "town"), town)


def test_column_of_another_type(url, make_town):
    store.save(make_town(), url)
    _run(
        url,
        "DROP TABLE gridmap_roads",
        "CREATE TABLE gridmap_roads (gridmap_city TEXT, gridmap_row BIGINT, "
        "code BIGINT, name TEXT)",
    )
    with pytest.raises(StoreError) as raised:
        store.save(make_town(), url)
    assert raised.value.key == "store.column_type"
    assert raised.value.params["field"] == "code"


def test_empty_store(url, make_town):
    if url.startswith("postgresql"):
        assert store.cities(url) == []
    with pytest.raises(StoreError) as raised:
        store.load(url, "town")
    assert raised.value.key in ("store.no_city", "store.no_file")


def _run(url: str, *statements: str) -> None:
    engine = _engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def _engine(url: str) -> sa.Engine:
    if url.startswith("postgresql"):
        return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    return sa.create_engine(sa.URL.create("sqlite", database=url))


def _rows(url: str, table: str) -> list[tuple[object, ...]]:
    engine = _engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()  # noqa: S608
    engine.dispose()
    return [tuple(map(str, row)) for row in rows]


def _count(url: str, table: str) -> int:
    return len(_rows(url, table))
