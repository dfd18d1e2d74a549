"""A small city, made by hand, with everything that is hard to store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from pandas.testing import assert_frame_equal

from gridmap.catalog import Catalog, Text, load_catalog
from gridmap.model import City, Receipt
from gridmap.result import Analysed, Result

ZONE = "America/New_York"
DTYPES = {
    "string": "string",
    "category": "string",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "datetime": f"datetime64[us, {ZONE}]",
}

MakeTown = Callable[..., Analysed]
MakeFrame = Callable[..., pd.DataFrame]
AssertSame = Callable[[Analysed, Analysed], None]


def frame_of(
    catalog: Catalog,
    layer: str,
    shapes: Sequence[str] | None,
    *,
    derived: bool = False,
    crs: int = 4549,
    **values: Sequence[Any],
) -> pd.DataFrame:
    """Return a frame of a layer; fields that are not given are empty."""
    record = catalog.layer(layer)
    rows = len(next(iter(values.values())))
    columns = {}
    for name, field in (record.fields if derived else record.inputs).items():
        given = pd.Series(values.get(name, [None] * rows), dtype=object)
        if field.type == "datetime":
            given = pd.to_datetime(given, utc=True, format="ISO8601")
        columns[name] = given.astype(DTYPES[field.type])
    if shapes is None:
        return pd.DataFrame(columns)
    return gpd.GeoDataFrame(columns, geometry=list(shapely.from_wkt(shapes)), crs=crs)


def _city(catalog: Catalog, name: str, crs: int) -> City:
    hole = "(0 0, 90.1 0, 90.1 90, 0 90, 0 0), (10 10, 20 10, 20 20, 10 20, 10 10)"
    problems = frame_of(
        catalog,
        "problems",
        ["POINT (0.1 0.2)", "POINT (500000.123456789 3400000.3)", "POINT (1e-300 -0.5)"],
        crs=crs,
        code=["乙", "甲", 'o\'Brien "x" 😀; DROP TABLE gridmap_cities --'],
        category=["垃圾", "road", "a\\b\t\n%s %(x)s :y"],
        opened=[
            "2024-11-03T05:59:59.999999Z",  # before and after the clocks go back
            "2024-11-03T06:30:00Z",
            "2024-03-10T06:59:00Z",
        ],
        closed=["2024-11-03T06:00:00Z", None, None],
        address=["", None, "  外环路 1 号 "],
    )
    grids = frame_of(
        catalog,
        "grids",
        [
            f"POLYGON ({hole})",
            f"MULTIPOLYGON (({hole}), ((200 200, 300 200, 250 300, 200 200)))",
            "MULTIPOLYGON (((400 400, 401 400, 400 401, 400 400)))",
        ],
        crs=crs,
        code=["g2", "g1", "g3"],
        level=["grid", "grid", "community"],
        members=[2**53 + 1, None, 0],
    )
    roads = frame_of(
        catalog,
        "roads",
        ["LINESTRING (0 0, 1 1, 2 0.5)", "MULTILINESTRING ((0 0, 1 1), (5 5, 6 7))"],
        crs=crs,
        code=["r1", "r2"],
    )
    categories = frame_of(catalog, "categories", None, code=["垃圾", "b"], minutes=[0.1, 1 / 3])
    rejected = pd.DataFrame(
        {
            "gridmap_row": [3, 9],
            "gridmap_reason": ["missing", "order:closed"],
            "gridmap_value": ["", "2024"],
            "经度": [np.nan, 121.1],
            "text": pd.Series([None, "nul \0 and 中文"], dtype="string"),
            "when": pd.to_datetime(["2024-03-10 01:00:00.5", None], format="ISO8601"),
            "aware": pd.to_datetime(
                pd.Series(["2024-01-01T00:00:00.5Z", "2024-07-01T00:00Z"]), format="ISO8601"
            ).dt.tz_convert(ZONE),
            "mixed": pd.Series([1, "x"], dtype=object),
            "flag": [True, False],
        }
    )
    return City(
        name=name,
        title=Text(en="Town", zh="小镇"),
        source=Text(en="made by hand", zh="手工"),
        crs=pyproj.CRS.from_epsg(crs),
        timezone=ZONE,
        as_of=dt.datetime(2024, 11, 3, 1, 30, tzinfo=ZoneInfo(ZONE), fold=1),
        layers={"roads": roads, "problems": problems, "grids": grids, "categories": categories},
        catalog=catalog,
        receipts=(
            Receipt("problems", "problems.csv", 5, 3, 2, 1, rejected),
            Receipt("grids", "city.gpkg/grids", 3, 3, 0),
        ),
        review_number="GS(2024)1号",
    )


def _results(city: City) -> dict[str, Result]:
    catalog = city.catalog
    problems = city.layers["problems"].assign(
        grid=pd.Series(["g1", None, "g2"], dtype="string"),
        state=pd.Series(["closed", "open", "open"], dtype="string"),
        overdue=pd.Series([True, None, False], dtype="boolean"),
        days_to_close=[1e-7, np.nan, np.nan],
        pile=[False, True, False],
    )
    hotspots = frame_of(
        catalog,
        "hotspots",
        ["POLYGON ((0 0, 1 0, 1 1, 0 0))", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"],
        derived=True,
        crs=city.crs.to_epsg(),
        code=["g1", "g2"],
        count=[5, None],
        z=[1 / 3, -np.inf],
        hotspot=["hot", "none"],
    )
    pairs = frame_of(catalog, "problem_zones", None, derived=True, problem=["甲"], zone=["z1"])
    gaps = frame_of(
        catalog, "gaps", ["POLYGON ((0 0, 1 0, 1 1, 0 0))"], derived=True, crs=city.crs.to_epsg(),
        code=["gaps-1"],
    ).iloc[:0]  # fmt: skip
    frames = {"problems": problems, "hotspots": hotspots, "problem_zones": pairs, "gaps": gaps}
    settings = {"alpha": 0.05, "bandwidth_m": None, "kinds": ("警区", "b"), "nested": {"a": [1]}}
    return {
        name: Result(catalog.layer(name), frame, f"方法 {name}", settings, "0.0.9")
        for name, frame in frames.items()
    }


@pytest.fixture(scope="session")
def make_town() -> MakeTown:
    """Makes the city: `make_town(name, crs=..., catalog=..., layers=..., results=...)`."""

    def make(
        name: str = "town",
        *,
        crs: int = 4549,
        catalog: Catalog | None = None,
        layers: dict[str, pd.DataFrame] | None = None,
        results: dict[str, pd.DataFrame] | None = None,
    ) -> Analysed:
        city = _city(catalog or load_catalog(), name, crs)
        made = _results(city)
        for layer, frame in (results or {}).items():
            made[layer] = Result(city.catalog.layer(layer), frame, "")
        city = replace(city, layers={**city.layers, **(layers or {})})
        summary = {"rows_in": 5, "share": 0.1, "median_days": np.nan, "gini": np.float64(0.25)}
        return Analysed(city, made, summary)

    return make


@pytest.fixture(scope="session")
def make_frame() -> MakeFrame:
    """Makes a frame of a layer, see `frame_of`."""
    return frame_of


def _same_frames(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    assert type(found) is type(wanted)
    assert list(found.columns) == list(wanted.columns)
    if "geometry" in wanted.columns:
        assert found.crs == wanted.crs
        assert found.geometry.to_wkb().tolist() == wanted.geometry.to_wkb().tolist()
    plain = [name for name in wanted.columns if name != "geometry"]
    assert_frame_equal(pd.DataFrame(found[plain]), pd.DataFrame(wanted[plain]), check_exact=True)


def _same(found: Analysed, wanted: Analysed) -> None:
    wanted = wanted.shown()  # a store holds no more
    for fact in ("name", "title", "source", "crs", "timezone", "as_of", "review_number"):
        assert getattr(found.city, fact) == getattr(wanted.city, fact), fact
    assert found.city.as_of.utcoffset() == wanted.city.as_of.utcoffset()
    assert list(found.city.layers) == list(wanted.city.layers)
    for name, frame in wanted.city.layers.items():
        _same_frames(found.city.layers[name], frame)
    assert found.city.receipts == wanted.city.receipts
    for ours, theirs in zip(found.city.receipts, wanted.city.receipts, strict=True):
        assert_frame_equal(ours.rejected, theirs.rejected, check_exact=True)
    assert list(found.results) == list(wanted.results)
    for name, result in wanted.results.items():
        ours = found.results[name]
        _same_frames(ours.frame, result.frame)
        assert ours.layer == result.layer
        assert (ours.method, ours.version) == (result.method, result.version)
        assert dict(ours.parameters) == dict(result.parameters)
    assert list(found.summary.items())[:2] == list(wanted.summary.items())[:2]
    pd.testing.assert_series_equal(pd.Series(found.summary), pd.Series(wanted.summary))


@pytest.fixture(scope="session")
def assert_same() -> AssertSame:
    """Asserts that two cities with their results are equal, to the bit."""
    return _same
