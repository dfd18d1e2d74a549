"""A tiny city with every input layer, field and setting there is, and others that lack some."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.catalog import load_catalog

Frames = Mapping[str, pd.DataFrame]
STEP = 0.002  # degrees: the side of a grid
CATALOG = load_catalog()
# What is written by gridmap and read back is no input of a city file.
LAYERS = [layer for layer in CATALOG.in_order if layer.role == "input"]


def _codes(letter: str, count: int) -> list[str]:
    return [f"{letter}{k}" for k in range(count)]


def _at(origin: tuple[float, float], x: float, y: float) -> tuple[float, float]:
    return origin[0] + x * STEP, origin[1] + y * STEP


def _boxes(origin: tuple[float, float], *sides: tuple[float, float, float, float]) -> list[Any]:
    return [shapely.box(*_at(origin, a, b), *_at(origin, c, d)) for a, b, c, d in sides]


def _frame(shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)


def _areas(origin: tuple[float, float]) -> dict[str, pd.DataFrame]:
    squares = [(0, 0, 1, 1), (1, 0, 2, 1), (0, 1, 1, 2), (1, 1, 2, 2)]
    halves = [part for a, b, c, d in squares for part in ((a, b, a + 0.5, d), (a + 0.5, b, c, d))]
    inner = [(a + x, b + y) for a, b, _, _ in squares for x in (0.1, 0.6) for y in (0.1, 0.6)]
    houses = [(x, y, x + 0.2, y + 0.2) for x, y in inner]
    return {
        "grids": _frame(
            _boxes(origin, (0, 0, 2, 2), *squares),
            code=["c0", *_codes("g", 4)],
            level=["community", *["grid"] * 4],
            name=["Community", *[f"Grid {k}" for k in range(4)]],
            parent=[None, *["c0"] * 4],
            member=[None, *[f"Member {k}" for k in range(4)]],
            members=[None, 1, 2, 1, 1],
            households=[None, 60, 60, 60, 60],
            population=[None, 150, 160, 170, 0],
            patrol_hours=[None, 20.5, 10.0, 0.0, 30.0],
            camera_hours=[None, 0.0, 700.0, 8760.0, 0.0],
        ),
        "microgrids": _frame(
            _boxes(origin, *halves),
            code=_codes("m", 8),
            parent=[f"g{k // 2}" for k in range(8)],
            name=[f"Half {k}" for k in range(8)],
            member=["Member"] * 8,
            households=[30] * 8,
        ),
        "buildings": _frame(
            _boxes(origin, *houses),
            code=_codes("b", 16),
            name=[f"House {k}" for k in range(16)],
            compound=[f"k{k // 4}" for k in range(16)],
            kind=["residential"] * 16,
            floors=[6] * 16,
            units=[2] * 16,
            households=[20] * 16,
            occupied=[15] * 16,
        ),
        "units": _frame(
            _boxes(origin, *((x, y, x + 0.1, y + 0.2) for x, y in inner)),
            code=_codes("u", 16),
            building=_codes("b", 16),
            occupied=[15] * 16,
            households=[20] * 16,
        ),
        "zones": _frame(
            _boxes(origin, (0, 0, 1, 2), (1.001, 0, 2, 2), (0, 0, 2, 1)),
            code=_codes("z", 3),
            kind=["property", "property", "market"],
            name=[f"Zone {k}" for k in range(3)],
            lead=["Office A", "Office B", "Office C"],
            cooperating=["Office C"] * 3,
            valid_from=["2024-01-01"] * 3,
        ),
        "census": _frame(
            _boxes(origin, (0, 0, 1, 2), (1, 0, 2, 2)),
            code=["e0", "e1"], name=["Block 0", "Block 1"], households=[120, 120],
        ),
    }  # fmt: skip


def _lines(origin: tuple[float, float]) -> dict[str, pd.DataFrame]:
    def line(*places: tuple[float, float]) -> shapely.LineString:
        return shapely.LineString([_at(origin, *place) for place in places])

    return {
        "roads": _frame(
            [line((0, 1), (2, 1)), line((1, 0), (1, 2)), line((0, 0.5), (2, 0.5))],
            code=_codes("r", 3),
            name=["First", "Second", "Third"],
            **{"class": ["primary", "secondary", "residential"]},
            speed_kmh=[50.0, 40.0, 30.0],
        ),
        "barriers": _frame(
            [line((0.5, 0), (0.5, 2))], code=["w0"], kind=["river"], name=["River"]
        ),
        "fronts": _frame(
            [line((0.1, 0.98), (0.6, 0.98))],
            code=["f0"], name=["Shop"], holder=["Shop"], place=["p0"], valid_from=["2024-01-01"],
        ),
    }  # fmt: skip


def _points(origin: tuple[float, float], count: int) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(7)
    # Many on the first road, so that there are black spots and repeats.
    places = [_at(origin, x, y) for x, y in random.uniform(0.05, 1.95, (count, 2))]
    places[: count // 2] = [_at(origin, 0.3 + 0.01 * (k % 3), 1.005) for k in range(count // 2)]
    opened = pd.Timestamp("2024-01-01T08:00") + pd.to_timedelta(np.arange(count) * 60, unit="h")
    due = opened + pd.Timedelta(days=2)
    closed = pd.Series(opened + pd.to_timedelta(np.arange(count) % 5 * 20 + 1, unit="h"))
    said = "%Y-%m-%dT%H:%M:%S"
    some = pd.Series(np.arange(count) % 4 == 3)
    return {
        "problems": _frame(
            [shapely.Point(place) for place in places],
            code=_codes("q", count),
            category=[("litter", "parking")[k % 2] for k in range(count)],
            opened=opened.strftime(said),
            source=[("hotline", "patrol")[k // 2 % 2] for k in range(count)],
            due=due.strftime(said),
            closed=closed.dt.strftime(said).mask(some),
            address=[f"Street {k}" for k in range(count)],
            recorded_area=[f"z{k % 2}" for k in range(count)],
            department=[f"Office {'AB'[k % 2]}" for k in range(count)],
            post=["Post"] * count,
            person=["Person"] * count,
            neighbourhood=["North"] * count,
            duplicate_of=[None] * count,
            treatment=["cleaned"] * count,
            campaign=["spring"] * count,
            level=["grid"] * count,
            entered=opened.strftime(said),
            visited=(closed + pd.Timedelta(days=7)).dt.strftime(said).mask(some),
        ),
        "places": _frame(
            [shapely.Point(_at(origin, x, 0.6)) for x in (0.3, 1.3)],
            code=["p0", "p1"], name=["Shop", "School"], kind=["shop", "school"],
            risk=["high", "low"],
        ),
    }  # fmt: skip


def _tables() -> dict[str, pd.DataFrame]:
    return {
        "categories": pd.DataFrame(
            {"code": ["litter", "parking"], "minutes": [20, 40], "name": ["Litter", "Parking"]}
        ),
        "limits": pd.DataFrame(
            {
                "category": ["litter", "parking"], "amount": [4, 2],
                "unit": ["working_hours", "working_days"], "stage": ["whole"] * 2,
                "until": ["", ""], "count_opening_day": ["false"] * 2, "roll": ["true"] * 2,
            }
        ),
        "stops": pd.DataFrame(
            {"case": ["q0"], "begin": ["2024-01-01T09:00"], "end": ["2024-01-01T10:00"],
             "reason": ["rain"]}
        ),
        "events": pd.DataFrame(
            {
                "case": ["q0", "q0", "q0", "q1"],
                "event": ["report", "file", "close", "report"],
                "time": [f"2024-01-0{k}T09:00" for k in (1, 2, 3, 4)],
                "by": ["Office A"] * 4, "level": ["grid"] * 4, "until": [""] * 4,
            }
        ),
        "calendar_days": pd.DataFrame(
            {"date": ["2024-01-02"], "working": ["false"], "hours": [""]}
        ),
        "assignments": pd.DataFrame(
            {
                "code": ["a0", "a1", "a2", "a3"],
                "holder": ["Office A", "Office B", "Office C", "Office A"],
                "role": ["lead", "cooperating", "lead", "sponsor"],
                "layer": ["zones", "roads", "grids", "grids"],
                "target": ["z0", "r0", "g0", "c0"],
                "category": ["litter", "", "", ""],
                "from_m": ["", 0, "", ""], "to_m": ["", 100, "", ""],
                "valid_from": ["2023-01-01"] * 4, "valid_to": ["", "", "2030-01-01", ""],
                "phone": ["13800000000"] * 4, "source": ["Paper 1"] * 4,
            }
        ),
        "declared": pd.DataFrame(
            {
                "register": ["zones", "grids"], "declared": [3, 5], "part": ["", ""],
                "layer": ["zones", "grids"], "field": ["", ""], "value": ["", ""],
                "where": ["", ""],
            }
        ),
        "organisations": pd.DataFrame(
            {"code": ["Office A", "Office B", "Office C"], "name": ["A", "B", "C"],
             "kind": ["office"] * 3, "parent": ["", "Office A", "Office A"]}
        ),
        "organisation_areas": pd.DataFrame(
            {"organisation": ["Office A", "Office B"], "target": ["g0", "g1"]}
        ),
    }  # fmt: skip


def _settings() -> dict[str, Any]:
    """Return every setting of a city file, most at another value than its default."""
    analysis = {
        "level": "grid", "zone_kinds": ["property"], "recorded_kind": "property",
        "default_minutes": 20.0, "h3_resolution": 9, "alpha": 0.1, "neighbour_m": 2.0,
        "permutations": 9, "random_state": 3, "minimum_count": 1, "exposure": "households",
        "residents": ["hotline"], "patrols": ["patrol"], "emerging_bin": "week",
        "emerging_level": "grid", "lixel_m": 50.0, "road_bandwidth_m": 100.0, "snap_m": 40.0,
        "road_crossings": True, "road_speeds_kmh": {"primary": [40.0, 30.0, 20.0, 10.0]},
        "road_per_km": [1.0, 2.0, 3.0, 4.0], "black_spot_minimum": 2,
        "black_spot_categories": ["litter"], "bandwidth_m": 100.0, "pile_share": 0.2,
        "pile_minimum": 5, "margin_m": 500.0, "gap_minimum_m2": 2.0,
        "interpolate": [
            {"source": "census", "target": "grids", "field": "households", "onto": "households"}
        ],
        "clock": {
            "holidays": "none", "hours": {"mon": "08:30-12:00"},
            "complete": [2024], "soon": {"amount": 4.0, "unit": "working_hours"},
            "look_back": {"amount": 5.0, "unit": "natural_days"},
        },
        "recurrence": {"within_m": 20.0, "days": 20.0},
        "kpis": {
            "by": [[], ["source", "category"]], "period": "month",
            "level": "community", "small": 3,
        },
        "responsibility": {
            "block_level": "grid", "leads_from": "community", "leader_role": "sponsor",
            "derived_kinds": ["property"], "lead_share": 0.2, "seam_kinds": ["property"],
            "seam_m": 10.0, "frontage_m": 5.0, "road_m": 20.0, "place_m": 40.0,
        },
        "fairness": {"tolerance": 0.1, "moves": 3, "across": True, "effort": {"days": 90}},
        "alarms": {
            "level": "h3", "model": "exposure", "bin": "12h", "most_bins": 7, "days": 200.0,
            "most_share": 0.2, "replicates": 19,
        },
        "reporting": {
            "level": "community", "within_m": 60.0, "most_days": 60.0, "lifetime_days": 14.0,
            "confidence": 0.8,
        },
    }  # fmt: skip
    design = {
        "level": "grid", "target": 30.0, "minimum": 10.0, "maximum": 60.0, "preset": "balance",
        "weights": {"compactness": 2.0}, "counts": {"g0": 2}, "balance": "occupied",
        "atoms": "buildings", "cut_large": True, "roads": {"primary": 1.0}, "other_roads": 0.2,
        "barriers": {"river": 3.0}, "compound_wall": 0.2, "keep_building": 2.0,
        "keep_compound": 0.4, "simplify_m": 0.5, "profile": "suffix", "random_state": 1,
    }  # fmt: skip
    return {"analysis": analysis, "design": design}


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class AnyCity:
    """A city to be written: frames by layer, settings, and the head of its file."""

    frames: Frames
    settings: Mapping[str, Any] = field(default_factory=dict)
    head: Mapping[str, Any] = field(default_factory=dict)
    as_of: str = ""

    def only(self, *layers: str) -> AnyCity:
        """Return the city with some of its layers."""
        return replace(self, frames={name: self.frames[name] for name in layers})

    def without(self, *layers: str) -> AnyCity:
        """Return the city without some layers, and what in its settings reads them."""
        left = {name: frame for name, frame in self.frames.items() if name not in layers}
        city = replace(self, frames=left)
        return city.unset("analysis", "interpolate") if {"census", "grids"} & {*layers} else city

    def lacking(self, layer: str, *fields: str) -> AnyCity:
        """Return the city without some fields of a layer."""
        return self.given(layer, self.frames[layer].drop(columns=list(fields)))

    def given(self, layer: str, frame: pd.DataFrame) -> AnyCity:
        """Return the city with another layer."""
        return replace(self, frames={**self.frames, layer: frame})

    def filled(self, layer: str, /, **columns: Any) -> AnyCity:
        """Return the city with other values in a layer."""
        return self.given(layer, self.frames[layer].assign(**columns))

    def first(self, layer: str, count: int = 1) -> AnyCity:
        """Return the city with the first rows of a layer."""
        return self.given(layer, self.frames[layer].head(count))

    def set(self, table: str, /, **settings: Any) -> AnyCity:
        """Return the city with some settings."""
        return replace(
            self, settings={**self.settings, table: {**self.settings.get(table, {}), **settings}}
        )

    def unset(self, *path: str) -> AnyCity:
        """Return the city without a setting, or table of settings."""

        def less(table: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
            if len(path) > 1 and path[0] in table:
                return {**table, path[0]: less(table[path[0]], path[1:])}
            return {name: value for name, value in table.items() if name != path[0]}

        return replace(self, settings=less(self.settings, path))

    def write(self, folder: Path) -> Path:
        """Write the city and return its folder."""
        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "name": "tiny", "title": {"en": "Tiny", "zh": "小城"},
            "source": {"en": "Made up", "zh": "虚构"}, "timezone": "Asia/Shanghai", **self.head,
        }  # fmt: skip
        lines = [f"{name} = {_toml(value)}" for name, value in head.items()]
        lines += [f"as_of = {self.as_of}"] if self.as_of else []
        for table, values in self.settings.items():
            lines += [f"[{table}]", *(f"{name} = {_toml(value)}" for name, value in values.items())]
        for layer, frame in self.frames.items():
            path = f"{layer}.{'geojson' if isinstance(frame, gpd.GeoDataFrame) else 'csv'}"
            if isinstance(frame, gpd.GeoDataFrame):
                (folder / path).write_text(frame.to_json(), encoding="utf-8")
            else:
                frame.to_csv(folder / path, index=False)
            lines += ["[[inputs]]", f'layer = "{layer}"', f'path = "{path}"']
        (folder / "city.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder


def whole(origin: tuple[float, float] = (120.9, 30.7), problems: int = 40) -> AnyCity:
    """Return the tiny city with every layer and field, and no setting."""
    frames = {**_areas(origin), **_lines(origin), **_points(origin, problems), **_tables()}
    return AnyCity({layer.name: frames[layer.name] for layer in LAYERS})


def settled(origin: tuple[float, float] = (120.9, 30.7)) -> AnyCity:
    """Return the tiny city with every layer, field and setting."""
    return replace(whole(origin), settings=_settings(), as_of="2024-05-01T12:00:00")


def optional_fields() -> list[tuple[str, str]]:
    """Return every layer and field that a city may lack."""
    return [
        (layer.name, name)
        for layer in LAYERS
        for name, each in layer.inputs.items()
        if not each.required
    ]


def paths_of(settings: Mapping[str, Any], head: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    """Yield the path of every setting; tables inside tables too."""
    for name, value in settings.items():
        yield (*head, name)
        if isinstance(value, Mapping) and len(head) < 2:
            yield from paths_of(value, (*head, name))
