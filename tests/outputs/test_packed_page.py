"""Packed layers in a real browser: what is decoded, drawn, clicked, filtered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from benchmarks.coverages import make_coverage
from browser import colour_at, spot, wait_equal, wait_until
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as BrowserPage

from gridmap import messages
from gridmap.analysis import implied_assignments
from gridmap.measures.ownership import owners_of
from gridmap.outputs.pages.elements import CountByTime, LayerSwitch
from gridmap.outputs.pages.packed import PackedLines, PackedPoints, PackedPolygons
from gridmap.outputs.pages.page import page, save_page
from gridmap.outputs.pages.who import DrawnTargets, WhoIsResponsible

if TYPE_CHECKING:
    from browser import OpenPage

EVIL = '<img src=x onerror="window.hacked=1"></script>{{ 7*7 }}{% raw %}'
WEST = shapely.box(121.0, 30.6, 121.1, 30.7)
EAST = shapely.box(121.1, 30.6, 121.2, 30.7)
HOLE = shapely.box(121.14, 30.64, 121.16, 30.66)
RING = shapely.union(EAST.difference(HOLE), shapely.box(121.148, 30.648, 121.152, 30.652))
STYLES = {"red": {"fillColor": "#ff0000", "fillOpacity": 1, "color": "#000000", "weight": 1},
          "blue": {"fillColor": "#0000ff", "fillOpacity": 1, "stroke": False}}  # fmt: skip


def frame(name: str = "West grid") -> gpd.GeoDataFrame:
    # The row without geometry comes first: rows are those of the frame, not of the drawing.
    return gpd.GeoDataFrame(
        {
            "name": ["Nowhere", "East grid", name],
            "cases": [1, 5, 1234],
            "member": [None, None, "Wang"],
        },
        geometry=[None, RING, WEST],
        crs=4326,
    )


def polygons(name: str = "West grid", **options: Any) -> PackedPolygons:
    chosen: dict[str, Any] = {"name": "Grids", "style": ["red", "blue", "red"], "styles": STYLES}
    return PackedPolygons(frame(name), tooltip="name", **chosen | options)


def saved(tmp_path: Path, *elements: Any) -> Path:
    made = page(title="Packed", bounds=(121.0, 30.6, 121.2, 30.7))
    for element in elements:
        element.add_to(made)
    return save_page(made, tmp_path / "map.html")


def drawn(opened: BrowserPage) -> None:
    """Waits for the drawing of the packed layers."""
    wait_until(opened, "performance.getEntriesByName('gridmap:drawn').length > 0", seconds=60)


def colour(opened: BrowserPage, lon: float, lat: float, canvases: str = "canvas") -> list[int]:
    """Returns red, green, blue, alpha of the packed canvas at a place."""
    return colour_at(opened, lon, lat, f"{canvases}.gm-packed")


def wait_colour(
    opened: BrowserPage, lon: float, lat: float, expected: list[int], canvases: str = "canvas"
) -> None:
    """Waits until the packed canvas has a colour at a place."""
    wait_equal(opened, lambda: colour(opened, lon, lat, canvases), expected)


def features(
    opened: BrowserPage, layer: PackedPolygons | PackedLines | PackedPoints, call: str
) -> Any:
    """Asks a layer as the cards around the map do."""
    return opened.evaluate(f"{layer.get_name()}.features.{call}")


@pytest.mark.browser
def test_polygons_are_drawn_in_their_colours(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(saved(tmp_path, polygons()))
    drawn(opened)
    assert colour(opened, 121.05, 30.65) == [255, 0, 0, 255]
    assert colour(opened, 121.12, 30.62) == [0, 0, 255, 255]
    assert colour(opened, 121.142, 30.65) == [0, 0, 0, 0]
    assert colour(opened, 121.15, 30.65) == [0, 0, 255, 255]
    opened.get_by_role("button", name="Zoom in").click()
    wait_colour(opened, 121.15, 30.65, [0, 0, 255, 255])
    wait_colour(opened, 121.142, 30.65, [0, 0, 0, 0])


@pytest.mark.browser
def test_hover_and_click_answer(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(saved(tmp_path, polygons(EVIL)))
    drawn(opened)
    opened.mouse.move(*spot(opened, 121.04, 30.65))
    opened.mouse.move(*spot(opened, 121.05, 30.65))
    expect(opened.locator(".gm-tooltip")).to_have_text(EVIL)
    opened.mouse.click(*spot(opened, 121.05, 30.65))
    expect(opened.locator(".gm-popup tr")).to_have_text([f"name{EVIL}", "cases1,234", "memberWang"])
    assert opened.evaluate("[window.hacked, document.querySelectorAll('img').length]") == [None, 0]
    opened.mouse.move(*spot(opened, 121.142, 30.642))
    expect(opened.locator(".gm-tooltip")).to_have_count(0)


@pytest.mark.browser
def test_rows_are_those_of_the_frame(tmp_path: Path, open_page: OpenPage) -> None:
    grids = polygons()
    opened = open_page(saved(tmp_path, grids))
    drawn(opened)
    assert features(opened, grids, "count") == 3
    assert [features(opened, grids, f"value({row}, 'cases')") for row in range(3)] == [1, 5, 1234]
    has = [features(opened, grids, f"has({row}, 'member')") for row in range(3)]
    assert has == [False, False, True]
    assert features(opened, grids, "bounds(0)") is None
    west, south, east, north = features(
        opened, grids, "bounds(1).toBBoxString().split(',').map(Number)"
    )
    assert shapely.box(west, south, east, north).hausdorff_distance(EAST) < 3e-6
    for lon, lat, rows in ((121.05, 30.65, [2]), (121.142, 30.642, []), (121.15, 30.65, [1])):
        assert features(opened, grids, f"rowsAt(L.latLng({lat}, {lon}))") == rows
    whole = "L.latLngBounds([30, 121], [31, 122])"
    assert features(opened, grids, f"rowsIn({whole})") == [1, 2]
    assert features(opened, grids, "rowsIn(L.latLngBounds([30, 121], [31, 121.05]))") == [2]


@pytest.mark.browser
def test_filter_and_restyle(tmp_path: Path, open_page: OpenPage) -> None:
    grids = polygons()
    opened = open_page(saved(tmp_path, grids))
    drawn(opened)
    features(opened, grids, "filter(new Uint8Array([1, 1, 0]))")
    wait_colour(opened, 121.05, 30.65, [0, 0, 0, 0])
    assert colour(opened, 121.12, 30.62) == [0, 0, 255, 255]
    assert features(opened, grids, "rowsIn(L.latLngBounds([30, 121], [31, 122]))") == [1]
    assert features(opened, grids, "rowsAt(L.latLng(30.65, 121.05))") == [2]
    opened.mouse.click(*spot(opened, 121.05, 30.65))
    expect(opened.locator(".gm-popup")).to_have_count(0)
    features(opened, grids, "filter(null)")
    features(opened, grids, "restyle([0, 0, 1], [{fillColor: 'rgb(0, 128, 0)', fillOpacity: 1}, "
                            "{fillColor: 'gold', fillOpacity: 1}])")  # fmt: skip
    wait_colour(opened, 121.05, 30.65, [255, 215, 0, 255])
    assert colour(opened, 121.12, 30.62) == [0, 128, 0, 255]
    assert features(opened, grids, "classOf(2)") == 1


@pytest.mark.browser
def test_who_is_responsible_asks_packed_layers(tmp_path: Path, open_page: OpenPage) -> None:
    grids, rows = polygons(), frame().assign(code=["0", "1", "2"], level="grid").to_crs(4549)
    drawn_by = {("grids", "grid"): DrawnTargets(grids, rows["code"], "Grid")}
    layers = {"grids": rows.iloc[1:]}
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    who = WhoIsResponsible(owners_of(layers, implied_assignments(layers), at=at), drawn_by)
    opened = open_page(saved(tmp_path, grids, LayerSwitch([grids]), who))
    drawn(opened)
    opened.mouse.click(*spot(opened, 121.05, 30.65))
    expect(opened.locator(".gm-who-target")).to_have_text(["West grid2"] * 2)
    expect(opened.locator(".gm-who-name")).to_have_text(["Wang"] * 2)
    opened.get_by_role("checkbox", name="Grids").uncheck()
    expect(opened.locator("canvas.gm-packed")).to_have_count(0)
    opened.get_by_role("checkbox", name="Grids").check()
    wait_colour(opened, 121.05, 30.65, [255, 0, 0, 255])


@pytest.mark.browser
def test_lines_answer_beside_them_too(tmp_path: Path, open_page: OpenPage) -> None:
    roads = gpd.GeoDataFrame(
        {"name": ["Lake Road", "Bridge Road"]},
        geometry=[shapely.LineString([(121.0, 30.6), (121.2, 30.7)]),
                  shapely.LineString([(121.0, 30.7), (121.05, 30.65)])],
        crs=4326,
    )  # fmt: skip
    look = {"road": {"color": "#008000", "weight": 5, "opacity": 1}}
    opened = open_page(saved(tmp_path, PackedLines(roads, name="Roads", styles=look)))
    drawn(opened)
    assert colour(opened, 121.1, 30.65) == [0, 128, 0, 255]
    x, y = spot(opened, 121.1, 30.65)
    opened.mouse.click(x, y + 3)
    expect(opened.locator(".gm-popup td")).to_have_text(["Lake Road"])
    opened.mouse.click(x, y + 40)
    expect(opened.locator(".gm-popup")).to_have_count(0)


@pytest.mark.browser
def test_clicks_answer_as_shapely_does(tmp_path: Path, browser: Browser) -> None:
    shapes = make_coverage(20_000, random_state=5)
    gdf = gpd.GeoDataFrame({"code": [f"33{n:06}" for n in range(len(shapes))]}, geometry=shapes,
                           crs=4549).to_crs(4326)  # fmt: skip
    grids = PackedPolygons(gdf)
    made = page(title="Many", bounds=gdf.total_bounds)
    grids.add_to(made)
    workers: list[str] = []
    opened = browser.new_page()
    opened.on("worker", lambda worker: workers.append(worker.url))
    opened.goto(save_page(made, tmp_path / "map.html").as_uri())
    drawn(opened)
    assert [url.split(":")[0] for url in workers] == ["blob"]
    rng = np.random.default_rng(8)
    west, south, east, north = gdf.total_bounds
    places = rng.uniform((west, south), (east, north), (10_000, 2))
    answers = opened.evaluate(
        f"places => places.map(([lng, lat]) => {grids.get_name()}.features.rowsAt({{ lng, lat }}))",
        places.tolist(),
    )
    tree = shapely.STRtree(gdf.geometry.to_numpy())
    points = shapely.points(places)
    asked, found = tree.query(points, predicate="within")
    expected: list[list[int]] = [[] for _ in places]
    for point, row in zip(asked.tolist(), found.tolist(), strict=True):
        expected[point].append(row)
    differ = [i for i in range(len(places)) if sorted(answers[i]) != sorted(expected[i])]
    # All of these lie within one quantum, 0.3 m, of an edge.
    edges = gpd.GeoSeries(gdf.boundary, crs=4326).to_crs(4549).union_all()
    near = gpd.GeoSeries(points[differ], crs=4326).to_crs(4549).distance(edges)
    assert sum(map(bool, expected)) > 9_000
    assert (near < 0.3).all()
    assert len(differ) < 50
    opened.close()


# How many pixels of the packed canvas are covered.
DOTS = """() => {
    const canvas = document.querySelector('canvas.gm-packed');
    const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
}"""
SAYS = messages.section("browser", "en")
DAYS = np.datetime64("2024-03-01") + np.array([0, 0, 1, 2, 2, 2])
PLACES = shapely.points(
    [[121.03, 30.65], [121.031, 30.651], [121.15, 30.61], [121.17, 30.65], [121.17, 30.65],
     [121.1, 30.69]]
)  # fmt: skip


def points(name: str = "Cases", **options: Any) -> PackedPoints:
    gdf = gpd.GeoDataFrame({"code": [f"A{n}" for n in range(6)]}, geometry=PLACES, crs=4326)
    look = {"": {"fillColor": "#008000", "fillOpacity": 1, "stroke": False, "radius": 6}}
    return PackedPoints(gdf, name=name, styles=look, **options)


@pytest.mark.browser
def test_dots_are_drawn_and_answer(tmp_path: Path, open_page: OpenPage) -> None:
    dots = points(tooltip="code")
    opened = open_page(saved(tmp_path, polygons(), dots))
    drawn(opened)
    place, upper = (121.15, 30.61), ".leaflet-gm-points-pane canvas"
    wait_colour(opened, *place, [0, 128, 0, 255], upper)

    def click(beside: int) -> None:
        x, y = spot(opened, *place)
        opened.mouse.click(x + beside, y)

    x, y = spot(opened, *place)
    opened.mouse.move(x + 3, y)
    opened.mouse.move(x + 2, y)
    expect(opened.locator(".gm-tooltip")).to_have_text("A2")
    click(beside=2)
    expect(opened.locator(".gm-popup td")).to_have_text(["A2"])
    click(beside=30)
    expect(opened.locator(".gm-popup td").first).to_have_text("East grid")
    features(opened, dots, "filter(new Uint8Array([1, 1, 0, 1, 1, 1]))")
    wait_colour(opened, *place, [0, 0, 0, 0], upper)
    click(beside=2)
    expect(opened.locator(".gm-popup td").first).to_have_text("East grid")
    assert features(opened, dots, "rowsIn(L.latLngBounds([30.6, 121.09], [30.7, 121.2]))") == [
        3,
        4,
        5,
    ]


@pytest.mark.browser
def test_one_point_alone_does_not_look_hot(tmp_path: Path, open_page: OpenPage) -> None:
    lon = [121.05, 121.15, 121.15, 121.15]
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, [30.65] * 4), crs=4326)
    heat = PackedPoints(frame, name="Heat", as_="heat", colours=["#0000ff", "#ff0000"])
    opened = open_page(saved(tmp_path, heat))
    drawn(opened)
    one, three = (colour(opened, place, 30.65) for place in (121.05, 121.15))
    assert one[2] > one[0]
    assert three[0] > 240
    assert three[2] < 15


@pytest.mark.browser
def test_a_cluster_opens_on_a_click(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(saved(tmp_path, points(as_="clusters")))
    drawn(opened)
    assert colour(opened, 121.0305, 30.6505)[3] == 255
    opened.mouse.click(*spot(opened, 121.0305, 30.6505))
    # The two of the cluster lie apart now, and what lay between them is bare.
    wait_until(opened, lambda: colour(opened, 121.0305, 30.6505)[3] == 0)
    expect(opened.locator(".gm-popup")).to_have_count(0)
    opened.mouse.click(*spot(opened, 121.031, 30.651))
    expect(opened.locator(".gm-popup td")).to_have_text(["A1"])


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["dots", "clusters"])
def test_all_points_at_one_place_can_be_read(
    tmp_path: Path, open_page: OpenPage, kind: str
) -> None:
    frame = gpd.GeoDataFrame(
        {"code": ["P0", "P1", "P2", "P3"]},
        geometry=gpd.points_from_xy([121.1, 121.1, 121.1, 121.18], [30.65, 30.65, 30.65, 30.65]),
        crs=4326,
    )
    opened = open_page(saved(tmp_path, PackedPoints(frame, name="Pile", as_=kind)))
    drawn(opened)
    opened.mouse.click(*spot(opened, 121.1, 30.65))
    told, page_of = opened.locator(".gm-popup td").first, opened.locator(".gm-pages")
    seen = []
    for number in (1, 2, 3):
        expect(page_of).to_contain_text(f"{number} / 3")
        seen.append(told.inner_text())
        page_of.get_by_role("button", name=SAYS["next_here"]).press("Enter")
    assert sorted(seen) == ["P0", "P1", "P2"]
    expect(page_of).to_contain_text("1 / 3")
    page_of.get_by_role("button", name=SAYS["previous_here"]).click()
    expect(page_of).to_contain_text("3 / 3")
    opened.mouse.click(*spot(opened, 121.18, 30.65))
    expect(told).to_have_text("P3")
    expect(page_of).to_have_count(0)


@pytest.mark.browser
def test_a_page_without_workers_decodes_by_itself(tmp_path: Path, open_page: OpenPage) -> None:
    rng = np.random.default_rng(3)
    count = 180_000
    lon, lat = rng.uniform([121.0, 30.6], [121.2, 30.7], (count, 2)).T
    notes = rng.integers(10**15, 10**16, count).astype(str)
    frame = gpd.GeoDataFrame({"note": notes}, geometry=gpd.points_from_xy(lon, lat), crs=4326)
    path = saved(tmp_path, PackedPoints(frame, name="Many", as_="dots"))
    refusal = "window.Worker = class { constructor() { window.refused = 1; throw Error('no'); } };"
    html = path.read_text(encoding="utf-8")
    # From this size on the page would ask for a worker.
    assert len(html) > 2_500_000
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(html.replace("<script>", f"<script>{refusal}</script><script>", 1), "utf-8")
    opened = open_page(path)
    drawn(opened)
    by_worker = opened.evaluate(DOTS)
    alone = open_page(spoilt)
    drawn(alone)
    assert alone.evaluate("window.refused") == 1
    assert alone.evaluate(DOTS) == by_worker > 10_000


@pytest.mark.browser
def test_one_slider_drives_heat_areas_and_dots(tmp_path: Path, open_page: OpenPage) -> None:
    rows = [2, 2, 1, 1, 1, 1]
    grids = polygons()
    look = {"fillOpacity": 1, "stroke": False}
    counts = CountByTime(grids, rows, DAYS, title="Cases", unit="day", style=look,
                         colours=["#0000ff", "#ff0000"])  # fmt: skip
    dots = points(times=DAYS, unit="day")
    heat = points(as_="heat", times=DAYS, unit="day", fields=())
    opened = open_page(saved(tmp_path, grids, counts, dots, LayerSwitch([grids, dots])))
    drawn(opened)
    west, east = (121.08, 30.62), (121.12, 30.62)
    assert opened.get_by_role("slider").count() == 1
    wait_colour(opened, *west, [255, 0, 0, 255])
    opened.get_by_role("slider").fill("1")
    wait_colour(opened, *east, [0, 0, 255, 255])
    wait_colour(opened, *west, [255, 0, 0, 255])
    opened.get_by_role("slider").fill("2")
    wait_colour(opened, *west, [0, 0, 255, 255])
    wait_colour(opened, *east, [255, 0, 0, 255])
    opened.mouse.click(*spot(opened, 121.15, 30.61))
    expect(opened.locator(".gm-popup td").first).to_have_text("A2")
    opened.mouse.click(*spot(opened, 121.03, 30.65))
    expect(opened.locator(".gm-popup td").first).to_have_text("West grid")
    warm = open_page(saved(tmp_path, heat))
    drawn(warm)
    assert colour(warm, 121.17, 30.65)[3] > 100
    warm.get_by_role("slider").fill("1")
    wait_colour(warm, 121.17, 30.65, [0, 0, 0, 0])
    assert colour(warm, 121.03, 30.65)[3] > 100


@pytest.mark.browser
def test_two_days_stand_side_by_side(tmp_path: Path, open_page: OpenPage) -> None:
    grids, dots = polygons(), points(times=DAYS, unit="day")
    look = {"fillOpacity": 1, "stroke": False}
    counts = CountByTime(grids, [2, 2, 1, 1, 1, 1], DAYS, title="Cases", unit="day", style=look,
                         colours=["#0000ff", "#ff0000"])  # fmt: skip
    opened = open_page(saved(tmp_path, grids, counts, dots, LayerSwitch([grids, dots])))
    drawn(opened)
    slider = opened.get_by_role("slider", name=SAYS["time"], exact=True)
    slider.fill("1")
    other = opened.get_by_role("combobox", name=SAYS["compare"])
    other.select_option(index=2)
    for side, many, few in (("left", 121.08, 121.12), ("right", 121.12, 121.08)):
        canvas = f".leaflet-gm-{side}-pane canvas"
        wait_colour(opened, many, 30.62, [255, 0, 0, 255], canvas)
        wait_colour(opened, few, 30.62, [0, 0, 255, 255], canvas)
    wait_colour(opened, 121.08, 30.62, [0, 0, 0, 0], ".leaflet-gm-packed-pane canvas")
    # What is not drawn between the sides still answers.
    opened.mouse.click(*spot(opened, 121.12, 30.62))
    expect(opened.locator(".gm-popup td").first).to_have_text("East grid")
    opened.get_by_role("checkbox").first.uncheck()
    other.select_option(SAYS["nothing"])
    opened.get_by_role("checkbox").first.check()
    wait_colour(opened, 121.08, 30.62, [255, 0, 0, 255])
    wait_colour(opened, 121.08, 30.62, [0, 0, 0, 0], ".leaflet-gm-right-pane canvas")


@pytest.mark.browser
def test_points_that_are_compared_can_be_switched_off_and_on(
    tmp_path: Path, open_page: OpenPage
) -> None:
    dots = points(times=DAYS, unit="day")
    heat = points("Heat", as_="heat", times=DAYS, unit="day", fields=())
    opened = open_page(saved(tmp_path, heat, dots, LayerSwitch([heat, dots])))
    drawn(opened)
    opened.get_by_role("slider", name=SAYS["time"], exact=True).fill("1")
    opened.get_by_role("combobox", name=SAYS["compare"]).select_option(index=2)
    left, right = (opened.locator(f".leaflet-gm-{side}-pane canvas") for side in ("left", "right"))
    expect(right).to_have_count(2)
    expect(left).to_have_count(2)
    switch = opened.get_by_role("checkbox").last
    switch.uncheck()
    expect(right).to_have_count(1)
    switch.check()
    expect(right).to_have_count(2)
    expect(left).to_have_count(2)
