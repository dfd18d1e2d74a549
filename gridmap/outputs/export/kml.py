"""KML 2.2 and KMZ with the colours of the maps, written by ourselves.

GDAL's drivers give up a whole file for one invalid polygon, and take no styles from frames.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gridmap.outputs.export.archive import zip_bytes
from gridmap.outputs.export.job import Job
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.styles.symbology import PathStyle, paint
from gridmap.outputs.tables.words import spoken_text

__all__ = ["write_kml", "write_kmz"]

DIGITS = 7
MOST_INTEGER = 2**31 - 1
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n'
_DOT, _DOT_PIXELS = "files/dot.png", 32
# Names that GDAL keeps for itself, in any case of letters.
_TAKEN = ("name", "description", "timestamp", "begin", "end", "visibility", "icon", "snippet")
_TAGS = {0: "Point", 1: "LineString", 2: "LinearRing"}
_TYPES = {"integer": "int", "number": "double", "boolean": "bool"}


def write_kml(job: Job, chosen: Chosen) -> list[Path]:
    """Write a layer as ``<layer>.kml``, in longitude and latitude."""
    path = job.folder / f"{chosen.layer.name}.kml"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_HEAD + "<Document>\n")
        _write_layer(job, chosen, file, packed=False)
        file.write("</Document>\n</kml>\n")
    return [path]


def write_kmz(job: Job, chosen: tuple[Chosen, ...]) -> list[Path]:
    """Write all layers as folders of ``<city>.kmz``."""
    text = io.StringIO()
    city = job.analysed.city
    text.write(_HEAD + f"<Document>\n<name>{escape(city.title.get(job.lang))}</name>\n")
    for one in chosen:
        job.tell(one.layer.name, "kmz")
        text.write(f"<Folder><visibility>{int(one.layer.role == 'result')}</visibility>\n")
        _write_layer(job, one, text, packed=True)
        text.write("</Folder>\n")
    text.write("</Document>\n</kml>\n")
    path = job.folder / f"{city.name}.kmz"
    zip_bytes(path, [("doc.kml", text.getvalue().encode("utf-8")), (_DOT, _dot())])
    return [path]


def _write_layer(job: Job, chosen: Chosen, file: TextIO, *, packed: bool) -> None:
    layer = chosen.layer
    assert isinstance(chosen.frame, gpd.GeoDataFrame)  # noqa: S101 - for the type checker
    frame, shapes = chosen.frame, _valid(job, chosen)
    file.write(f"<name>{escape(layer.title.get(job.lang))}</name>\n")
    file.write(f"<description>{escape(layer.description.get(job.lang))}</description>\n")
    keys: list[str] = [""] * len(frame)
    if chosen.styled:
        if layer.symbology is not None and layer.symbology.kind == "heat":
            job.note("no_heat", layer=layer.title.get(job.lang), format="KML")
        painted = paint(layer, chosen.whole, job.lang)
        keys = [key for key, kept in zip(painted.keys, chosen.rows, strict=True) if kept]
        for key, style in painted.styles.items():
            file.write(_style(f"{layer.name}.{key}", style, packed))
    names = [name for name in layer.fields if name in frame]
    file.write(_schema(chosen, names, job.lang))
    columns = [_values(chosen, name, job) for name in names]
    label = layer.label if layer.label in frame else layer.key if layer.key in frame else ""
    titles = spoken_text(frame[label], layer, job.lang) if label else [""] * len(frame)
    for row, (title, shape, key) in enumerate(zip(titles, shapes, keys, strict=True)):
        if shape is None or shape.is_empty:
            continue
        link = f"<styleUrl>#{layer.name}.{key}</styleUrl>" if key else ""
        file.write(f"<Placemark><name>{escape(_plain(title))}</name>{link}")
        file.write(f"<ExtendedData><SchemaData schemaUrl={quoteattr('#' + layer.name)}>")
        file.write("".join(column[row] for column in columns))
        file.write("</SchemaData></ExtendedData>")
        file.writelines(_geometry(shape))
        file.write("</Placemark>\n")


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


def _schema(chosen: Chosen, names: list[str], lang: str) -> str:
    layer = chosen.layer
    fields = "".join(
        f"<SimpleField type={quoteattr(_type(chosen, name))} "
        f"name={quoteattr(_free(name))}><displayName>{escape(layer.fields[name].label.get(lang))}"
        "</displayName></SimpleField>\n"
        for name in names
    )
    name = quoteattr(layer.name)
    return f"<Schema name={name} id={name}>\n{fields}</Schema>\n"


def _free(name: str) -> str:
    return f"{name}_" if name.lower() in _TAKEN else name


def _type(chosen: Chosen, name: str) -> str:
    kind = _TYPES.get(chosen.layer.fields[name].type, "string")
    # The integers of KML have 32 bits.
    wide = kind == "int" and bool((chosen.frame[name].abs() > MOST_INTEGER).any())
    return "double" if wide else kind


def _values(chosen: Chosen, name: str, job: Job) -> list[str]:
    """Return a column as elements, an empty text where there is no value."""
    field, values = chosen.layer.fields[name], chosen.frame[name]
    there = values.notna()
    if field.type == "datetime":
        zone = job.analysed.city.timezone
        texts = values.dt.tz_convert(zone).map(lambda t: t.isoformat(), na_action="ignore")
    elif field.type == "boolean":
        texts = values.astype("boolean").map({True: "1", False: "0"})
    else:
        texts = values.astype("string")
    tag = f"<SimpleData name={quoteattr(_free(name))}>"
    return [
        f"{tag}{escape(_plain(str(text)))}</SimpleData>" if known else ""
        for text, known in zip(texts, there, strict=True)
    ]


def _plain(text: str) -> str:
    """Return a text without the control characters that XML 1.0 cannot hold."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n\r")


