"""Layers of many features, packed: a hundred thousand polygons on a page that opens in seconds.

Borders that neighbours share are held once, on a lattice of 0.3 m; attributes by column. The
format is described byte by byte in ``docs/packed.md``. The elements need a map made by
:func:`gridmap.outputs.pages.page.page`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from branca.element import Figure

from gridmap.errors import OutputError
from gridmap.messages import Words, words
from gridmap.outputs.pages._pack_arcs import Arcs, cut, levels
from gridmap.outputs.pages._pack_bytes import packed, signed_varints, varints
from gridmap.outputs.pages._pack_columns import all_fields, pack_table, with_plain
from gridmap.outputs.pages._pack_rings import Kind, Lattice, degrees, lattice, order, paths, places
from gridmap.outputs.pages.elements import HEAT_COLOURS, FeatureLayer
from gridmap.outputs.pages.encoding import Field, day_numbers, plain_name, positions
from gridmap.outputs.pages.runtime import Verbatim, script_json

__all__ = ["PackedLines", "PackedPoints", "PackedPolygons"]

# Of the format: for readers other than the one that each page carries.
VERSION = 1
QUANTUM_M = 0.3
LEVELS_M = (4.0, 16.0, 64.0)
_WEIGHT_STEPS = 255
Unit = Literal["day", "week", "month"]
_STYLE = {"color": "#4a5568", "weight": 1, "fillColor": "#3b7dd8", "fillOpacity": 0.55}


class _Packed(FeatureLayer):
    """An element whose data stands in the page as text of its own, outside of its script."""

    kind: ClassVar[Kind]

    def __init__(
        self,
        gdf: gpd.GeoDataFrame,
        streams: dict[str, bytes],
        config: dict[str, Any],
        *,
        name: Words,
        style: Sequence[str] | str | None,
        styles: Mapping[str, Mapping[str, Any]] | None,
        fields: Sequence[Field] | None,
        tooltip: str | None,
        keep: Sequence[str],
        show: bool,
    ) -> None:
        super().__init__(None, name=plain_name(name) or None, overlay=True, show=show)
        self.title = words(name)
        looks = {"": _STYLE} if styles is None else styles
        keys = [*looks]
        label = plain_name(name) or type(self).__name__
        chosen = positions(keys[0] if style is None else style, keys, len(gdf), label)
        fields = all_fields(gdf) if fields is None else [*fields]
        table, held = pack_table(gdf, with_plain(fields, keep, tooltip))
        content = packed(streams | {"style": varints(np.asarray(chosen))} | held)
        self._data = content["data"]
        self._config: dict[str, Any] = config | {
            "version": VERSION,
            "kind": self.kind,
            "count": len(gdf),
            "streams": content["streams"],
            "styles": [dict(look) for look in looks.values()],
            "fields": [spec for spec, _ in table],
            "columns": [how for _, how in table],
            "shown": [field["name"] for field in fields],
            "tooltip": tooltip,
        }
        self.columns = frozenset(spec["name"] for spec, _ in table)

    def _arguments(self) -> str:
        title = self.title or self.layer_name
        names = {"name": self.layer_name, "title": title, "source": self._source}
        return script_json(names | self._config)

    @property
    def _source(self) -> str:
        return f"{self.get_name()}_data"

    def render(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Put the data into the page, then the call."""
        figure = self.get_root()
        if isinstance(figure, Figure):
            text = f'<script type="text/plain" id="{self._source}">{self._data}</script>'
            figure.html.add_child(Verbatim(text), name=self._source)
        super().render(**kwargs)


