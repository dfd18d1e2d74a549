"""KML 2.2 and KMZ with the colours of the maps, written by ourselves.

GDAL's drivers give up a whole file for one invalid polygon, and take no styles from frames.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gridmap.leaving import clean
from gridmap.outputs.export.archive import zip_bytes
from gridmap.outputs.export.job import Job
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.styles.symbology import PathStyle, paint
from gridmap.outputs.tables.words import headings, words

__all__ = ["write_kml", "write_kmz"]

DIGITS = 7
MOST_INTEGER = 2**31 - 1
_NAMESPACE = "http://www.opengis.net/kml/2.2"
_DOT, _DOT_PIXELS = "files/dot.png", 32
# Names that GDAL keeps for itself, in any case of letters.
_TAKEN = ("name", "description", "timestamp", "begin", "end", "visibility", "icon", "snippet")
_TAGS = {0: "Point", 1: "LineString", 2: "LinearRing"}
_TYPES = {"integer": "int", "number": "double"}


def write_kml(job: Job, chosen: Chosen) -> list[Path]:
    """Write a layer as ``<layer>.kml``, in longitude and latitude."""
    path = job.folder / f"{chosen.layer.name}.kml"
    with path.open("w", encoding="utf-8", newline="\n") as file, _document(file) as xml:
        _write_layer(job, chosen, xml, packed=False)
    return [path]


def write_kmz(job: Job, chosen: tuple[Chosen, ...]) -> list[Path]:
    """Write all layers as folders of ``<city>.kmz``."""
    text = io.StringIO()
    city = job.analysed.city
    with _document(text) as xml:
        xml.leaf("name", city.title.get(job.lang))
        for one in chosen:
            job.tell(one.layer.name, "kmz")
            with xml.element("Folder"):
                xml.leaf("visibility", int(one.layer.role == "result"))
                _write_layer(job, one, xml, packed=True)
    path = job.folder / f"{city.name}.kmz"
    zip_bytes(path, [("doc.kml", text.getvalue().encode("utf-8")), (_DOT, _dot())])
    return [path]


class _Xml:
    """Elements, nested as the blocks of the program are; texts without control characters."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._out = XMLGenerator(file, encoding="utf-8", short_empty_elements=True)
        self._out.startDocument()

    @contextmanager
    def element(self, tag: str, **attributes: str) -> Iterator[None]:
        self._begin(tag, attributes)
        yield
        self._out.endElement(tag)

    def leaf(self, tag: str, text: object, **attributes: str) -> None:
        self._begin(tag, attributes)
        self._out.characters(clean(str(text)))
        self._out.endElement(tag)

    def _begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        held = {name: clean(value) for name, value in attributes.items()}
        self._out.startElement(tag, AttributesImpl(held))

    def end_line(self) -> None:
        self._out.ignorableWhitespace("\n")


@contextmanager
def _document(file: io.TextIOBase) -> Iterator[_Xml]:
    xml = _Xml(file)
    with xml.element("kml", xmlns=_NAMESPACE), xml.element("Document"):
        yield xml
    xml.end_line()


def _write_layer(job: Job, chosen: Chosen, xml: _Xml, *, packed: bool) -> None:
    layer, zone = chosen.layer, job.analysed.city.timezone
    assert isinstance(chosen.frame, gpd.GeoDataFrame)  # noqa: S101 - for the type checker
    frame, shapes = chosen.frame, _valid(job, chosen)
    xml.leaf("name", layer.title.get(job.lang))
    xml.leaf("description", layer.description.get(job.lang))
    xml.end_line()
    keys = _write_styles(job, chosen, xml, packed=packed)
    names = [name for name in layer.fields if name in frame]
    _write_schema(chosen, headings(layer, names, job.lang, zone), xml)
    columns = [(_free(name), _values(chosen, name, job)) for name in names]
    label = layer.label if layer.label in frame else layer.key if layer.key in frame else ""
    titles = words(frame[label], layer.fields[label], job.lang, zone=zone) if label else None
    for row, (shape, key) in enumerate(zip(shapes, keys, strict=True)):
        if shape is None or shape.is_empty:
            continue
        with xml.element("Placemark"):
            xml.leaf("name", titles[row] if titles else "")
            if key:
                xml.leaf("styleUrl", f"#{layer.name}.{key}")
            with xml.element("ExtendedData"), xml.element("SchemaData", schemaUrl=f"#{layer.name}"):
                for name, values in columns:
                    text = values[row]
                    if text is not None:
                        xml.leaf("SimpleData", text, name=name)
            _write_geometry(shape, xml)
        xml.end_line()


def _write_styles(job: Job, chosen: Chosen, xml: _Xml, *, packed: bool) -> list[str]:
    """Write the styles of a layer; return the key of each row's, empty where there is none."""
    layer = chosen.layer
    if not chosen.styled:
        return [""] * len(chosen.frame)
    if layer.symbology is not None and layer.symbology.kind == "heat":
        job.note("no_heat", layer=layer.title.get(job.lang), format="KML")
    painted = paint(layer, chosen.whole, job.lang)
    for key, style in painted.styles.items():
        _write_style(f"{layer.name}.{key}", style, xml, packed=packed)
    return [key for key, kept in zip(painted.keys, chosen.rows, strict=True) if kept]


