"""The catalogue: what a layer is and what a map shows, read from TOML into frozen records.

Everything that depends on a layer's shape is derived from these records: the import checks
(`gridmap.schema`), the map and GIS styles (`gridmap.outputs.styles`), the tables of the store,
and the reference in ``docs/``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, ConfigDict, ValidationError, model_validator
from pydantic import Field as Key

from gridmap import resources
from gridmap.errors import CatalogError
from gridmap.leaving import clean, leaving
from gridmap.messages import Message, pick
from gridmap.records import (
    COLOUR,
    FileName,
    FrozenMap,
    MistakeError,
    Problem,
    Problems,
    Record,
    near_or_all,
    nothing,
    problems_of,
    read_toml,
    short_path,
)
from gridmap.resources import AnyPath

__all__ = [
    "Basemap",
    "Catalog",
    "Field",
    "Labels",
    "Layer",
    "MapLayer",
    "MapSpec",
    "Scales",
    "Symbology",
    "Text",
    "load_catalog",
]

Colour = Annotated[str, Key(pattern=COLOUR)]
Geometry = Literal["Point", "LineString", "Polygon", "none"]
FieldType = Literal["string", "integer", "number", "boolean", "datetime", "category"]
Mark = Literal["circle", "square", "triangle", "star", "cross"]

T = TypeVar("T")
R = TypeVar("R", bound=Record)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


class Text(Record):
    """A text in every language of the product; traditional Chinese follows from `zh`."""

    en: Annotated[str, AfterValidator(clean)]
    zh: Annotated[str, AfterValidator(clean)]

    def get(self, lang: str) -> str:
        """Return the text in one language."""
        return pick({"en": self.en, "zh": self.zh}, lang)

    def shown(self) -> Text:
        """Return it as it may be written or shown."""
        return Text(en=leaving(self.en), zh=leaving(self.zh))


class Field(Record):
    """One attribute of a layer.

    What leaves of it is decided by `gridmap.privacy`: a private one is masked whole, one that is a
    `code`, by which rows are found, is not, and any other text where it holds a phone.
    """

    type: FieldType
    label: Text
    description: Text
    unit: str = ""
    required: bool = False
    unique: bool = False
    derived: bool = False
    private: bool = False
    code: bool = False
    minimum: float | None = None
    maximum: float | None = None
    not_before: str = ""
    decimals: int = 0
    categories: FrozenMap[str, Text] = Key(default_factory=nothing)

    @model_validator(mode="after")
    def _categories_belong(self) -> Self:
        if (self.type == "category") != bool(self.categories):
            raise MistakeError("categories")
        return self


class Scales(Record):
    """From which scale on something is drawn, and up to which: denominators, 0 for no limit.

    ``farthest = 50000`` shows it from 1:50 000 on inwards.
    """

    nearest: float = Key(default=0.0, ge=0)
    farthest: float = Key(default=0.0, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.farthest and self.nearest >= self.farthest:
            raise MistakeError("scales")
        return self


class Labels(Record):
    """What is written at the features of a layer, or of some classes; sizes in pixels."""

    field: str
    classes: tuple[str, ...] = ()
    size: float = Key(default=12.0, gt=0)
    colour: Colour = "#1a202c"
    halo: Colour = "#ffffff"
    halo_width: float = Key(default=1.5, ge=0)
    scales: Scales = Scales()


class Symbology(Record):
    """How a layer is drawn, for every output alike.

    ``single`` draws all features with ``colours[0]``; ``categorised`` takes a colour by the
    value of ``field`` from ``classes``; ``graduated`` cuts ``field`` into classes, by ``breaks``
    where given, else into as many quantiles as there are ``colours``; ``heat`` is a heat map
    over ``colours``. Where ``field`` has no value at all, ``instead`` is shown. A heat map leaves
    out the rows for which the boolean field ``unless`` is true.

    Outlines are drawn in ``stroke``, or in the colour of their class with ``stroke_by_class``, and
    ``stroke_width`` wide, or as wide as their class in ``stroke_widths``. A point is drawn as
    ``icon``, or as the one of its class in ``icons``; a line lies on a wider one, its ``casing``.
    ``scales`` says at which scales a class is drawn, ``*`` for all of them.
    """

    kind: Literal["single", "categorised", "graduated", "heat"]
    field: str = ""
    instead: str = ""
    unless: str = ""
    colours: tuple[Colour, ...] = ()
    classes: FrozenMap[str, Colour] = Key(default_factory=nothing)
    breaks: tuple[float, ...] = ()
    missing: Colour = "#d9d9d9"
    stroke: Colour = "#555555"
    stroke_by_class: bool = False
    stroke_width: float = 1.0
    stroke_widths: FrozenMap[str, float] = Key(default_factory=nothing)
    fill_opacity: float = Key(default=0.6, ge=0, le=1)
    radius: float = 4.0
    dash: str = ""
    icon: Mark = "circle"
    icons: FrozenMap[str, Mark] = Key(default_factory=nothing)
    casing: Colour | None = None
    casing_width: float = Key(default=1.0, ge=0)
    scales: FrozenMap[str, Scales] = Key(default_factory=nothing)
    labels: Labels | None = None

    @model_validator(mode="after")
    def _classes_known(self) -> Self:
        labelled = self.labels.classes if self.labels else ()
        named = {"icons": self.icons, "scales": self.scales, "labels": labelled}
        named["stroke_widths"] = self.stroke_widths
        for key, given in named.items():
            odd = sorted(set(given) - set(self.classes) - ({"*"} if key == "scales" else set()))
            if odd:
                raise MistakeError(
                    "no_classes", where=key, odd=_listed(odd), known=_listed(self.classes)
                )
        return self

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind in ("categorised", "graduated") and not self.field:
            raise MistakeError("style_field", kind=self.kind)
        if self.kind == "categorised" and not self.classes:
            raise MistakeError("style_classes")
        if self.kind != "categorised" and not self.colours:
            raise MistakeError("style_colours", kind=self.kind)
        if self.breaks and len(self.breaks) != len(self.colours) - 1:
            raise MistakeError("breaks", colours=len(self.colours), breaks=len(self.breaks))
        if list(self.breaks) != sorted(set(self.breaks)):
            raise MistakeError("breaks_rise")
        return self


class Layer(Record):
    """What a layer is: geometry, fields, symbology.

    Where `point_m` is above zero, a source may give points for polygons: each is taken to be a
    square of that side, in metres.
    """

    name: FileName
    title: Text
    description: Text
    geometry: Geometry
    role: Literal["input", "result"]
    key: str = ""
    label: str = ""
    person: str = ""
    point_m: float = Key(default=0.0, ge=0)
    fields: FrozenMap[str, Field]
    symbology: Symbology | None = None
    styles: FrozenMap[str, Symbology] = Key(default_factory=nothing)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        named = {"key": self.key, "label": self.label, "person": self.person}
        for where, style in self.symbologies.items():
            named[f"{where}.field"] = style.field
            named[f"{where}.instead"] = style.instead
            named[f"{where}.unless"] = style.unless
            named[f"{where}.labels"] = style.labels.field if style.labels else ""
        for name, field in self.fields.items():
            named[f"fields.{name}.not_before"] = field.not_before
        for where, field_name in named.items():
            if field_name and field_name not in self.fields:
                known = _listed(self.fields)
                raise MistakeError("named_field", where=where, name=field_name, known=known)
        for where, style in self.symbologies.items():
            self._classes_exist(where, style)
        return self

    def _classes_exist(self, where: str, style: Symbology) -> None:
        known = self.fields[style.field].categories if style.kind == "categorised" else {}
        if known and set(style.classes) != set(known):
            odd = sorted(set(style.classes) ^ set(known))
            raise MistakeError("classes_differ", where=where, field=style.field, odd=_listed(odd))

    @property
    def symbologies(self) -> dict[str, Symbology]:
        """The usual symbology and the others, by where they stand in the layer's file."""
        usual = {} if self.symbology is None else {"symbology": self.symbology}
        return usual | {f"styles.{name}": style for name, style in self.styles.items()}

    def styled(self, name: str) -> Layer:
        """Return the layer with one of its `styles` as its symbology."""
        return self.model_copy(update={"symbology": self.styles[name]}) if name else self

    @property
    def inputs(self) -> dict[str, Field]:
        """The fields that a source may fill."""
        return {name: field for name, field in self.fields.items() if not field.derived}