class _PackedShapes(_Packed):
    """What polygons and lines have in common."""

    function = "packedFeatures"

    def __init__(
        self,
        gdf: gpd.GeoDataFrame,
        *,
        name: Words = "",
        style: Sequence[str] | str | None = None,
        styles: Mapping[str, Mapping[str, Any]] | None = None,
        fields: Sequence[Field] | None = None,
        tooltip: str | None = None,
        keep: Sequence[str] = (),
        show: bool = True,
        quantum_m: float = QUANTUM_M,
    ) -> None:
        label = plain_name(name) or type(self).__name__
        shapes = degrees(gdf, label)
        boxes = shapely.bounds(shapes)
        rows = order(boxes)
        grid = lattice(boxes, quantum_m, label)
        streams = self._geometry(shapes[rows], grid)
        streams["row"] = signed_varints(np.diff(rows, prepend=0))
        config: dict[str, Any] = {"lattice": asdict(grid), "tolerances": list(LEVELS_M)}
        super().__init__(
            gdf, streams, config, name=name, style=style, styles=styles, fields=fields,
            tooltip=tooltip, keep=keep, show=show,
        )  # fmt: skip

    def _geometry(self, shapes: npt.NDArray[np.object_], grid: Lattice) -> dict[str, bytes]:
        found = paths(shapes, grid, self.kind)
        arcs = cut(found, closed=self.kind == "polygons")
        tolerances = np.array(LEVELS_M) / grid.quantum_m
        detail = levels(arcs.x, arcs.y, arcs.start, tolerances)
        return {"rings": varints(found.count)} | _arc_streams(arcs, detail)


