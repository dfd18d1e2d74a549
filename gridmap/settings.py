"""Every threshold of the analysis and every choice of a design: records of a city file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from gridmap.records import FrozenMap, MistakeError, Record, nothing

__all__ = [
    "Alarms",
    "Analysis",
    "Clock",
    "Design",
    "Fairness",
    "Interpolation",
    "Kpis",
    "Limit",
    "Recurring",
    "Reporting",
    "Responsibility",
]


# JSON has no infinity: editors take inf of a TOML file for null.
Cost = Annotated[float, WithJsonSchema({"type": ["number", "null"]})]


# Counts alone were what nothing written stood for once.
Against = Annotated[
    Literal["auto", "none", "households", "population", "roads", "patrol_hours", "camera_hours"],
    BeforeValidator(lambda asked: asked or "none"),
]


class Finite(Record):
    """Settings whose numbers are finite; a barrier of a design may be infinite, and is a wall."""

    model_config = ConfigDict(allow_inf_nan=False)


class Interpolation(Finite):
    """Counts to interpolate from one polygon layer onto another, by shared area."""

    source: str
    target: str
    field: str
    onto: str
    reach_m: float = Field(default=50.0, ge=0)


class Limit(Record):
    """A span of time: so many of a unit of `gridmap.analysis.cases.clock.UNITS`."""

    amount: float = Field(ge=0)
    unit: Literal["urgent_hours", "working_hours", "working_days", "natural_days"]


class Clock(Finite):
    """The legal clock of cases.

    ``holidays`` are those of China (``china``) or none but the weekly days off (``none``); empty,
    they follow from the time zone. ``soon`` is how long before its deadline a case is due soon,
    ``look_back`` how long after its closing it is looked at again.
    """

    holidays: Literal["", "china", "none"] = ""
    hours: FrozenMap[str, str] = Field(default_factory=nothing)
    make_up: str | None = None
    complete: tuple[int, ...] = ()
    soon: Limit = Limit(amount=8, unit="working_hours")
    look_back: Limit = Limit(amount=7, unit="natural_days")


class Recurring(Finite):
    """When a problem counts as come back: near by, and soon after the closing."""

    within_m: float = Field(default=50.0, gt=0)
    days: float = Field(default=30.0, gt=0)


class Kpis(Finite):
    """Which tables of KPIs a run makes: one for each entry of ``by``; ``small`` marks few cases."""

    by: tuple[tuple[str, ...], ...] = ((), ("area",), ("department",), ("source",), ("category",))
    period: Literal["", "day", "week", "month", "year"] = ""
    level: str = ""
    small: int = Field(default=20, ge=0)


class Responsibility(Finite):
    """Who must answer for what.

    ``block_level`` is the level of areas in the matrix of lines and blocks; ``leads_from`` that of
    the areas whose leaders (of the role ``leader_role``) lead the zones of the kinds
    ``derived_kinds``; shares of the zone's area below ``lead_share`` do not count. Between zones of
    ``seam_kinds`` strips up to ``seam_m`` wide are looked for. Frontages reach ``frontage_m`` from
    the street front.
    """

    block_level: str = ""
    leads_from: str = ""
    leader_role: Literal["lead", "direct", "sponsor"] = "sponsor"
    derived_kinds: tuple[str, ...] = ()
    lead_share: float = Field(default=0.1, ge=0, le=1)
    seam_kinds: tuple[str, ...] = ()
    seam_m: float = Field(default=10.0, gt=0)
    frontage_m: float = Field(default=5.0, gt=0)
    road_m: float = Field(default=30.0, ge=0)
    place_m: float = Field(default=50.0, ge=0)


class Alarms(Finite):
    """Where more is reported since some time, up to now.

    ``level`` is that of the grids, or ``h3``; ``bin`` the width of time, of which a cluster has
    ``most_bins`` at the most; ``days`` how far back is compared with; ``most_share`` the largest
    share of what is expected that a circle of several grids may hold; ``replicates`` how many maps
    of chance stand behind p. What is expected follows from the past of each place
    (``permutation``), or from what problems are held against (``exposure``).
    """

    level: str = ""
    model: Literal["permutation", "exposure"] = "permutation"
    bin: str = "day"
    most_bins: int = Field(default=28, ge=1)
    days: float = Field(default=365.0, gt=0, le=36_600)
    most_share: float = Field(default=0.1, gt=0, le=1)
    replicates: int = Field(default=999, ge=1)


class Reporting(Finite):
    """How readily residents report, from repeated reports of one event.

    ``level`` is that of the areas; reports of a category up to ``within_m`` from the first report
    of an event that is not closed repeat it, for ``most_days`` at the most. ``lifetime_days`` is
    how long an event is there on average if nobody reports it. ``confidence`` is that of the
    intervals.
    """

    level: str = ""
    within_m: float = Field(default=30.0, gt=0, le=1000)
    most_days: float = Field(default=90.0, gt=0, le=3660)
    lifetime_days: float = Field(default=30.0, ge=0.04, le=36_600)
    confidence: float = Field(default=0.9, ge=0.5, lt=1)


class Fairness(Finite):
    """How fair loads are measured, and how many transfers between grids are proposed.

    ``effort`` changes keys of ``gridmap/analysis/workloads/effort.toml``.
    """

    tolerance: float = Field(default=0.2, ge=0)
    moves: int = Field(default=20, ge=0)
    across: bool = False
    effort: FrozenMap[str, Any] = Field(default_factory=nothing)


class Analysis(Finite):
    """Every threshold of the analysis, with its default.

    ``residents`` are the sources that residents report by, ``patrols`` those of people who are
    sent to look; where only the first report, nobody looks. ``interpolate`` and ``responsibility``
    were called ``transfers`` and ``duties`` once, which is still read.

    Examples
    --------
    >>> settings = gridmap.Analysis(alpha=0.01, permutations=999)
    >>> settings.alpha, settings.h3_resolution
    (0.01, 9)
    """

    level: str = ""
    zone_kinds: tuple[str, ...] = ()
    recorded_kind: str = ""
    default_minutes: float = Field(default=30.0, ge=0)
    h3_resolution: int = Field(default=9, ge=0, le=15)
    alpha: float = Field(default=0.05, gt=0, lt=1)
    neighbour_m: float = Field(default=1.0, ge=0)
    permutations: int = Field(default=0, ge=0)
    hotspot_p: Literal["exact", "normal"] = "exact"
    random_state: int = Field(default=0, ge=0)
    minimum_count: int = Field(default=0, ge=0)
    exposure: Against = "auto"
    residents: tuple[str, ...] = ()
    patrols: tuple[str, ...] = ()
    emerging_bin: str = "week"
    emerging_level: str = ""
    emerging_against: Literal["city", "households", "cube"] = "city"
    lixel_m: float = Field(default=100.0, gt=0)
    road_bandwidth_m: float = Field(default=200.0, gt=0)
    snap_m: float = Field(default=50.0, ge=0)
    road_crossings: bool = False
    road_speeds_kmh: FrozenMap[str, tuple[float, float, float, float]] = Field(
        default_factory=nothing
    )
    road_per_km: tuple[float, ...] = ()
    black_spot_minimum: int = Field(default=3, ge=1)
    black_spot_categories: tuple[str, ...] = ()
    bandwidth_m: float | None = Field(default=None, gt=0)
    bandwidth_by: Literal["rule", "cross_validation"] = "rule"
    density_edges: Literal["none", "mass", "level"] = "none"
    pile_share: float = Field(default=0.01, gt=0, le=1)
    pile_minimum: int = Field(default=30, ge=2)
    margin_m: float = Field(default=1000.0, ge=0)
    gap_minimum_m2: float = Field(default=1.0, ge=0)
    interpolate: tuple[Interpolation, ...] = Field(
        default=(), validation_alias=AliasChoices("interpolate", "transfers")
    )
    clock: Clock = Clock()
    recurrence: Recurring = Recurring()
    kpis: Kpis = Kpis()
    responsibility: Responsibility = Field(
        default=Responsibility(), validation_alias=AliasChoices("responsibility", "duties")
    )
    fairness: Fairness = Fairness()
    alarms: Alarms = Alarms()
    reporting: Reporting = Reporting()

    @model_validator(mode="after")
    def _sources_differ(self) -> Self:
        both = [name for name in self.residents if name in self.patrols]
        if both:
            raise MistakeError("both_sources", sources=", ".join(both))
        return self


_ROADS = {
    "motorway": 3.0, "trunk": 2.0, "primary": 1.0, "main": 1.0, "secondary": 1.0,
    "tertiary": 0.5, "residential": 0.1,
}  # fmt: skip
_BARRIERS = {"river": float("inf"), "railway": float("inf"), "wall": 1.0}


class Design(Record):
    """Every choice of a plan of micro-grids, with its default.

    Weights of roads and barriers say how much it costs to have both sides in one micro-grid: 1
    for a main road, infinite for what nobody crosses.

    Examples
    --------
    >>> settings = gridmap.Design(target=80)
    >>> settings.least, settings.most
    (48.0, 112.0)
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
    roads: FrozenMap[str, Cost] = Field(default_factory=lambda: dict(_ROADS))
    other_roads: float = Field(default=0.1, ge=0)
    barriers: FrozenMap[str, Cost] = Field(default_factory=lambda: dict(_BARRIERS))
    compound_wall: float = Field(default=0.3, ge=0)
    keep_building: float = Field(default=4.0, ge=0)
    keep_compound: float = Field(default=0.5, ge=0)
    simplify_m: float = Field(default=1.0, ge=0)
    profile: str = "suffix"
    random_state: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _bounds_hold(self) -> Self:
        if not self.least <= self.target <= self.most:
            raise MistakeError("bounds", least=self.least, target=self.target, most=self.most)
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
