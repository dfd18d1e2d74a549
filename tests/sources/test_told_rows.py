"""What becomes of rows as offices write them: what is read of each, or why it is set aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from told import plain, table_lines, tells
from written_town import HEAD

from gridmap.errors import GridmapError
from gridmap.model import City
from gridmap.sources import read_city

GRIDS = '[[inputs]]\nlayer = "grids"\npath = "grids.geojson"\nconstants = { level = "grid" }\n'
CASES = """[[inputs]]
layer = "problems"
path = "{path}"
crs = "{crs}"
x = "lon"
y = "lat"
columns = {{ code = "id", category = "kind", opened = "from", due = "due", closed = "to" }}
"""
USUAL = ("litter", "2025-03-01 08:00", "2025-03-02 08:00", "2025-03-01 20:00", "120.905", "30.705")
# Each is a row but for its code, some of whose cells are not as usual: kind, from, due, to, x, y.
TIMES = (
    "2025/3/1 8:05", "2025年3月1日 8时5分", "2025.03.01 08:05:30", "20250301 080530", "20250301",
    "01/03/2025 08:00", "3/1/2025 8:00 PM", "2025-03-01T08:00:00Z", "2025-03-01T08:00+05:30",
    "45717.3368", "1740787200", "1740787200000", "2025-02-30 08:00", "25-3-1 8:00", "上午 8:00",
    "2025-03-01 上午8:05", "2025-03-01 下午8:05", "March 1, 2025 8:05", "1 Mar 2025", "8:00", "0",
    "2025-13-01", "1899-12-30", "2199-01-01", " 2025-03-01 08:00 ", "２０２５-03-01 08:00",
    "2025-03-01 24:00", "2025-03-01 08:00:00.123456",
)  # fmt: skip
PLACES = (
    ("120,905", "30,705"), ("120°54'18\"E", "30°42'18\"N"), ("30.705", "120.905"), ("0", "0"),
    ("120.905", ""), ("-120.905", "30.705"), ("120.905E", "30.705N"), ("1209.05", "30.705"),
    ("121.5", "30.705"), ("120.92", "30.705"), ("nan", "30.7"), ("inf", "30.7"), ("12o.9", "30.7"),
    ("东经120.905", "北纬30.705"), ("120.905°", "30.705°"), ("１２０.905", "30.705"),
)  # fmt: skip
CODES = ("", " A 1 ", "Ａ１", "A1", "3.30499E+17", "330499001001001001", "1.0", "a\u200bb", "楼１",
         "007", "NULL", "无", "-")  # fmt: skip


def rows() -> Iterator[tuple[str, ...]]:
    kind, opened, due, closed, x, y = USUAL
    yield from ((f"t{k}", kind, time, "", "", x, y) for k, time in enumerate(TIMES))
    yield from ((f"u{k}", kind, opened, time, "", x, y) for k, time in enumerate(TIMES))
    yield from ((f"p{k}", kind, opened, due, closed, *at) for k, at in enumerate(PLACES))
    yield from ((code, *USUAL) for code in CODES)
    yield ("k1", "", opened, due, closed, x, y)
    yield ("k2", " lit\tter ", opened, due, "2025-03-01 07:59", x, y)
    yield ("k3", kind, opened, "2025-02-01", "2025-03-01 08:00", x, y)
    yield ("k3", *USUAL)


def squares() -> gpd.GeoDataFrame:
    def at(x: float) -> shapely.Polygon:
        return shapely.box(120.9 + x, 30.7, 120.91 + x, 30.71)

    shapes = [at(0), at(0.01)]
    return gpd.GeoDataFrame({"code": ["g1", "g2"]}, geometry=shapes, crs=4326)


def text_of(separator: str, head: str = "") -> str:
    lines = [("id", "kind", "from", "due", "to", "lon", "lat"), *rows()]
    quoted = (separator.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line)
              for line in lines)  # fmt: skip
    return head + "\n".join(quoted) + "\n"


def city_lines(city: City) -> Iterator[str]:
    yield f"{city.crs.to_epsg()} {city.as_of} {city.levels}"
    for each in city.receipts:
        yield (f"{each.layer} {each.source}: {each.rows} rows, {each.placed} placed, "
               f"{each.quarantined} set aside, {each.repaired} repaired, {each.mended} mended, "
               f"{each.stale} stale")  # fmt: skip
        yield from (f"{lang}: {note.text(lang)}" for note in each.notes for lang in ("en", "zh"))
        yield from (plain(line) for line in table_lines(each.rejected))
    for name, frame in city.layers.items():
        some = frame.dropna(axis="columns", how="all")
        yield from (f"== {name}", *table_lines(some))


FORMS: dict[str, tuple[str, bytes, str]] = {
    "comma": ("cases.csv", text_of(",").encode(), "EPSG:4326"),
    "wide": ("cases.tsv", text_of("\t", "Cases of March\n\n").encode("utf-16"), "EPSG:4490"),
    "gbk": ("cases.csv", text_of(";").encode("gb18030"), "GCJ-02"),
    "baidu": ("cases.txt", text_of("|").encode("utf-8-sig"), "BD-09"),
}


@pytest.mark.parametrize("name", FORMS)
def test_rows_of_a_text_file(name: str, tmp_path: Path) -> None:
    path, data, crs = FORMS[name]
    (tmp_path / path).write_bytes(data)
    squares().to_file(tmp_path / "grids.geojson")
    text = HEAD + "as_of = 2025-06-01T00:00:00\n" + GRIDS + CASES.format(path=path, crs=crs)
    (tmp_path / "city.toml").write_text(text, encoding="utf-8")
    tells(f"rows/{name}", "\n".join(city_lines(read_city(tmp_path))))


SHAPES = {
    "good": shapely.box(120.9, 30.7, 120.91, 30.71),
    "bow": shapely.Polygon([(120.91, 30.7), (120.92, 30.71), (120.92, 30.7), (120.91, 30.71)]),
    "empty": shapely.Polygon(), "none": None,
    "point": shapely.Point(120.9, 30.7),
    "line": shapely.LineString([(120.9, 30.7), (120.91, 30.7)]),
    "high": shapely.force_3d(shapely.box(120.92, 30.7, 120.93, 30.71), 7),
    "thin": shapely.box(120.9, 30.7, 120.9, 30.71),
    "swapped": shapely.box(30.7, 60, 30.71, 61),
    "far": shapely.box(121.9, 30.7, 121.91, 30.71),
    "parts": shapely.MultiPolygon([shapely.box(120.93, 30.7, 120.94, 30.71),
                                   shapely.box(120.95, 30.7, 120.96, 30.71)]),
    "mixed": shapely.GeometryCollection([shapely.box(120.96, 30.7, 120.97, 30.71),
                                         shapely.Point(120.9, 30.7)]),
}  # fmt: skip


def shapes_frame() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"code": [*SHAPES], "n": ["1", "2.0", "x", "", "-3", "1e2", "4.5", "9", "5", "6", "7", "8"],
         "name": [f" Name {k} " for k in range(len(SHAPES))]},
        geometry=[*SHAPES.values()], crs=4326,
    )  # fmt: skip


@pytest.mark.parametrize("layer", ["buildings", "roads", "places"])
def test_shapes_of_every_kind(layer: str, tmp_path: Path) -> None:
    (tmp_path / "shapes.geojson").write_text(shapes_frame().to_json(na="null"), encoding="utf-8")
    squares().to_file(tmp_path / "grids.geojson")
    field = {"buildings": "occupied", "roads": "speed_kmh", "places": "risk"}[layer]
    text = f'{HEAD}{GRIDS}[[inputs]]\nlayer = "{layer}"\npath = "shapes.geojson"\n'
    text += f'columns = {{ {field} = "n" }}\n'
    text += 'constants = { kind = "shop" }\n' if layer != "roads" else ""
    (tmp_path / "city.toml").write_text(text, encoding="utf-8")
    tells(f"rows/shapes_{layer}", "\n".join(city_lines(read_city(tmp_path))))


def test_rows_that_are_joined_dissolved_and_mended(tmp_path: Path) -> None:
    parts = pd.concat([squares(), squares().assign(geometry=squares().translate(0.02))])
    gpd.GeoDataFrame(parts, crs=4326).to_file(tmp_path / "grids.geojson")
    joined = pd.DataFrame({"grid": ["g1", "g3"], "n": ["12", "7"], "code": ["x", "y"]})
    joined.to_csv(tmp_path / "n.csv", index=False)
    text = HEAD + GRIDS.replace(
        "constants",
        'dissolve = true\ncolumns = { households = "n" }\n'
        'join = { path = "n.csv", left = "code", right = "grid" }\nconstants',
    )
    text += CASES.format(path="cases.csv", crs="EPSG:4326")
    (tmp_path / "cases.csv").write_text(text_of(","), encoding="utf-8")
    (tmp_path / "city.toml").write_text(text, encoding="utf-8")
    tells("rows/joined", "\n".join(list(city_lines(read_city(tmp_path)))[:60]))


MISTAKES = {
    "no_column": ("lon", "longitude"), "no_file": ('path = "cases.csv"', 'path = "none.csv"'),
    "no_system": ("EPSG:4326", "EPSG:0"), "metres": ("EPSG:4326", "EPSG:4549"),
    "far": ("EPSG:4326", "EPSG:3857"),
    "no_field": ("due =", "dues ="), "swapped": ('x = "lon"\ny = "lat"', 'x = "lat"\ny = "lon"'),
    "zone": ("Asia/Shanghai", "Asia/Shangai"), "away": ("Asia/Shanghai", "America/New_York"),
}  # fmt: skip


def test_mistakes_of_a_city_file(tmp_path: Path) -> None:
    lines = []
    for name, (right, wrong) in MISTAKES.items():
        folder = tmp_path / name
        folder.mkdir()
        squares().to_file(folder / "grids.geojson")
        (folder / "cases.csv").write_text(text_of(","), encoding="utf-8")
        text = HEAD + GRIDS + CASES.format(path="cases.csv", crs="EPSG:4326")
        assert right in text
        (folder / "city.toml").write_text(text.replace(right, wrong), encoding="utf-8")
        try:
            said = [note.text("en") for each in read_city(folder).receipts for note in each.notes]
        except GridmapError as error:
            said = [error.text("en"), error.text("zh")]
        lines += [f"== {name}", *(line.replace(str(folder), "FOLDER") for line in said)]
    tells("rows/mistakes", "\n".join(lines))
