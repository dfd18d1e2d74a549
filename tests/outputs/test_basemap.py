"""What lies under a map: local tiles inside the page, online services named in its policy."""

from __future__ import annotations

import re
import sqlite3
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely
from browser import wait_until
from playwright.sync_api import expect

from gridmap.catalog import Basemap
from gridmap.crs import to_wgs84
from gridmap.errors import OutputError
from gridmap.outputs import draw
from gridmap.outputs.pages.basemap import Backdrop, LocalTiles, OnlineTiles, shifted
from gridmap.outputs.pages.page import page, save_page
from gridmap.outputs.pages.tiles import tiles_within
from gridmap.result import Analysed

if TYPE_CHECKING:
    from browser import OpenPage

BOUNDS = (121.0, 30.6, 121.2, 30.7)


def png(red: int) -> bytes:
    """Return a picture of 256 x 256 pixels in one colour."""
    rows = b"".join(b"\0" + bytes([red, 200, 60]) * 256 for _ in range(256))

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 256, 256, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    phi = np.radians(lat)
    y = (1 - np.log(np.tan(phi) + 1 / np.cos(phi)) / np.pi) / 2
    return int((lon + 180) / 360 * 2**zoom), int(y * 2**zoom)


def covering(zooms: range) -> dict[tuple[int, int, int], bytes]:
    tiles = {}
    for zoom in zooms:
        (left, top), (right, bottom) = tile_of(121.0, 30.7, zoom), tile_of(121.2, 30.6, zoom)
        for x in range(left - 1, right + 2):
            for y in range(top - 1, bottom + 2):
                tiles[zoom, x, y] = png(10 * zoom)
    return tiles


def folder_of(path: Path, tiles: dict[tuple[int, int, int], bytes]) -> Path:
    for (zoom, x, y), picture in tiles.items():
        file = path / str(zoom) / str(x) / f"{y}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
    return path


def mbtiles_of(path: Path, tiles: dict[tuple[int, int, int], bytes]) -> Path:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        rows = [(zoom, x, 2**zoom - 1 - y, data) for (zoom, x, y), data in tiles.items()]
        file.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    file.close()
    return path


def pmtiles_of(path: Path, tiles: dict[tuple[int, int, int], bytes]) -> Path:
    from pmtiles.tile import Compression, TileType, zxy_to_tileid  # noqa: PLC0415
    from pmtiles.writer import Writer  # noqa: PLC0415

    with path.open("wb") as file:
        writer = Writer(file)
        for zoom, x, y in sorted(tiles, key=lambda key: zxy_to_tileid(*key)):
            writer.write_tile(zxy_to_tileid(zoom, x, y), tiles[zoom, x, y])
        head = {
            "tile_type": TileType.PNG, "tile_compression": Compression.NONE,
            "min_zoom": 10, "max_zoom": 12,
            "min_lon_e7": int(120e7), "min_lat_e7": int(30e7),
            "max_lon_e7": int(122e7), "max_lat_e7": int(31e7),
            "center_zoom": 10, "center_lon_e7": int(121e7), "center_lat_e7": int(30e7),
        }  # fmt: skip
        writer.finalize(head, {})
    return path


def test_all_kinds_of_local_tiles_read_alike(tmp_path: Path) -> None:
    tiles = covering(range(10, 13))
    found = [
        tiles_within(path, BOUNDS, most_bytes=10_000_000)
        for path in (
            folder_of(tmp_path / "tiles", tiles),
            mbtiles_of(tmp_path / "city.mbtiles", tiles),
            pmtiles_of(tmp_path / "city.pmtiles", tiles),
        )
    ]
    assert found[0] == found[1] == found[2]
    assert found[0].deepest == 12
    x, y = tile_of(121.1, 30.65, 12)
    assert f"12/{x}/{y}" in found[0].urls
    assert not any(key.startswith("13/") for key in found[0].urls)


def test_near_zooms_that_do_not_fit_are_left_out(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "tiles", covering(range(10, 14)))
    whole = tiles_within(path, BOUNDS, most_bytes=10_000_000)
    some = tiles_within(path, BOUNDS, most_bytes=whole.size - 1)
    assert (whole.deepest, some.deepest) == (13, 12)
    assert set(some.urls) < set(whole.urls)
    with pytest.raises(OutputError, match="most_mb"):
        tiles_within(path, BOUNDS, most_bytes=10)


def test_wrong_tiles_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no \.mbtiles"):
        tiles_within(tmp_path / "missing.tif", BOUNDS, most_bytes=1)
    empty = folder_of(tmp_path / "elsewhere", {(3, 0, 0): png(1)})
    with pytest.raises(OutputError, match=r"no tile of 121\.0000"):
        tiles_within(empty, BOUNDS, most_bytes=1_000_000)
    broken = tmp_path / "broken.mbtiles"
    broken.write_bytes(b"no database" * 100)
    with pytest.raises(OutputError, match="MBTiles"):
        tiles_within(broken, BOUNDS, most_bytes=1)
    vector = dict.fromkeys(covering(range(10, 11)), b"\x1f\x8b tile")
    with pytest.raises(OutputError, match="raster"):
        tiles_within(folder_of(tmp_path / "v", vector), BOUNDS, most_bytes=1_000_000)


