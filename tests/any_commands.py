"""Every command on a city, and what it may end in: a result, or one line that is true."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from any_city import CATALOG, LAYERS, AnyCity, optional_fields, paths_of, settled, whole

from gridmap import cli
from gridmap.cli.run import wanted_of_map
from gridmap.cli.work import _GAPS
from gridmap.measures.registry import load_measures
from gridmap.outputs.export.formats import FORMATS
from gridmap.outputs.tables.findings import CHECKED

__all__ = [
    "COMMANDS",
    "QUICK",
    "Cities",
    "Command",
    "failures",
    "lacking_fields",
    "lacking_layers",
    "lacking_settings",
    "named_cities",
    "odd_cities",
    "run",
]

# What no person should read: a value that is none, a moment that is none, an inside of the code.
_RAW = re.compile(r"(?<![\w./-])(nan|NaN|NaT|None|<NA>|Traceback)(?![\w./-])|1970-01-01")


@dataclass(frozen=True)
class Outcome:
    """What a command ended in."""

    code: int
    out: str
    err: str
    fault: str = ""

    @property
    def wrong(self) -> str:
        """What is wrong with that, if anything."""
        lines = self.err.splitlines()
        if self.fault or self.code not in (0, 1):
            return self.fault or f"code {self.code}: {self.err}"
        found = _RAW.search(self.out + self.err)
        if found:
            return f"says {found[0]}"
        told = [line for line in lines if not line.startswith(("Note: ", "note: "))]
        if self.code and not self.out and len(told) != 1:
            return f"is not one line: {self.err}"
        if self.code and not self.out and not re.search(r"[;:,] ?.+", told[0][9:]):
            return f"names no remedy: {told[0]}"
        return ""


@dataclass(frozen=True)
class Command:
    """A command, the input layers that it reads, and the settings that it depends on."""

    name: str
    call: Callable[[Path, Path], list[str | Path]]
    layers: frozenset[str]
    settings: frozenset[str] = frozenset()


def run(arguments: Sequence[str | Path]) -> Outcome:
    """Run a command in this process."""
    saved, sys.argv = sys.argv, ["gridmap", *map(str, arguments)]
    out, err, code, fault = io.StringIO(), io.StringIO(), 0, ""
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__}: {error} at {Path(place.filename).name}:{place.lineno}"
    finally:
        sys.argv = saved
    return Outcome(code, out.getvalue(), err.getvalue(), fault)


def _inputs(results: Iterable[str]) -> frozenset[str]:
    known = {layer.name for layer in LAYERS}
    return load_measures().inputs(results) & known


def _settings(results: Iterable[str]) -> frozenset[str]:
    plan = load_measures().plan(results)
    return frozenset(name for measure in plan for name in measure.settings)


def _work(name: str, results: Sequence[str], *more: str) -> Command:
    return Command(
        name,
        lambda city, out: [name, city, *more, "--csv", out / "csv"],
        _inputs(results),
        _settings(results),
    )


def _map(name: str) -> Command:
    wanted = wanted_of_map(CATALOG.map(name)).names
    return Command(
        f"map {name}",
        lambda city, out: ["map", name, city, "--out", out],
        _inputs(wanted or ()),
        _settings(wanted or ()),
    )


def _export(form: str) -> Command:
    names = ("grids", "problems", "grid_results", "zones", "roads", "unseen", "black_spots")
    asked = [part for name in names for part in ("--layer", name)]
    return Command(
        f"export {form}",
        lambda city, out: ["export", city, "--format", form, *asked, "--out", out],
        _inputs(names),
    )


def _plan(name: str, city: Path, out: Path) -> list[str | Path]:
    return [name, city, "--out", out / "plan", "--workers", "1"]


_WORK = (
    _work("kpis", ["case_table", "kpis"], "--period", "month"),
    _work("overdue", ["deadlines", "look_back", "case_findings"]),
    _work("recurrence", ["case_table"], "--by", "category"),
    _work("fairness", ["fairness", "problems", "transfers"]),
    _work("dead-corners", _GAPS),
)
COMMANDS = {
    command.name: command
    for command in (
        *_WORK,
        *map(_map, CATALOG.maps_of("run")),
        *map(_export, FORMATS),
        Command(
            "check",
            lambda city, out: ["check", city, "--out", out],
            _inputs(CHECKED),
            _settings(CHECKED),
        ),
        Command(
            "bulletin",
            lambda city, out: ["bulletin", city, "--period", "month", "--out", out],
            _inputs(["case_table"]),
        ),
        Command(
            "design",
            lambda city, out: _plan("design", city, out),
            frozenset({"grids", "buildings", "units", "roads", "barriers"}),
        ),
        Command(
            "who",
            lambda city, _: ["who", city, _middle(city)],
            _inputs(["holders"]),
            _settings(["holders"]),
        ),
        Command(
            "run",
            lambda city, out: ["run", city, "--out", out, "--store", out / "s.sqlite"],
            frozenset(layer.name for layer in LAYERS),
        ),
    )
}


def _middle(city: Path) -> str:
    """Return a place in the city, as its grids or the first of its layers have it."""
    for path in sorted(city.glob("*.geojson"), key=lambda path: path.stem != "grids"):
        found = re.search(r"\[\s*(-?[\d.]+),\s*(-?[\d.]+)\s*\]", path.read_text(encoding="utf-8"))
        if found:
            return f"{float(found[1]) - 0.0005},{float(found[2]) + 0.0005}"
    return "120.9,30.7"


# Layers and settings that are read together.
_TOGETHER = (
    ("grids", "zones"), ("grids", "problems"), ("zones", "assignments"), ("buildings", "units"),
    ("problems", "places"), ("organisations", "organisation_areas"), ("events", "limits"),
    ("limits", "stops"), ("organisations", "assignments"), ("roads", "fronts"),
    ("categories", "limits"), ("roads", "barriers"), ("microgrids", "buildings"),
)  # fmt: skip


# Every combination takes half an hour; without this, what several commands read is taken in turns.
EVERY = bool(os.environ.get("GRIDMAP_EVERY_COMBINATION"))
SLOW = ("run", *(name for name in COMMANDS if name.startswith("export ")))
QUICK = [name for name in COMMANDS if name not in SLOW]
Cities = Iterator[tuple[str, AnyCity]]


def _mine(command: Command, turn: int, able: Sequence[str], times: int = 1) -> bool:
    """Tell whether it is the turn of a command, of those that are able to."""
    if EVERY or command.name not in able or times >= len(able):
        return EVERY or command.name in able
    first = turn * times % len(able)
    return (able.index(command.name) - first) % len(able) < times


def _readers(layer: str) -> list[str]:
    return [name for name in QUICK if layer in COMMANDS[name].layers]


def _cities(command: Command) -> tuple[AnyCity, AnyCity]:
    """Return the city with all that a command reads, with every setting and with none."""
    mine = sorted(command.layers)
    full = settled().only(*mine)
    if not {"census", "grids"} <= {*mine}:
        full = full.unset("analysis", "interpolate")
    return full, whole().only(*mine)


def lacking_layers(command: Command) -> Cities:
    """Yield cities that lack a layer that a command reads, or two that are read together."""
    full, bare = _cities(command)
    yield "everything", full
    yield "no settings", bare
    for turn, layer in enumerate(layer.name for layer in LAYERS):
        if layer not in command.layers:
            continue
        yield f"no {layer}", full.without(layer)
        if _mine(command, turn, _readers(layer)):
            yield f"no {layer}, no settings", bare.without(layer)
    for turn, pair in enumerate(_TOGETHER):
        able = [name for name in _readers(pair[0]) if name in _readers(pair[1])]
        if _mine(command, turn, able, 2) and {*pair} <= command.layers:
            yield f"no {pair[0]}, no {pair[1]}", full.without(*pair)


def lacking_fields(command: Command) -> Cities:
    """Yield cities that lack a field that a command reads, or all of a layer that need not be."""
    full, _ = _cities(command)
    for turn, (layer, name) in enumerate(optional_fields()):
        if layer in command.layers and _mine(command, turn, _readers(layer)):
            yield f"no {layer}.{name}", full.lacking(layer, name)
    for turn, layer in enumerate(layer.name for layer in LAYERS):
        fields = [field for each, field in optional_fields() if each == layer]
        if layer in command.layers and _mine(command, turn, _readers(layer)):
            yield f"nothing but the required of {layer}", full.lacking(layer, *fields)
            yield f"empty fields of {layer}", full.filled(layer, **dict.fromkeys(fields))


def lacking_settings(command: Command) -> Cities:
    """Yield cities that lack a setting that a command depends on."""
    full, _ = _cities(command)
    for turn, path in enumerate(paths_of(full.settings)):
        able = [name for name in QUICK if path[0] == "design" or path[1:2] == ("interpolate",)
                or {*path[1:2]} <= COMMANDS[name].settings]  # fmt: skip
        able = ["design"] if path[0] == "design" else able
        if _mine(command, turn, able):
            yield f"unset {'.'.join(path)}", full.unset(*path)


def odd_cities(command: Command) -> Cities:
    """Yield cities that are odd as a whole."""
    group = "map " if command.name.startswith("map ") else "export "
    able = [name for name in COMMANDS if name.startswith(group)]
    for turn, (name, city) in enumerate(named_cities().items()):
        if command.name == "run":
            mine = EVERY or turn % 3 == 0
        else:
            mine = command.name not in able or _mine(command, turn, able, 2)
        if mine:
            yield name, city


def named_cities() -> dict[str, AnyCity]:
    """Return cities that are odd as a whole."""
    full, bare = settled(), whole()
    grids, cases = bare.frames["grids"], bare.frames["problems"]
    one = bare.given("grids", grids.iloc[[1]].assign(parent=None))
    alike = cases.assign(
        **{n: [cases[n].iloc[0]] * len(cases) for n in cases if n not in ("code", "geometry")}
    ).set_geometry([cases.geometry.iloc[0]] * len(cases), crs=4326)
    return {
        "nothing but grids": bare.only("grids"),
        "nothing but problems": bare.only("problems"),
        "grids and problems": bare.only("grids", "problems"),
        "one grid": one,
        "one grid, one case": one.only("grids", "problems").first("problems"),
        "one case": full.first("problems"),
        "two cases": bare.first("problems", 2),
        "all cases alike": full.given("problems", alike),
        "nothing open": full.filled("problems", closed=cases["due"]),
        "everything open": full.filled("problems", closed=None, visited=None),
        "no problems": bare.without("problems"),
        "no roads": full.without("roads", "barriers"),
        "western": settled((-77.03, 38.9)),
        "southern": settled((151.2, -33.8)),
        "south-western": whole((-58.4, -34.6)),
        "at the date line": whole((179.99, -17.0)),
        "on the equator": whole((-0.002, -0.002)),
        "another time": AnyCity(full.frames, full.settings, {"timezone": "America/New_York"}),
        "summer time of another half": AnyCity(
            whole((151.2, -33.8)).frames, {}, {"timezone": "America/St_Johns"}
        ),
        "grids without names": full.lacking("grids", "name", "member", "members", "parent"),
        "no organisation": full.without("organisations", "organisation_areas"),
        "a recorded kind alone": bare.without("zones").set("analysis", recorded_kind="property"),
        "no field that need not be": _bare_fields(full),
        "one of each": _one_of_each(bare),
    }


def _bare_fields(city: AnyCity) -> AnyCity:
    for layer in LAYERS:
        fields = [name for name, each in layer.inputs.items() if not each.required]
        city = city.lacking(layer.name, *fields)
    return city


def _one_of_each(city: AnyCity) -> AnyCity:
    for name, frame in city.frames.items():
        city = city.given(name, frame.iloc[[1]] if name == "grids" else frame.head(1))
    return city


def failures(
    command: Command, cities: Iterable[tuple[str, AnyCity]], folder: Path
) -> tuple[int, list[str]]:
    """Run a command on cities; return how many there were, and what was wrong with which."""
    count, wrong = 0, []
    for name, city in cities:
        place = folder / str(count)
        known = city.only(*command.layers & {*city.frames}) if command.name != "run" else city
        outcome = run(command.call((known if known.frames else city).write(place / "city"), place))
        if outcome.wrong:
            wrong.append(f"{name}: {outcome.wrong}")
        shutil.rmtree(place)
        count += 1
    return count, wrong
