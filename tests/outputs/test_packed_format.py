"""docs/packed.md is true: a reader that knows nothing else decodes what the writer packs."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import unpacking
from unpacking import Unpacked, read, unpack, varints

from gridmap.outputs.pages.packed import PackedPoints, PackedPolygons

ROOT = Path(__file__).parent.parent.parent
QUANTUM_M = 111.7  # with which a step is 0.001 degrees
KINDS = ["polygons", "points"]


def example(kind: str) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
    """Returns what the page of an example says, its bytes, and what a reader gets."""
    text = (ROOT / "docs" / "packed.md").read_text(encoding="utf-8")
    section = text.split("\n## An example: ")[1 + KINDS.index(kind)]
    config, held = (json.loads(found) for found in re.findall(r"```json\n(.*?)```", section, re.S))
    (listing,) = re.findall(r"```text\n(.*?)```", section, re.S)
    return config, dict(re.split(r"\s+", line, maxsplit=1) for line in listing.splitlines()), held


def packed_again(kind: str) -> PackedPolygons | PackedPoints:
    """Returns an element with the rows that the text of an example tells of."""
    if kind == "points":
        places = [shapely.Point(0.003, 0), None, shapely.Point(0, 0.002)]
        return PackedPoints(
            gpd.GeoDataFrame({"who": ["x", "y", "x"]}, geometry=places, crs=4326),
            times=np.array(["2024-03-01", "2024-03-02", "NaT"], dtype="datetime64[D]"),
            weights=[1, 2, 4],
            quantum_m=QUANTUM_M,
        )
    outer = [(0, 0), (0.002, 0), (0.004, 0), (0.004, 0.004), (0, 0.004)]
    hole = [(0.001, 0.001), (0.001, 0.003), (0.003, 0.001)]
    areas = [shapely.box(0.004, 0, 0.008, 0.004), None, shapely.Polygon(outer, [hole])]
    columns = {"code": ["B7", None, "A1"], "cases": pd.array([30, None, 10], dtype="Int64")}
    frame = gpd.GeoDataFrame(columns, geometry=areas, crs=4326)
    return PackedPolygons(frame, quantum_m=QUANTUM_M)


def rings_by_row(unpacked: Unpacked) -> list[Any]:
    rings = unpacked.rings_of()
    return [rings[feature] for feature in np.argsort(unpacked.rows)]


def points_by_row(unpacked: Unpacked) -> dict[str, list[Any]]:
    """Returns places on the lattice, days and weights, None without."""
    x, y = (np.cumsum(unpacking.zigzag(varints(unpacked.streams[name]))) for name in "xy")
    rows = np.cumsum(unpacking.zigzag(varints(unpacked.streams["row"]))).tolist()
    days = varints(unpacked.streams["day"]).tolist()
    weights = varints(unpacked.streams["weight"]).tolist()
    points = zip(rows, zip(x.tolist(), y.tolist(), strict=True), days, weights, strict=False)
    found: dict[str, list[Any]] = {name: [None] * 3 for name in ("places", "days", "weights")}
    for row, place, day, weight in points:
        found["places"][row] = list(place)
        found["days"][row] = day - 1 if day else None
        found["weights"][row] = weight
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_bytes_of_an_example_are_those_of_its_text(kind: str) -> None:
    config, listing, _ = example(kind)
    streams = read(config, listing.pop("data")).streams
    assert {name: held.hex(" ") for name, held in streams.items()} == listing


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_gets_what_an_example_says(kind: str) -> None:
    config, listing, held = example(kind)
    unpacked = read(config, listing["data"])
    assert {name: unpacked.column(name) for name in held["columns"]} == held.pop("columns")
    found = points_by_row(unpacked) if kind == "points" else {"rings": rings_by_row(unpacked)}
    assert json.loads(json.dumps(found)) == held


@pytest.mark.parametrize("kind", KINDS)
def test_the_writer_makes_the_example(kind: str) -> None:
    config, listing, _ = example(kind)
    unpacked = unpack(packed_again(kind))
    written = unpacked.config
    assert [field["name"] for field in written["fields"]] == [
        field["name"] for field in config.pop("fields")
    ]
    assert {key: written[key] for key in config} == config
    # The bytes before they are deflated: zlib may do that as it likes.
    assert unpacked.streams == read(config, listing["data"]).streams


def test_the_reader_shares_nothing_with_the_writer() -> None:
    tree = ast.parse(Path(unpacking.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(imports) > 5
    assert not [node for node in imports if "gridmap" in ast.unparse(node)]