class MapLayer(Record):
    """One layer as a map shows it, under its own title or another.

    `attributes` are numeric fields that the reader can choose in place of the one that the
    layer's symbology shows; `counts` is a layer of points that colours the areas by how many of
    them the chosen time has; `labels` are fields to write inside the areas, a line each; `tints`
    fills areas whose colours show nothing so that neighbours differ; layers of one `group` stand
    together in the list of layers.
    """

    layer: str
    title: Text | None = None
    group: Text | None = None
    show: bool = True
    popup: tuple[str, ...] = ()
    counts: str = ""
    attributes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    tints: bool = False
    split: str = ""
    style: str = ""
    required: bool = False


class MapSpec(Record):
    """What a map shows."""

    name: FileName
    title: Text
    description: Text
    needs: tuple[str, ...]
    layers: tuple[MapLayer, ...]
    time: Literal["", "day", "week", "month"] = ""
    click: Literal["popup", "who"] = "popup"
    job: Literal["run", "plan"] = "run"


class Basemap(Record):
    """What lies under the maps of a city; by default nothing.

    `service` is an online one, with the user's `key` where it asks for one; `path` a local file
    or folder of tiles, of which at most `most_mb` megabytes go into a page, with its
    `attribution`; `backdrop` are layers of the city itself, drawn quietly.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "not": {"required": ["service", "path"]},
            "dependencies": {"path": ["attribution"]},
        }
    )

    service: Literal["", "osm", "tianditu", "amap"] = ""
    key: str = ""
    path: str = ""
    attribution: str = ""
    most_mb: float = Key(default=8.0, gt=0)
    backdrop: tuple[Literal["barriers", "buildings", "roads"], ...] = ()

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.service and self.path:
            raise MistakeError("one_basemap")
        if self.path and not self.attribution:
            raise MistakeError("attribution")
        return self


class Catalog(Record):
    """All layers and maps that a city knows.

    Examples
    --------
    >>> catalog = gridmap.load_catalog()
    >>> catalog.layer("grids").fields["level"].categories["street"].zh
    '街道'
    >>> "workload" in catalog.maps_of("run")
    True
    """

    layers: FrozenMap[str, Layer]
    maps: FrozenMap[str, MapSpec]

    def __repr__(self) -> str:
        return f"<Catalog: {len(self.layers)} layers, {len(self.maps)} maps>"

    __str__ = __repr__

    def layer(self, name: str) -> Layer:
        """Return a layer by name.

        Raises
        ------
        CatalogError
            If there is none; the message tells those of a like name.
        """
        return _named(self.layers, name, "no_layer")

    def maps_of(self, job: str) -> list[str]:
        """Return the names of the maps of a job: ``run`` or ``plan``."""
        return [name for name, spec in self.maps.items() if spec.job == job]

    def map(self, name: str) -> MapSpec:
        """Return a map by name.

        Raises
        ------
        CatalogError
            If there is none; the message lists what there is.
        """
        return _named(self.maps, name, "no_map")

    @cached_property
    def in_order(self) -> tuple[Layer, ...]:
        """The layers, inputs first, each group by name."""
        return tuple(
            sorted(self.layers.values(), key=lambda layer: (layer.role != "input", layer.name))
        )


def _titled(record: object, name: str) -> bool:
    title = getattr(record, "title", None)
    return isinstance(title, Text) and name.casefold() in (title.en.casefold(), title.zh)


def _named(records: Mapping[str, T], name: str, problem: str) -> T:
    try:
        return records[name]
    except KeyError:
        titled = [each for each, record in records.items() if _titled(record, name)]
        key, params = near_or_all(problem, name, sorted(records), titled)
        raise CatalogError("catalog.unknown", what=Message(f"invalid.{key}", params)) from None


def load_catalog(*folders: AnyPath) -> Catalog:
    """Read the shipped layers and maps, those of installed extensions, and those of a city.

    Parameters
    ----------
    *folders : path
        Folders that may hold ``layers/*.toml`` and ``maps/*.toml``. A file named like a shipped
        one changes just the keys that it gives; any other file adds a layer or map.

    Returns
    -------
    Catalog

    Raises
    ------
    CatalogError
        Names the file, the line or key, and what would be right.

    Examples
    --------
    >>> catalog = gridmap.load_catalog()
    >>> catalog.layer("grids").title.en
    'Grids'
    >>> gridmap.load_catalog("data").layer("places").fields["risk"].label.en
    'Risk'
    """
    every = (Path(folder).resolve() for folder in (*resources.extension_folders(), *folders))
    # Most cities define nothing, and share the shipped catalogue.
    return _load(tuple(folder for folder in every if _defines(folder)))


def _defines(folder: Path) -> bool:
    return any(any((folder / kind).glob("*.toml")) for kind in ("layers", "maps"))


@cache
def _load(folders: tuple[Path, ...]) -> Catalog:
    layers: dict[str, Layer] = {}
    maps: dict[str, MapSpec] = {}
    for file, data in _definitions("layers", folders):
        layers[file.stem] = _record(Layer, file, data)
    for file, data in _definitions("maps", folders):
        spec = maps[file.stem] = _record(MapSpec, file, data)
        _check_map(spec, layers, file)
    return Catalog(layers=layers, maps=maps)


def _definitions(kind: str, folders: tuple[Path, ...]) -> Iterator[tuple[Path, dict[str, Any]]]:
    merged: dict[str, tuple[Path, dict[str, Any]]] = {}
    for folder in (resources.shipped(kind), *(folder / kind for folder in folders)):
        for file in sorted(folder.glob("*.toml")):
            _, base = merged.get(file.stem, (file, {"name": file.stem}))
            merged[file.stem] = (file, _overlay(base, read_toml(file, CatalogError)))
    yield from merged.values()


def _overlay(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _overlay(merged[key], value) if both else value
    return merged


def _record(record: type[R], file: Path, data: dict[str, Any]) -> R:
    try:
        made = record.model_validate(data)
    except ValidationError as error:
        raise _wrong(file, problems_of(error, record, data)) from None
    name = getattr(made, "name", "")
    if name != file.stem:
        raise _wrong(file, Problems((("name", "other_name", {"name": name, "file": file.name}),)))
    return made


def _wrong(file: Path, problem: Problems) -> CatalogError:
    return CatalogError("catalog.invalid", file=short_path(file), problem=problem)


def _check_map(spec: MapSpec, layers: Mapping[str, Layer], file: Path) -> None:
    found = [
        ("needs", *near_or_all("no_layer", name, layers))
        for name in spec.needs
        if name not in layers
    ]
    for number, shown in enumerate(spec.layers, start=1):
        where = f"layers {number} ({shown.layer})"
        found += [(f"{where}{at}", key, params) for at, key, params in _problems_of(shown, layers)]
    if found:
        raise _wrong(file, Problems(tuple(found)))


def _problems_of(shown: MapLayer, layers: Mapping[str, Layer]) -> Iterator[Problem]:
    layer = layers.get(shown.layer)
    if layer is None:
        yield ".layer", *near_or_all("no_layer", shown.layer, layers)
        return
    if shown.counts and shown.counts not in layers:
        yield ".counts", *near_or_all("no_layer", shown.counts, layers)
    if shown.style and shown.style not in layer.styles:
        known = _listed(layer.styles)
        yield ".style", "no_style", {"layer": layer.name, "name": shown.style, "known": known}
        return
    for key in ("popup", "attributes", "labels"):
        for name in getattr(shown, key):
            if name not in layer.fields:
                yield (
                    f".{key}",
                    *near_or_all("no_field", name, layer.fields, layer=layer.name),
                )
    if shown.split and shown.split not in layer.fields:
        yield (
            ".split",
            *near_or_all("no_field", shown.split, layer.fields, layer=layer.name),
        )
    if shown.tints and layer.geometry != "Polygon":
        yield ".tints", "tints_no_areas", {"layer": layer.name}
    elif shown.tints and _shows_by_colour(shown, layer.styled(shown.style)):
        yield ".tints", "tints_shown", {"layer": layer.name}


def _shows_by_colour(shown: MapLayer, layer: Layer) -> bool:
    style = layer.symbology
    if shown.counts or shown.attributes:
        return True
    return style is not None and style.kind != "single" and style.field != shown.split