def _valid(job: Job, chosen: Chosen) -> npt.NDArray[np.object_]:
    """Return valid geometries in degrees; what rounding would break is mended."""
    title = chosen.layer.title.get(job.lang)
    given = job.system.degrees(chosen.frame).geometry.to_numpy()
    void = shapely.is_missing(given) | shapely.is_empty(given)
    if void.any():
        job.note("kml_empty", layer=title, count=int(void.sum()))
    broken = ~shapely.is_valid(given) & ~void
    shapes = np.array(given, dtype=object)
    if broken.any():
        job.note("kml_mended", layer=title, count=int(broken.sum()))
        shapes[broken] = shapely.make_valid(shapes[broken], method="structure")
    if chosen.layer.geometry == "Polygon":
        shapes = shapely.orient_polygons(shapes)
    return shapes


def _write_schema(chosen: Chosen, heads: Mapping[str, str], xml: _Xml) -> None:
    name = chosen.layer.name
    with xml.element("Schema", name=name, id=name):
        for field, head in heads.items():
            with xml.element("SimpleField", type=_type(chosen, field), name=_free(field)):
                xml.leaf("displayName", head)
    xml.end_line()


def _free(name: str) -> str:
    return f"{name}_" if name.lower() in _TAKEN else name


def _type(chosen: Chosen, name: str) -> str:
    kind = _TYPES.get(chosen.layer.fields[name].type, "string")
    # The integers of KML have 32 bits.
    wide = kind == "int" and bool((chosen.frame[name].abs() > MOST_INTEGER).any())
    return "double" if wide else kind


def _values(chosen: Chosen, name: str, job: Job) -> list[str | None]:
    """Return a column as texts: numbers as the schema has them, all else in words."""
    field, values = chosen.layer.fields[name], chosen.frame[name]
    if _type(chosen, name) == "string":
        texts = words(values, field, job.lang, zone=job.analysed.city.timezone)
    else:
        texts = values.astype("string").to_list()
    there = values.notna()
    return [text if known else None for text, known in zip(texts, there, strict=True)]


def _write_style(name: str, style: PathStyle, xml: _Xml, *, packed: bool) -> None:
    with xml.element("Style", id=name):
        with xml.element("IconStyle"):
            xml.leaf("color", _abgr(style.fill))
            xml.leaf("scale", f"{style.radius / 8:g}")
            # Alone, a KML has no picture of its own and takes the pin of what shows it.
            if packed:
                with xml.element("Icon"):
                    xml.leaf("href", _DOT)
        with xml.element("LabelStyle"):
            xml.leaf("scale", "0.7")
        with xml.element("LineStyle"):
            xml.leaf("color", _abgr(style.stroke))
            xml.leaf("width", f"{style.stroke_width:g}")
        with xml.element("PolyStyle"):
            xml.leaf("color", _abgr(style.fill, style.fill_opacity))
            xml.leaf("fill", int(style.fill_opacity > 0))
    xml.end_line()


def _dot() -> bytes:
    """Return a white disc as PNG (ISO 15948), which the style colours."""
    middle = (_DOT_PIXELS - 1) / 2
    away = np.hypot(*(np.indices((_DOT_PIXELS, _DOT_PIXELS)) - middle))
    opaque = np.clip((middle - away) * 255, 0, 255).astype(np.uint8)
    pixels = np.full((_DOT_PIXELS, _DOT_PIXELS, 4), 255, dtype=np.uint8)
    pixels[..., 3] = opaque
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", _DOT_PIXELS, _DOT_PIXELS, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _abgr(colour: str, opacity: float = 1.0) -> str:
    return f"{round(255 * opacity):02x}{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()


def _write_geometry(shape: shapely.Geometry, xml: _Xml) -> None:
    parts = getattr(shape, "geoms", None)
    if parts is not None:
        with xml.element("MultiGeometry"):
            for part in parts:
                _write_geometry(part, xml)
    elif isinstance(shape, shapely.Polygon):
        rings = [("outerBoundaryIs", shape.exterior)]
        rings += [("innerBoundaryIs", hole) for hole in shape.interiors]
        with xml.element("Polygon"):
            for tag, ring in rings:
                with xml.element(tag):
                    _write_geometry(ring, xml)
    else:
        with xml.element(_TAGS[int(shapely.get_type_id(shape))]):
            xml.leaf("coordinates", _coordinates(shape))


def _coordinates(shape: shapely.Geometry) -> str:
    xy = shapely.get_coordinates(shape)
    return " ".join(f"{x:.{DIGITS}f},{y:.{DIGITS}f}" for x, y in xy.tolist())