def _arc_streams(arcs: Arcs, detail: npt.NDArray[np.uint8]) -> dict[str, bytes]:
    padded = np.zeros(-(-len(detail) // 4) * 4, dtype=np.uint8)
    padded[: len(detail)] = detail
    four = padded.reshape(-1, 4)
    known = np.maximum.accumulate(arcs.use >> 1) if len(arcs.use) else arcs.use
    before = np.concatenate([[-1], known[:-1]])
    # A use of the next new arc is 0, and of an older one how far back that lies.
    back = np.where(known > before, 0, before - (arcs.use >> 1) + 1)
    return {
        "uses": varints(np.diff(arcs.ring)),
        "use": varints(2 * back + (arcs.use & 1)),
        "size": varints(np.diff(arcs.start) - 2),
        "x": signed_varints(np.diff(arcs.x, prepend=0)),
        "y": signed_varints(np.diff(arcs.y, prepend=0)),
        "level": (four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6).tobytes(),
    }


class PackedPolygons(_PackedShapes):
    """Polygons of any number, with a popup of their attributes.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame, any CRS
        Valid polygons and multipolygons, whether they tile, overlap or lie apart. Rows without a
        geometry stay in the table.
    name : str or mapping of str to str, optional
        The overlay's name, unique on the page.
    style : sequence of str, or str, optional
        For each row (or for all), a key of ``styles``; by default the first.
    styles : mapping of str to mapping, optional
        Leaflet path options: ``stroke``, ``color``, ``weight``, ``opacity``, ``dashArray``,
        ``fill``, ``fillColor``, ``fillOpacity``.
    fields : sequence of Field, optional
        What the popup shows, in order; by default every column.
    tooltip : str, optional
        The column shown under the pointer.
    keep : sequence of str
        Further columns, for search and other cards.
    show : bool
        Whether the overlay is switched on at first.
    quantum_m : float, metres
        The mesh of the lattice; a vertex moves by less than this.

    Raises
    ------
    OutputError
        If the frame has no CRS, lies outside of a web map, ``style`` has another length than it,
        or the quantum does not fit the extent.

    Examples
    --------
    >>> squares = [shapely.box(x, 30, x + 0.1, 30.1) for x in (120, 120.1)]
    >>> areas = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=squares, crs=4326)
    >>> page = maps.page(title="Areas", bounds=areas.total_bounds)
    >>> styles = {"calm": {"fillColor": "#38a169"}, "busy": {"fillColor": "#e53e3e"}}
    >>> packed = maps.PackedPolygons(areas, name="Areas", style=["calm", "busy"], styles=styles)
    >>> packed.add_to(page) is packed
    True
    """

    kind = "polygons"


class PackedLines(_PackedShapes):
    """Lines of any number, with a popup of their attributes.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame, any CRS
        Lines and multilines.
    name, style, styles, fields, tooltip, keep, show, quantum_m
        As of :class:`PackedPolygons`.

    Raises
    ------
    OutputError
        As :class:`PackedPolygons` does.

    Examples
    --------
    >>> line = shapely.LineString([(120, 30), (120.1, 30)])
    >>> roads = gpd.GeoDataFrame({"name": ["Ring road"]}, geometry=[line], crs=4326)
    >>> page = maps.page(title="Roads", bounds=roads.total_bounds)
    >>> packed = maps.PackedLines(roads, name="Roads", styles={"road": {"color": "#4a5568"}})
    >>> packed.add_to(page) is packed
    True
    """

    kind = "lines"


class PackedPoints(_Packed):
    """Points to a million: as dots, in clusters that open on a click, or as heat.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame, any CRS
        Points; what is none stands at a point inside of it. Rows without a place stay in the
        table.
    name, style, styles, fields, tooltip, keep, show, quantum_m
        As of :class:`PackedPolygons`; a style has a ``radius`` too.
    as_ : str
        ``"dots"``, ``"clusters"`` or ``"heat"``.
    times : array of datetime64, shape (n,), optional
        When each happened, on the wall clock; kept to the day. The slider of the page then
        chooses what is drawn.
    unit : str
        What that slider steps by at first.
    weights : array of float, shape (n,), optional
        Of the heat, at least 0; kept to 1/255 of the largest.
    radius : float, pixels
        Of the heat around a point.
    colours : sequence of str
        Of the heat, from few to many.

    Raises
    ------
    OutputError
        As :class:`PackedPolygons` does, and if there is not one time or weight for each row.

    Examples
    --------
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([120.1, 120.2], [30, 30]), crs=4326)
    >>> page = maps.page(title="Reports", bounds=points.total_bounds)
    >>> packed = maps.PackedPoints(points, as_="heat", weights=[1, 3])
    >>> packed.add_to(page) is packed
    True
    """

    kind = "points"
    function = "packedPoints"

    def __init__(
        self,
        gdf: gpd.GeoDataFrame,
        *,
        as_: Literal["dots", "clusters", "heat"] = "dots",
        name: Words = "",
        style: Sequence[str] | str | None = None,
        styles: Mapping[str, Mapping[str, Any]] | None = None,
        fields: Sequence[Field] | None = None,
        tooltip: str | None = None,
        keep: Sequence[str] = (),
        show: bool = True,
        times: npt.ArrayLike | None = None,
        unit: Unit = "month",
        weights: npt.ArrayLike | None = None,
        radius: float = 14.0,
        colours: Sequence[str] = HEAT_COLOURS,
        quantum_m: float = QUANTUM_M,
    ) -> None:
        label = plain_name(name) or type(self).__name__
        shapes = degrees(gdf, label)
        boxes = shapely.bounds(shapes)
        grid = lattice(boxes, quantum_m, label)
        x, y, rows = places(shapes, grid)
        placed = rows[: len(x)]
        streams = {
            "x": signed_varints(np.diff(x, prepend=0)),
            "y": signed_varints(np.diff(y, prepend=0)),
        }
        # Where nothing belongs to a row of its own, rows need not be told apart.
        if fields or (fields is None and len(gdf.columns) > 1) or keep or not _one(style):
            streams["row"] = signed_varints(np.diff(rows, prepend=0))
        config: dict[str, Any] = {
            "lattice": asdict(grid),
            "as": as_,
            "heat": {"colours": [*colours], "radius": radius},
            "time": None,
        }
        if times is not None:
            first, days = day_numbers(times)
            _aligned(label, len(days), len(gdf))
            # 0 is for no time: such a point is drawn with all the others alone.
            streams["day"] = varints(days[placed] + 1)
            counts = np.bincount(days[placed] + 1, minlength=2)[1:].tolist()
            config["time"] = {"first": first, "counts": counts, "unit": unit}
        if weights is not None:
            streams["weight"] = varints(_weights(weights, len(gdf), label)[placed])
        super().__init__(
            gdf, streams, config, name=name, style=style, styles=styles, fields=fields,
            tooltip=tooltip, keep=keep, show=show,
        )  # fmt: skip


def _one(style: Sequence[str] | str | None) -> bool:
    return style is None or isinstance(style, str)


def _aligned(label: str, given: int, expected: int) -> None:
    if given != expected:
        raise OutputError("page.unaligned", layer=label, given=given, expected=expected)


def _weights(weights: npt.ArrayLike, count: int, label: str) -> npt.NDArray[np.int64]:
    values = np.asarray(weights, dtype=float)
    _aligned(label, len(values), count)
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        raise OutputError("packed.weights", layer=label, count=len(bad), rows=bad[:5].tolist())
    most = values.max(initial=0.0) or 1.0
    return np.rint(values / most * _WEIGHT_STEPS).astype(np.int64)
