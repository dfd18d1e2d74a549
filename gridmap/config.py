"""The city file: where a city's data lie and how they are read, as frozen records."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from gridmap.catalog import Basemap, Catalog, Text, load_catalog
from gridmap.errors import ConfigError
from gridmap.records import (
    FileName,
    FrozenMap,
    MistakeError,
    Problem,
    Problems,
    Record,
    near_or_all,
    nothing,
    place_of,
    problems_of,
    read_toml,
)
from gridmap.settings import Analysis, Design

__all__ = [
    "CityFile",
    "ColumnRule",
    "Input",
    "Join",
    "read_city_file",
]


# What strptime knows.
_DIRECTIVES = "aAwdbBmyYHIpMSfzZjUWcxXGuV%"
_NUMBERED = ("excel", "epoch_s", "epoch_ms")  # as numbers, see gridmap.sources.times


def _as_rule(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


def _time_format(text: str) -> str:
    if text and "%" not in text and text not in _NUMBERED:
        raise MistakeError("no_directive", found=text)
    unknown = sorted(set(re.findall("%(.?)", text, re.DOTALL)) - set(_DIRECTIVES))
    if unknown:
        raise MistakeError("time_format", unknown=", ".join(f"%{letter}" for letter in unknown))
    return text


class ColumnRule(Record):
    """How one field is filled: from a column, or numbered in the order of the rows.

    ``extract`` is a regular expression of one group; ``values`` translates what it found;
    ``format`` reads a time (as of ``strptime``); ``sequence`` numbers the rows and puts this text
    before the number; ``prefix`` is put before any value.

    Examples
    --------
    >>> from gridmap.config import ColumnRule, Input
    >>> rule = ColumnRule(column="status", values={"done": "closed"})
    >>> entry = Input(layer="problems", path="cases.csv", columns={"state": rule, "code": "id"})
    >>> entry.columns["state"].values["done"], entry.columns["code"].column
    ('closed', 'id')
    """

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["column"]}, {"required": ["sequence"]}]}
    )

    column: str = ""
    extract: str = ""
    values: FrozenMap[str, str] = Field(default_factory=nothing)
    format: Annotated[str, AfterValidator(_time_format)] = ""
    prefix: str = ""
    sequence: str = ""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.column) == bool(self.sequence):
            raise MistakeError("one_origin")
        return self


class Join(Record):
    """A table whose columns are added to an input, row by row.

    Examples
    --------
    >>> from gridmap.config import Input, Join
    >>> people = Join(path="people.csv", left="id", right="grid")
    >>> Input(layer="grids", path="grids.geojson", join=people).join.path
    'people.csv'
    """

    path: str
    left: str
    right: str
    encoding: str = ""


class Input(Record):
    """One source of one layer.

    Examples
    --------
    >>> from gridmap.config import Input
    >>> entry = Input(layer="places", path="shops.csv", x="lon", y="lat", columns={"code": "id"})
    >>> entry.columns["code"].column
    'id'
    """

    model_config = ConfigDict(json_schema_extra={"dependencies": {"x": ["y"], "y": ["x"]}})

    layer: str
    path: str
    sublayer: str = ""
    crs: str = ""
    encoding: str = ""
    x: str = ""
    y: str = ""
    columns: FrozenMap[
        str,
        Annotated[ColumnRule, BeforeValidator(_as_rule, json_schema_input_type=str | ColumnRule)],
    ] = Field(default_factory=nothing)
    constants: FrozenMap[str, str | int | float | bool] = Field(default_factory=nothing)
    join: Join | None = None
    dissolve: bool = False

    @model_validator(mode="after")
    def _both_coordinates(self) -> Self:
        if bool(self.x) != bool(self.y):
            raise MistakeError("both_coordinates")
        return self


def _moment(value: object) -> object:
    # pydantic would take a number for seconds since 1970, such as 20260131.
    if isinstance(value, int | float):
        raise MistakeError("datetime_type", found=value)
    return value


# Not the format date-time, which asks for an offset; without one it is the city's time zone.
_WRITTEN = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$"}
Moment = Annotated[dt.datetime, BeforeValidator(_moment), WithJsonSchema(_WRITTEN)]


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise MistakeError("time_zone", name=name) from None
    return name


class CityFile(Record):
    """A city file, read and proven.

    Examples
    --------
    >>> city_file = gridmap.read_city_file("data")
    >>> city_file.analysis.h3_resolution
    11
    >>> city_file.path("areas.gpkg").name
    'areas.gpkg'
    """

    name: FileName
    title: Text
    timezone: Annotated[str, AfterValidator(_timezone)]
    source: Text
    crs: str = ""
    as_of: Moment | None = None
    lang: Literal["", "en", "zh", "zh-Hans", "zh-Hant"] = ""
    review_number: str = ""
    inputs: Annotated[tuple[Input, ...], Field(min_length=1)]
    analysis: Analysis = Analysis()
    design: Design = Design()
    basemap: Basemap = Basemap()
    _folder: Path = PrivateAttr(default=Path())

    def __repr__(self) -> str:
        return f"<CityFile {self.name}: {len(self.inputs)} inputs in {self.folder}>"

    __str__ = __repr__

    @property
    def folder(self) -> Path:
        """Where the file lies; paths start from there."""
        return self._folder

    def path(self, relative: str) -> Path:
        """Return a path of the city file as an absolute one."""
        path = self.folder / relative
        # No file has a name with a nought byte in it, and what opens it says so.
        return path if "\0" in relative else path.resolve()

    @property
    def catalog(self) -> Catalog:
        """The shipped catalogue with this city's own layers and maps over it."""
        return load_catalog(self.folder)


