"""The city file: where a city's data lie and how they are read, as frozen records."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from gridmap.catalog import Catalog, Text, load_catalog
from gridmap.errors import ConfigError
from gridmap.records import FrozenMap, Record, nothing, problem_line, read_toml

__all__ = [
    "Analysis",
    "CityFile",
    "ColumnRule",
    "Design",
    "Input",
    "Join",
    "Transfer",
    "read_city_file",
]


def _as_rule(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class ColumnRule(Record):
    """How one field is filled: from a column, or numbered in the order of the rows.

    ``extract`` is a regular expression of one group; ``values`` translates what it found;
    ``format`` reads a time (as of ``strptime``); ``sequence`` numbers the rows and puts this text
    before the number; ``prefix`` is put before any value.
    """

    column: str = ""
    extract: str = ""
    values: FrozenMap[str, str] = Field(default_factory=nothing)
    format: str = ""
    prefix: str = ""
    sequence: str = ""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.column) == bool(self.sequence):
            raise ValueError("give either 'column' or 'sequence'")
        return self


class Join(Record):
    """A table whose columns are added to an input, row by row."""

    path: str
    left: str
    right: str
    encoding: str = ""


class Input(Record):
    """One source of one layer."""

    layer: str
    path: str
    sublayer: str = ""
    crs: str = ""
    encoding: str = ""
    x: str = ""
    y: str = ""
    columns: FrozenMap[str, Annotated[ColumnRule, BeforeValidator(_as_rule)]] = Field(
        default_factory=nothing
    )
    constants: FrozenMap[str, str | int | float | bool] = Field(default_factory=nothing)
    join: Join | None = None
    dissolve: bool = False

    @model_validator(mode="after")
    def _both_coordinates(self) -> Self:
        if bool(self.x) != bool(self.y):
            raise ValueError("give both 'x' and 'y', or neither")
        return self


class Transfer(Record):
    """Counts to hand on from one polygon layer to another, by shared area."""

    source: str
    target: str
    field: str
    onto: str
    reach_m: float | None = Field(default=None, gt=0)


class Analysis(Record):
    """Every threshold of the analysis, with its default."""

    level: str = ""
    zone_kinds: tuple[str, ...] = ()
    recorded_kind: str = ""
    default_minutes: float = Field(default=30.0, ge=0)
    h3_resolution: int = Field(default=9, ge=0, le=15)
    alpha: float = Field(default=0.05, gt=0, lt=1)
    neighbour_m: float = Field(default=1.0, ge=0)
    permutations: int = Field(default=0, ge=0)
    random_state: int = Field(default=0, ge=0)
    minimum_count: int = Field(default=0, ge=0)
    exposure: Literal["", "households"] = ""
    emerging_bin: str = "week"
    emerging_level: str = ""
    lixel_m: float = Field(default=100.0, gt=0)
    road_bandwidth_m: float = Field(default=200.0, gt=0)
    snap_m: float = Field(default=50.0, ge=0)
    road_crossings: bool = False
    black_spot_minimum: int = Field(default=3, ge=1)
    black_spot_categories: tuple[str, ...] = ()
    bandwidth_m: float | None = Field(default=None, gt=0)
    pile_share: float = Field(default=0.01, gt=0, le=1)
    pile_minimum: int = Field(default=30, ge=2)
    margin_m: float = Field(default=1000.0, ge=0)
    gap_minimum_m2: float = Field(default=1.0, ge=0)
    transfers: tuple[Transfer, ...] = ()


_ROADS = {
    "motorway": 3.0, "trunk": 2.0, "primary": 1.0, "main": 1.0, "secondary": 1.0,
    "tertiary": 0.5, "residential": 0.1,
}  # fmt: skip
_BARRIERS = {"river": float("inf"), "railway": float("inf"), "wall": 1.0}


class Design(Record):
    """Every choice of a plan of micro-grids, with its default.

    Weights of roads and barriers say how much it costs to have both sides in one micro-grid: 1
    for a main road, infinite for what nobody crosses.
    """

    level: str = ""
    target: float = Field(default=50.0, gt=0)
    minimum: float | None = Field(default=None, ge=0)
    maximum: float | None = Field(default=None, gt=0)
    preset: Literal["compact", "balance"] = "compact"
    weights: FrozenMap[str, float] = Field(default_factory=nothing)
    counts: FrozenMap[str, Annotated[int, Field(gt=0)]] = Field(default_factory=nothing)
    balance: str | FrozenMap[str, float] = "occupied"
    atoms: Literal["buildings", "units"] = "buildings"
    cut_large: bool = False
    roads: FrozenMap[str, float] = Field(default_factory=lambda: dict(_ROADS))
    other_roads: float = Field(default=0.1, ge=0)
    barriers: FrozenMap[str, float] = Field(default_factory=lambda: dict(_BARRIERS))
    compound_wall: float = Field(default=0.3, ge=0)
    keep_building: float = Field(default=4.0, ge=0)
    keep_compound: float = Field(default=0.5, ge=0)
    simplify_m: float = Field(default=1.0, ge=0)
    profile: str = "suffix"
    random_state: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _bounds_hold(self) -> Self:
        if not self.least <= self.target <= self.most:
            raise ValueError("design asks for minimum <= target <= maximum")
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only mapping cannot be pickled, and worker processes get these settings.
        return Design.model_validate, (self.model_dump(),)

    @property
    def least(self) -> float:
        """The hard minimum: as given, or six tenths of the target."""
        return 0.6 * self.target if self.minimum is None else self.minimum

    @property
    def most(self) -> float:
        """The hard maximum: as given, or fourteen tenths of the target."""
        return 1.4 * self.target if self.maximum is None else self.maximum


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{name}' is no time zone; write one such as 'Asia/Shanghai'") from None
    return name


class CityFile(Record):
    """A city file, read and proven."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    timezone: Annotated[str, AfterValidator(_timezone)]
    source: Text
    crs: str = ""
    as_of: dt.datetime | None = None
    lang: Literal["", "en", "zh"] = ""
    review_number: str = ""
    inputs: Annotated[tuple[Input, ...], Field(min_length=1)]
    analysis: Analysis = Analysis()
    design: Design = Design()
    folder: Path = Field(default=Path(), exclude=True)

    def path(self, relative: str) -> Path:
        """Return a path of the city file as an absolute one."""
        return (self.folder / relative).resolve()

    @property
    def catalog(self) -> Catalog:
        """The shipped catalogue with this city's own layers and maps over it."""
        return load_catalog(self.folder)


def read_city_file(path: Path) -> CityFile:
    """Read a ``city.toml``.

    Parameters
    ----------
    path : pathlib.Path
        The file, or a folder that holds a ``city.toml``.

    Returns
    -------
    CityFile

    Raises
    ------
    ConfigError
        Names the file, the line or key, and what would be right.
    """
    file = path / "city.toml" if path.is_dir() else path
    data = read_toml(file, ConfigError)
    try:
        city = CityFile.model_validate({**data, "folder": file.resolve().parent})
    except ValidationError as error:
        problem = problem_line(error, CityFile)
        raise ConfigError("config.invalid", file=file.name, problem=problem) from None
    for number, entry in enumerate(city.inputs):
        _check_input(city, number, entry, file)
    return city


def _check_input(city: CityFile, number: int, entry: Input, file: Path) -> None:
    layer = city.catalog.layer(entry.layer)
    for kind, names in (("columns", entry.columns), ("constants", entry.constants)):
        for name in names:
            if name not in layer.inputs:
                raise ConfigError(
                    "config.field",
                    file=file.name,
                    at=f"inputs.{number}.{kind}.{name}",
                    layer=layer.name,
                    known=", ".join(layer.inputs),
                )
