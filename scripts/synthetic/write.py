"""Writing the city in the mixed formats that departments hand over, byte for byte the same."""

from __future__ import annotations

import json
import logging
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely
import xlsxwriter

from synthetic.city import SyntheticCity
from synthetic.duties import HEADERS
from synthetic.row_defects import clean_rows, planted_rows

WRITTEN_AT = "2026-01-15T00:00:00.000Z"
CREATED = datetime(2026, 1, 15)
DEGREE_DECIMALS = 9
BUILDING_FIELDS = (
    "code",
    "name",
    "compound",
    "kind",
    "floors",
    "units",
    "households",
    "occupied",
    "geometry",
)
PLACE_HEADERS = ("编号", "名称", "类型", "风险等级", "经度", "纬度")
COUNTED = (
    "district",
    "streets",
    "communities",
    "grids",
    "buildings",
    "roads",
    "zones",
    "fronts",
    "places",
    "categories",
    "problems",
)

log = logging.getLogger("synthetic")


def made_with() -> dict[str, str]:
    """Versions of the libraries that the written bytes depend on."""
    return {
        "geopandas": gpd.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "pyarrow": pa.__version__,
        "pyogrio": pyogrio.__version__,
        "pyproj": pyproj.__version__,
        "shapely": shapely.__version__,
        "xlsxwriter": xlsxwriter.__version__,
        "gdal": pyogrio.__gdal_version_string__,
        "machine": platform.machine(),
    }


def _in_degrees(frame: gpd.GeoDataFrame, crs: str = "EPSG:4490") -> gpd.GeoDataFrame:
    """Project to longitude and latitude, to a tenth of a millimetre, shared nodes alike."""
    degrees = frame.to_crs("EPSG:4490")
    rounded = shapely.transform(
        degrees.geometry.to_numpy(), lambda xy: np.round(xy, DEGREE_DECIMALS)
    )
    # CGCS2000 and WGS 84 agree to the centimetre, so that CRS84 needs another name and no shift.
    return frame.set_geometry(gpd.GeoSeries(rounded, index=frame.index, crs=crs))


def _write_areas(city: SyntheticCity, path: Path, defects: bool) -> int:
    grids = city.grids_planted if defects else city.grids
    layers = {
        "district": city.district,
        "streets": city.streets,
        "communities": city.communities,
        "grids": grids,
    }
    for layer, frame in layers.items():
        _in_degrees(frame).to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
    return sum(len(frame) for frame in layers.values())


def _write_places(city: SyntheticCity, path: Path, _: bool) -> int:
    points = _in_degrees(city.places)
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": CREATED, "title": "点位"})
        sheet = book.add_worksheet("点位")
        sheet.write_row(0, 0, PLACE_HEADERS)
        for column, name in enumerate(("code", "name", "kind", "risk")):
            sheet.write_column(1, column, points[name].tolist())
        sheet.write_column(1, 4, np.round(points.geometry.x, 6).tolist())
        sheet.write_column(1, 5, np.round(points.geometry.y, 6).tolist())
    return len(points)


def _write_zones(city: SyntheticCity, path: Path, _: bool) -> int:
    _in_degrees(city.zones, "OGC:CRS84").to_file(
        path, driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION="7"
    )
    return len(city.zones)


def _write_problems(city: SyntheticCity, path: Path, defects: bool) -> int:
    rows = planted_rows(city.problems, city.hall) if defects else clean_rows(city.problems)
    rows.to_csv(path, index=False, encoding="gb18030", lineterminator="\n")
    return len(rows)


def _planted(city: SyntheticCity, *, defects: bool) -> dict[str, Any]:
    """Keep of the record what was written; hot spots and the dead corner always are."""
    record = dict(city.planted)
    if not defects:
        for key in ("gaps", "overlaps"):
            record[key] = []
        record["dirty_rows"] = {}
        for key in ("fallback_pile", "in_no_grid", "in_two_grids"):
            record[key] = {"count": 0, "ids": []}
    rows = {name: len(getattr(city, name)) for name in COUNTED}
    head = {"households": city.households, "random_state": city.random_state, "defects": defects}
    return {**head, "rows": rows, "made_with": made_with(), **record}


