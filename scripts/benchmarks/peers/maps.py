"""The same map written by gridmap, folium, geopandas and bokeh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

__all__ = ["CODE", "SYSTEMS", "Writer"]

CODE = "grid_code"
VALUE = "risk"
BREAKS = (0.2, 0.4, 0.6, 0.8)
COLOURS = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026")
WARM = 50
LEAFLET = "document.readyState === 'complete' && !!document.querySelector("


@dataclass(frozen=True)
class Writer:
    """A system that writes a page.

    Parameters
    ----------
    write : callable
        Takes the frame and the path.
    package : str
        The distribution whose version is told.
    ready : str
        JavaScript: whether the page has been drawn.
    warm : callable, optional
        Compiles what is compiled once on a machine.
    leaflet : bool
        Whether the page has a Leaflet map that can be dragged and clicked.
    """

    write: Callable[[gpd.GeoDataFrame, Path], None]
    package: str
    ready: str
    warm: Callable[[gpd.GeoDataFrame], Any] | None = None
    leaflet: bool = True


def _classes(frame: gpd.GeoDataFrame) -> Any:
    return np.digitize(frame[VALUE], BREAKS)


def _packed_polygons(frame: gpd.GeoDataFrame) -> Any:
    looks = {
        str(number): {"fillColor": colour, "fillOpacity": 0.8, "color": "#555555", "weight": 0.6}
        for number, colour in enumerate(COLOURS)
    }
    style = _classes(frame).astype(str).tolist()
    return import_module("gridmap.maps").PackedPolygons(
        frame, name="grids", style=style, styles=looks, tooltip="grid_name"
    )


def _packed_points(kind: str) -> Callable[[gpd.GeoDataFrame], Any]:
    return lambda frame: import_module("gridmap.maps").PackedPoints(frame, name="cases", as_=kind)


def _gridmap(make: Callable[[gpd.GeoDataFrame], Any]) -> Callable[[gpd.GeoDataFrame, Path], None]:
    def write(frame: gpd.GeoDataFrame, path: Path) -> None:
        gridmap = import_module("gridmap")
        made = gridmap.maps.page(title="Benchmark", bounds=frame.total_bounds)
        make(frame).add_to(made)
        gridmap.save_page(made, path)

    return write


def _folium_map(frame: gpd.GeoDataFrame, folium: Any) -> Any:
    west, south, east, north = frame.total_bounds
    made = folium.Map(tiles=None, prefer_canvas=True)
    # Marker clusters stop a map without tiles and without this (folium #1395).
    made.options["max_zoom"] = 19
    made.fit_bounds([[south, west], [north, east]])
    return made


def _folium(frame: gpd.GeoDataFrame, path: Path) -> None:
    folium = import_module("folium")
    made = _folium_map(frame, folium)
    names = [name for name in frame.columns if name != "geometry"]
    coloured = frame.assign(fill=np.array(COLOURS)[_classes(frame)])

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        fill = feature["properties"]["fill"]
        return {"fillColor": fill, "fillOpacity": 0.8, "color": "#555555", "weight": 0.6}

    folium.GeoJson(
        coloured,
        style_function=style,
        popup=folium.GeoJsonPopup(names),
        tooltip=folium.GeoJsonTooltip(["grid_name"]),
    ).add_to(made)
    made.save(str(path))


def _explore(frame: gpd.GeoDataFrame, path: Path) -> None:
    made = frame.explore(
        column=VALUE,
        cmap="YlOrRd",
        tiles=None,
        tooltip=["grid_name"],
        popup=True,
        legend=False,
        prefer_canvas=True,
        style_kwds={"weight": 0.6, "fillOpacity": 0.8},
    )
    made.save(str(path))


def _bokeh(frame: gpd.GeoDataFrame, path: Path) -> None:
    models, plotting = import_module("bokeh.models"), import_module("bokeh.plotting")
    resources, save = import_module("bokeh.resources"), import_module("bokeh.io").save
    source = models.GeoJSONDataSource(
        geojson=frame.assign(fill=np.array(COLOURS)[_classes(frame)]).to_json()
    )
    figure = plotting.figure(width=1280, height=780, match_aspect=True, tools="pan,wheel_zoom")
    figure.patches("xs", "ys", source=source, fill_color="fill", line_color="#555555",
                   line_width=0.6, fill_alpha=0.8)  # fmt: skip
    figure.add_tools(models.HoverTool(tooltips=[("name", "@grid_name")]))
    save(figure, filename=str(path), resources=resources.INLINE, title="Benchmark")


def _scatter(frame: gpd.GeoDataFrame, path: Path) -> None:
    plotting = import_module("bokeh.plotting")
    resources, save = import_module("bokeh.resources"), import_module("bokeh.io").save
    figure = plotting.figure(width=1280, height=780, match_aspect=True, tools="pan,wheel_zoom")
    figure.scatter(frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy(), size=8,
                   line_color="#3388ff", line_width=3, fill_alpha=0.2)  # fmt: skip
    save(figure, filename=str(path), resources=resources.INLINE, title="Benchmark")


def _places(frame: gpd.GeoDataFrame) -> list[list[float]]:
    places: list[list[float]] = np.column_stack([frame.geometry.y, frame.geometry.x]).tolist()
    return places


def _heat_map(frame: gpd.GeoDataFrame, path: Path) -> None:
    made = _folium_map(frame, import_module("folium"))
    import_module("folium.plugins").HeatMap(_places(frame), radius=11, blur=13).add_to(made)
    made.save(str(path))


def _fast_marker_cluster(frame: gpd.GeoDataFrame, path: Path) -> None:
    made = _folium_map(frame, import_module("folium"))
    import_module("folium.plugins").FastMarkerCluster(_places(frame)).add_to(made)
    made.save(str(path))


OURS = "gridmap-analytics"
DRAWN = "performance.getEntriesByName('gridmap:drawn').length > 0"
IDLE = "Boolean(window.Bokeh?.documents[0]?.is_idle)"
CANVAS = LEAFLET + "'.leaflet-overlay-pane canvas')"
SYSTEMS = {
    "polygons": {
        "gridmap": Writer(_gridmap(_packed_polygons), OURS, DRAWN, _packed_polygons),
        "folium": Writer(_folium, "folium", CANVAS),
        "geopandas": Writer(_explore, "geopandas", CANVAS),
        "bokeh": Writer(_bokeh, "bokeh", IDLE, leaflet=False),
    },
    "dots": {
        "gridmap": Writer(_gridmap(_packed_points("dots")), OURS, DRAWN, _packed_points("dots")),
        "bokeh": Writer(_scatter, "bokeh", IDLE, leaflet=False),
    },
    "heat": {
        "gridmap": Writer(_gridmap(_packed_points("heat")), OURS, DRAWN, _packed_points("heat")),
        "HeatMap": Writer(_heat_map, "folium", LEAFLET + "'.leaflet-heatmap-layer')"),
    },
    "clusters": {
        "gridmap": Writer(
            _gridmap(_packed_points("clusters")), OURS, DRAWN, _packed_points("clusters")
        ),
        "FastMarkerCluster": Writer(_fast_marker_cluster, "folium", LEAFLET + "'.marker-cluster')"),
    },
}