def _style(name: str, style: PathStyle, packed: bool) -> str:
    # Alone, a KML has no picture of its own and takes the pin of the program that shows it.
    icon = f"<Icon><href>{_DOT}</href></Icon>" if packed else ""
    return (
        f"<Style id={quoteattr(name)}>"
        f"<IconStyle><color>{_abgr(style.fill)}</color><scale>{style.radius / 8:g}</scale>"
        f"{icon}</IconStyle>"
        f"<LabelStyle><scale>0.7</scale></LabelStyle>"
        f"<LineStyle><color>{_abgr(style.stroke)}</color><width>{style.stroke_width:g}</width>"
        f"</LineStyle><PolyStyle><color>{_abgr(style.fill, style.fill_opacity)}</color>"
        f"<fill>{int(style.fill_opacity > 0)}</fill></PolyStyle></Style>\n"
    )


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


def _geometry(shape: shapely.Geometry) -> Iterator[str]:
    parts = getattr(shape, "geoms", None)
    if parts is not None:
        yield "<MultiGeometry>"
        for part in parts:
            yield from _geometry(part)
        yield "</MultiGeometry>"
    elif isinstance(shape, shapely.Polygon):
        yield f"<Polygon><outerBoundaryIs>{_ring(shape.exterior)}</outerBoundaryIs>"
        for hole in shape.interiors:
            yield f"<innerBoundaryIs>{_ring(hole)}</innerBoundaryIs>"
        yield "</Polygon>"
    else:
        tag = _TAGS[int(shapely.get_type_id(shape))]
        yield f"<{tag}><coordinates>{_coordinates(shape)}</coordinates></{tag}>"


def _ring(ring: shapely.LinearRing) -> str:
    return f"<LinearRing><coordinates>{_coordinates(ring)}</coordinates></LinearRing>"


def _coordinates(shape: shapely.Geometry) -> str:
    xy = shapely.get_coordinates(shape)
    return " ".join(f"{x:.{DIGITS}f},{y:.{DIGITS}f}" for x, y in xy.tolist())