@pytest.mark.browser
def test_local_tiles_show_without_a_network(tmp_path: Path, open_page: OpenPage) -> None:
    path = folder_of(tmp_path / "tiles", covering(range(10, 13)))
    made = page(title="Tiles", bounds=BOUNDS)
    LocalTiles(path, BOUNDS, attribution="<b>Survey</b>").add_to(made)
    saved = save_page(made, tmp_path / "page.html")
    assert "https://" not in saved.read_text("utf-8")[:900]
    opened = open_page(saved)
    drawn = "[...document.querySelectorAll('img.leaflet-tile')].some((t) => t.naturalWidth)"
    wait_until(opened, drawn)
    expect(opened.locator(".leaflet-control-attribution")).to_have_text("<b>Survey</b>")


def test_an_online_service_lets_in_its_own_hosts_alone(tmp_path: Path) -> None:
    made = page(title="Online", bounds=BOUNDS)
    OnlineTiles("osm").add_to(made)
    head = save_page(made, tmp_path / "page.html").read_text("utf-8")[:900]
    assert "img-src data: blob: https://tile.openstreetmap.org;" in head
    assert len(re.findall("https?://", head)) == 1


def test_tiles_of_folium_itself_are_let_in(tmp_path: Path) -> None:
    made = page(title="Online", bounds=BOUNDS)
    folium.TileLayer("https://{s}.example.org/{z}/{x}/{y}.png", attr="Example").add_to(made)
    head = save_page(made, tmp_path / "page.html").read_text("utf-8")[:900]
    assert "https://*.example.org;" in head


@pytest.mark.browser
def test_a_page_that_needs_the_network_says_so(tmp_path: Path, open_page: OpenPage) -> None:
    made = page(title="Online", bounds=BOUNDS)
    OnlineTiles("amap").add_to(made)
    content = save_page(made, tmp_path / "online.html").read_text("utf-8")
    assert "autonavi" in content
    # Opened without the tiles themselves: the test may not ask a network.
    quiet = tmp_path / "quiet.html"
    without = re.sub(r"= gridmap\.onlineTiles\([^;]*;", "= L.layerGroup();", content)
    quiet.write_text(without, "utf-8")
    opened = open_page(quiet)
    expect(opened.locator(".gm-title")).to_contain_text("https://*.is.autonavi.com")


def test_tianditu_asks_for_a_key_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIANDITU_KEY", raising=False)
    with pytest.raises(OutputError, match="TIANDITU_KEY"):
        OnlineTiles("tianditu")
    monkeypatch.setenv("TIANDITU_KEY", "own-key")
    assert "tk=own-key" in OnlineTiles("tianditu")._arguments()
    with pytest.raises(OutputError, match="osm, tianditu, amap"):
        OnlineTiles("bing")


def test_what_lies_on_amap_is_shifted_and_comes_back() -> None:
    frame = gpd.GeoDataFrame(
        {"code": ["a"]}, geometry=[shapely.box(121.1, 30.65, 121.11, 30.66)], crs=4326
    )
    moved = shifted(frame.to_crs(4549), "amap")
    assert moved.crs == 4326
    assert 0.003 < moved.total_bounds[0] - 121.1 < 0.008
    corners = moved.get_coordinates().to_numpy()
    back = np.column_stack(to_wgs84(corners[:, 0], corners[:, 1], "GCJ-02"))
    assert np.abs(back - frame.get_coordinates().to_numpy()).max() < 1e-7
    assert shifted(frame, "osm") is frame
    assert shifted(frame, "") is frame


@pytest.mark.browser
def test_the_citys_own_layers_lie_beneath_and_catch_nothing(
    tmp_path: Path, open_page: OpenPage, sample: Analysed
) -> None:
    spec = sample.city.catalog.map("workload")
    basemap = Basemap(backdrop=("buildings", "roads"))
    opened = open_page(save_page(draw(sample, spec, basemap=basemap), tmp_path / "w.html"))
    expect(opened.get_by_role("group", name="Base map").get_by_role("checkbox")).to_have_count(2)
    expect(opened.locator(".leaflet-gm-backdrop-pane canvas")).to_have_count(2)
    made = page(title="Bare", bounds=BOUNDS)
    road = gpd.GeoDataFrame(geometry=[shapely.LineString([(121, 30.65), (121.2, 30.65)])], crs=4326)
    Backdrop(road, name="Roads", kind="roads").add_to(made)
    bare = open_page(save_page(made, tmp_path / "bare.html"))
    bare.mouse.click(640, 400)
    expect(bare.locator(".leaflet-popup")).to_have_count(0)


def test_a_base_map_is_one_thing_with_its_source() -> None:
    with pytest.raises(ValueError, match="not both"):
        Basemap(service="osm", path="x.mbtiles")
    with pytest.raises(ValueError, match="attribution"):
        Basemap(path="x.mbtiles")