def _write_planted(city: SyntheticCity, path: Path, defects: bool) -> int:
    """Write one line for each entry of the record's first two levels."""
    record = _planted(city, defects=defects)
    lines = []
    for key, value in record.items():
        if isinstance(value, dict) and value:
            inner = ",\n".join(f"  {_json(k)}: {_json(v)}" for k, v in value.items())
            lines.append(f" {_json(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {_json(key)}: {_json(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return len(record)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _write_buildings(city: SyntheticCity, path: Path, _: bool) -> int:
    buildings = city.buildings[list(BUILDING_FIELDS)]
    buildings.to_parquet(path, index=False, compression="zstd")
    return len(buildings)


def _write_roads(city: SyntheticCity, path: Path, _: bool) -> int:
    _in_degrees(city.roads).to_file(path, driver="FlatGeobuf", engine="pyogrio")
    return len(city.roads)


def _write_categories(city: SyntheticCity, path: Path, _: bool) -> int:
    city.categories.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    return len(city.categories)


def _write_fronts(city: SyntheticCity, path: Path, _: bool) -> int:
    _in_degrees(city.fronts, "OGC:CRS84").to_file(
        path, driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION="8"
    )
    return len(city.fronts)


def _write_table(frame: pd.DataFrame, path: Path) -> int:
    frame.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    return len(frame)


def _write_registers(city: SyntheticCity, folder: Path) -> dict[str, int]:
    """Write the registers of responsibility and the log of cases, where the town has them."""
    if city.duties is None or city.ledger is None:
        return {}
    duties, ledger = city.duties, city.ledger
    events = ledger.events.assign(
        **{name: ledger.events[name].astype("category") for name in ("event", "by", "level")}
    )
    events.to_parquet(folder / "events.parquet", index=False, compression="zstd")
    tables = {
        "assignments.csv": duties.assignments.rename(columns=HEADERS),
        "organisations.csv": duties.organisations,
        "organisation_areas.csv": duties.organisation_areas,
        "declared.csv": duties.declared,
        "limits.csv": ledger.limits,
        "stops.csv": ledger.stops,
    }
    rows = {name: _write_table(frame, folder / name) for name, frame in tables.items()}
    return {"events.parquet": len(events), **rows}


WRITERS = {
    "areas.gpkg": _write_areas,
    "buildings.parquet": _write_buildings,
    "roads.fgb": _write_roads,
    "zones.geojson": _write_zones,
    "fronts.geojson": _write_fronts,
    "places.xlsx": _write_places,
    "problems.csv": _write_problems,
    "categories.csv": _write_categories,
    "planted.json": _write_planted,
}
REGISTERS = (
    "assignments.csv",
    "declared.csv",
    "events.parquet",
    "limits.csv",
    "organisation_areas.csv",
    "organisations.csv",
    "stops.csv",
)
FILES = (*WRITERS, *REGISTERS)


def write_sample(
    city: SyntheticCity, folder: str | Path, *, defects: bool = True
) -> dict[str, tuple[int, int]]:
    """Write the city's files; the same city gives the same bytes.

    Parameters
    ----------
    city : SyntheticCity
        What to write.
    folder : str or pathlib.Path
        Where to; made if missing, files of the same names are replaced, others stay.
    defects : bool
        Whether to write the planted defects of grids and problems, or exact data.

    Returns
    -------
    dict
        For each file its rows and bytes.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (target / name).unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": WRITTEN_AT})
    rows = {}
    try:
        for name, write in WRITERS.items():
            log.info("writing %s", name)
            rows[name] = write(city, target / name, defects)
        rows |= _write_registers(city, target)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    return {name: (count, (target / name).stat().st_size) for name, count in rows.items()}
