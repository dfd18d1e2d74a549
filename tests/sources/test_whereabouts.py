"""Whether data lie where their city is."""

from pathlib import Path

import geopandas as gpd
import pyproj
import pytest
import shapely
from written_town import CASES, GRIDS, HEAD, ROW, read_town, reasons, write_town

from gridmap.errors import CrsError
from gridmap.sources import read_city
from gridmap.sources.whereabouts import far_from_zone


@pytest.mark.parametrize(
    ("lon", "lat", "zone", "key"),
    [
        (120.9, 30.7, "Asia/Shanghai", None),
        (75.9, 39.4, "Asia/Shanghai", None),
        (30.7, 59.0, "Asia/Shanghai", "far"),
        (40.4, -3.7, "Europe/Madrid", "swapped"),
        (-3.7, 40.4, "Europe/Madrid", None),
        (-71.1, 42.4, "America/New_York", None),
        (42.4, -71.1, "America/New_York", "swapped"),
        (151.2, -33.9, "Australia/Sydney", None),
        (40.4, -3.7, "Etc/UTC", None),
    ],
)
def test_a_city_far_from_its_time_zone_is_told(
    lon: float, lat: float, zone: str, key: str | None
) -> None:
    note = far_from_zone(lon, lat, zone)
    assert (note and note.key) == key


def test_exchanged_rows_are_told_from_those_outside(tmp_path: Path) -> None:
    # In Spain both orders are degrees of somewhere.
    spain = HEAD.replace("Asia/Shanghai", "Europe/Madrid")
    write_town(tmp_path, [], spain + GRIDS + CASES)
    square = shapely.box(-3.7, 40.4, -3.69, 40.41)
    frame = gpd.GeoDataFrame({"code": ["g1"]}, geometry=[square], crs=4326)
    frame.to_file(tmp_path / "grids.geojson")
    at = ("-3.695,40.405", "40.405,-3.695", "-3.5,41")
    rows = [f"{number},litter,2025-03-01 08:00,,,{place}" for number, place in enumerate(at)]
    head = "id,kind,from,due,to,lon,lat\n"
    (tmp_path / "cases.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    assert reasons(read_city(tmp_path)) == {"swapped": 1, "outside": 1}
    (tmp_path / "cases.csv").write_text(head + rows[1] + "\n", encoding="utf-8")
    with pytest.raises(CrsError, match="exchange x and y"):
        read_city(tmp_path)


def test_a_place_at_nought_is_none(tmp_path: Path) -> None:
    city = read_town(tmp_path, [ROW, "2,litter,2025-03-01,,,0,0", "3,litter,2025-03-01,,,0.0,-0"])
    assert reasons(city) == {"no_place": 2}


def test_no_way_to_degrees_is_looked_for_where_all_lies_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_town(tmp_path, [ROW])
    read_city(tmp_path)  # whose ways geopandas keeps

    def looked_for(*_: object, **__: object) -> None:
        raise AssertionError("PROJ takes a tenth of a second to find a way")

    monkeypatch.setattr(pyproj.Transformer, "from_crs", looked_for)
    assert len(read_city(tmp_path).frame("problems")) == 1
