"""What PostGIS users meet: typed geometry, an index, comments, and what the server may refuse."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from gridmap import store
from gridmap.errors import StoreError
from gridmap.store.connection import transaction
from gridmap.store.database import _LOCK

pytest_plugins = ("postgres",)
pytestmark = pytest.mark.postgis
psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def connection(postgres_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_database, autocommit=True) as opened:
        yield opened


def test_geometry_has_type_and_srid(postgres_database, connection, make_town):
    store.save(make_town(), postgres_database)
    found = connection.execute(
        "SELECT f_table_name, f_geometry_column, coord_dimension, srid, type FROM geometry_columns"
    ).fetchall()
    assert sorted(found) == [
        ("gridmap_gaps", "geometry", 2, 4549, "MULTIPOLYGON"),
        ("gridmap_grids", "geometry", 2, 4549, "MULTIPOLYGON"),
        ("gridmap_hotspots", "geometry", 2, 4549, "MULTIPOLYGON"),
        ("gridmap_problems", "geometry", 2, 4549, "POINT"),
        ("gridmap_roads", "geometry", 2, 4549, "MULTILINESTRING"),
    ]


def test_geometry_can_be_asked(postgres_database, connection, make_town):
    store.save(make_town(), postgres_database)
    found = connection.execute(
        "SELECT code, ST_Area(geometry) FROM gridmap_grids ORDER BY gridmap_row"
    ).fetchall()
    assert found == [
        ("g2", pytest.approx(8009)),
        ("g1", pytest.approx(13009)),
        ("g3", pytest.approx(0.5)),
    ]


def test_geometry_is_indexed_once(postgres_database, connection, make_town):
    store.save(make_town(), postgres_database)
    found = connection.execute(
        "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%USING gist (geometry)'"
    ).fetchall()
    layers = ("gaps", "grids", "hotspots", "problems", "roads")
    assert sorted(found) == [(f"gridmap_{layer}_geometry",) for layer in layers]


def test_labels_are_comments(postgres_database, connection, make_town):
    store.save(make_town(), postgres_database)
    comment = "SELECT col_description('gridmap_problems'::regclass, attnum) FROM pg_attribute "
    comment += "WHERE attrelid = 'gridmap_problems'::regclass AND attname = %s"
    assert connection.execute(comment, ["overdue"]).fetchone() == (
        "超期（含逾期结案） / Overdue or closed late",
    )
    assert connection.execute(comment, ["days_to_close"]).fetchone() == (
        "结案天数 / Days to close [d]",
    )
    table = connection.execute("SELECT obj_description('gridmap_problems'::regclass)").fetchone()
    assert table == ("问题点 / Problem points",)


def test_state_can_be_asked(postgres_database, connection, make_town):
    store.save(make_town(), postgres_database)
    found = connection.execute(
        "SELECT srid, state->'title'->>'zh', state->'summary'->>'rows_in' FROM gridmap_cities"
    ).fetchone()
    assert found == (4549, "小镇", "5")


def test_another_srid(postgres_database, make_town, assert_same):
    town = make_town()
    store.save(town, postgres_database)
    for name in ("other", "town"):
        with pytest.raises(StoreError) as raised:
            store.save(make_town(name, crs=32651), postgres_database)
        assert raised.value.key == "store.srid"
        assert raised.value.params == {"srid": 32651, "city": "town", "found": 4549}
    assert_same(store.load(postgres_database, "town"), town)


def test_table_left_with_another_srid(postgres_database, connection, make_town):
    store.save(make_town(), postgres_database)
    connection.execute("DELETE FROM gridmap_cities")
    with pytest.raises(StoreError) as raised:
        store.save(make_town(crs=32651), postgres_database)
    assert raised.value.key == "store.column_type"
    assert raised.value.params["field"] == "geometry"


def test_no_control_character_is_stored(postgres_database, make_town):
    grids = make_town().city.layers["grids"].copy()
    grids["name"] = pd.Series([None, "a\0b", "c\x1b[31m"], dtype="string")
    store.save(make_town(layers={"grids": grids}), postgres_database)
    names = store.load(postgres_database, "town").city.frame("grids")["name"]
    assert names[1:].to_list() == ["ab", "c"]


def test_one_save_at_a_time(postgres_database, connection, make_town):
    free = []

    def ask(_: str) -> None:
        free.append(connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone())

    store.save(make_town(), postgres_database, progress=ask)
    assert set(free) == {(False,)}
    assert connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone() == (True,)


def test_a_city_is_read_as_of_one_moment(postgres_database, make_town):
    store.save(make_town(), postgres_database)
    count = "SELECT count(*) FROM gridmap_problems"
    with transaction(postgres_database, write=False) as reading:
        before = reading.exec_driver_sql(count).scalar()
        store.save(make_town("other"), postgres_database)
        assert reading.exec_driver_sql(count).scalar() == before == 3
    with transaction(postgres_database, write=True) as writing:
        assert writing.exec_driver_sql(count).scalar() == 6
        assert writing.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"


def test_a_database_that_does_not_answer_is_not_waited_for(postgres_database):
    ask = "SHOW transaction_isolation"
    for url, seconds in (
        (postgres_database, "10"),
        (f"{postgres_database}?connect_timeout=3", "3"),
    ):
        with transaction(url, write=False) as reading:
            told = reading.connection.driver_connection.info.get_parameters()
            assert told["connect_timeout"] == seconds
            assert reading.exec_driver_sql(ask).scalar() == "repeatable read"


def test_no_right_to_add_postgis(postgres_database, connection, make_town):
    user = postgres_database.rsplit("/", 1)[1].replace("gridmap_test", "guest")
    connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'S3cret'")
    connection.execute(f"GRANT ALL ON SCHEMA public TO {user}")
    try:
        scheme, rest = postgres_database.split("//")
        url = f"{scheme}//{user}:S3cret@{rest.rsplit('@', 1)[-1]}"
        with pytest.raises(StoreError) as raised:
            store.save(make_town(), url)
        assert raised.value.key == "store.no_postgis"
        assert "permission denied" in str(raised.value)
        connection.execute("CREATE EXTENSION postgis")
        store.save(make_town(), url)
        assert store.cities(url) == ["town"]
        connection.execute(f"REVOKE ALL ON gridmap_cities FROM {user}")
        connection.execute("ALTER TABLE gridmap_cities OWNER TO CURRENT_USER")
        with pytest.raises(StoreError) as raised:
            store.cities(url)
        assert raised.value.key == "store.failed"
        assert "S3cret" not in str(raised.value)
    finally:
        connection.execute(f"DROP OWNED BY {user}")
        connection.execute(f"DROP ROLE {user}")


def test_values_that_copy_could_take_for_others(postgres_database, make_town, assert_same):
    town = make_town()
    hotspots = town.results["hotspots"].frame.copy()
    hotspots["count"] = pd.Series([2**62, -1], dtype="int64")
    hotspots["z"] = pd.Series([3, None], dtype="Int64")
    town = make_town(results={"hotspots": hotspots})
    store.save(town, postgres_database)
    assert_same(store.load(postgres_database, "town"), town)