def read_city_file(path: str | PathLike[str]) -> CityFile:
    """Read a ``city.toml``.

    Parameters
    ----------
    path : path
        The file, or a folder that holds a ``city.toml``.

    Returns
    -------
    CityFile

    Raises
    ------
    ConfigError
        Names the file, the line or key, and what would be right.

    Examples
    --------
    >>> city_file = gridmap.read_city_file("data")
    >>> city_file.name, city_file.timezone
    ('qinghe', 'Asia/Shanghai')
    >>> city_file.inputs[0].path
    'areas.gpkg'
    """
    if not isinstance(path, str | PathLike):
        raise ConfigError("toml.no_path", found=type(path).__name__)
    file = Path(path)
    file = file / "city.toml" if file.is_dir() else file
    data = read_toml(file, ConfigError)
    folder = file.resolve().parent
    try:
        city = CityFile.model_validate(data)
        problems: tuple[Problem, ...] = ()
    except ValidationError as error:
        problems = problems_of(error, CityFile, data).found
    problems += tuple(_misnamed(data, load_catalog(folder)))
    if problems:
        raise ConfigError("config.invalid", file=file.name, problem=Problems(problems))
    city._folder = folder
    return city


def _misnamed(data: Mapping[str, Any], catalog: Catalog) -> Iterator[Problem]:
    """Yield what names a layer or field that there is not, in a file that may be wrong besides."""
    inputs = _listed(data, "inputs")
    for number, entry in inputs:
        if isinstance(entry.get("layer"), str):
            yield from _misnamed_in(entry, place_of(("inputs", number), data), catalog)
    read = {entry.get("layer") for _, entry in inputs}
    for key in ("interpolate", "transfers"):
        for number, step in _listed(data.get("analysis"), key):
            for side in ("source", "target"):
                if isinstance(step.get(side), str) and step[side] not in read:
                    where = place_of(("analysis", key, number, side), data)
                    yield where, "no_input", {"layer": step[side]}


def _misnamed_in(entry: Mapping[str, Any], where: str, catalog: Catalog) -> Iterator[Problem]:
    layer = entry["layer"]
    if layer not in catalog.layers:
        known = [each.name for each in catalog.in_order if each.role == "input"]
        yield f"{where}.layer", *near_or_all("no_layer", layer, known)
        return
    fields = catalog.layer(layer).inputs
    for key in ("columns", "constants"):
        given = entry.get(key)
        for name in given if isinstance(given, dict) else ():
            if name not in fields:
                yield f"{where}.{key}", *near_or_all("no_field", name, fields, layer=layer)


def _listed(data: object, key: str) -> list[tuple[int, dict[str, Any]]]:
    """Return the tables of a list of tables, by position."""
    given = data.get(key) if isinstance(data, dict) else None
    entries = enumerate(given) if isinstance(given, list) else ()
    return [(number, entry) for number, entry in entries if isinstance(entry, dict)]
