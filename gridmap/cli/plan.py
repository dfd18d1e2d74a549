"""The commands of zone design: design, resize, and the edits of a plan."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import (
    AsJson,
    CityPath,
    LangName,
    Unmask,
    drawn_maps,
    help_of,
    language,
    opened,
    show_summary,
    tell_files,
    tell_notes,
    writing,
)
from gridmap.cli.usage import UsageMistakeError
from gridmap.cli.versions import Version, signed, steps_since
from gridmap.messages import Lang

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridmap.catalog import Catalog
    from gridmap.config import CityFile
    from gridmap.design import Change, Figures, Plan
    from gridmap.model import City
    from gridmap.result import Analysed
    from gridmap.settings import Design

__all__ = ["OpenPlan", "app"]

app = typer.Typer()
edits = typer.Typer(help=help_of("plan"), no_args_is_help=True)
app.add_typer(edits, name="plan")

PlanPath = Annotated[Path, typer.Argument(help=help_of("plan_file"), metavar="PLAN")]
Target = Annotated[float | None, typer.Option("--target", help=help_of("target"))]
Minimum = Annotated[float | None, typer.Option("--minimum", help=help_of("minimum"))]
Maximum = Annotated[float | None, typer.Option("--maximum", help=help_of("maximum"))]
Counts = Annotated[list[str] | None, typer.Option("--count", help=help_of("count"))]
Workers = Annotated[int, typer.Option("--workers", help=help_of("workers"), min=0)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=help_of("yes"))]
_SHOWN = (("households", ",d"), ("pieces", "d"), ("compactness", ".2f"), ("crossings", ".1f"))
Codes = Annotated[list[str], typer.Argument(help=help_of("codes"))]


@app.command(help=help_of("design"))
def design(
    city: CityPath,
    out: Annotated[Path, typer.Option("--out", "-o", help=help_of("out"))] = Path("out/plan"),
    level: Annotated[str, typer.Option("--level", help=help_of("design_level"))] = "",
    target: Target = None,
    minimum: Minimum = None,
    maximum: Maximum = None,
    count: Counts = None,
    preset: Annotated[str, typer.Option("--preset", help=help_of("preset"))] = "",
    workers: Workers = 0,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Cut the grids of a city into micro-grids."""
    from gridmap.design import design_grids

    city_file, speak = opened(city, lang)
    given = {"level": level, "preset": preset, "target": target}
    settings = _settings(city_file.design, given, minimum, maximum, count)
    found = Version.of(out / f"{city_file.name}.gpkg")
    with _made(city_file, found, speak, as_json) as (model, progress, write):
        _doubt(model, settings, speak)
        plan = design_grids(
            model, settings, lang=speak, workers=workers or _cores(), progress=progress
        )
        write(plan)


@app.command(help=help_of("resize"))
def resize(
    city: CityPath,
    plan: Annotated[Path, typer.Option("--plan", help=help_of("plan_file"))],
    out: Annotated[Path, typer.Option("--out", "-o", help=help_of("out"))] = Path("out/resized"),
    target: Target = None,
    minimum: Minimum = None,
    maximum: Maximum = None,
    count: Counts = None,
    workers: Workers = 0,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Adapt a plan to other bounds, counts or buildings."""
    from gridmap.design import resize_grids
    from gridmap.sources.plan import read_plan

    city_file, speak = opened(city, lang)
    found = Version.of(out / f"{city_file.name}.gpkg")
    _, known = read_plan(plan, city_file.catalog)
    settings = _settings(known.settings, {"target": target}, minimum, maximum, count)
    with _made(city_file, found, speak, as_json) as (model, progress, write):
        _doubt(model, settings, speak)
        write(
            resize_grids(
                known, model, settings=settings, workers=workers or _cores(), progress=progress
            )
        )


@edits.command(help=help_of("show"))
def show(
    plan: PlanPath, _unmask: Unmask = False, lang: LangName = "", as_json: AsJson = False
) -> None:
    """Show the figures of a plan."""
    from gridmap.design import as_layers
    from gridmap.outputs import as_json as summary_json

    held = OpenPlan.read(plan, lang)
    city, known, speak = held.city, held.plan, held.lang
    layers = as_layers(known, city)
    if as_json:
        console.say_json(summary_json(layers))
    else:
        show_summary(layers, speak)


@edits.command(help=help_of("move"))
def move(
    plan: PlanPath,
    codes: Codes,
    to: Annotated[str, typer.Option("--to", help=help_of("move_to"))],
    yes: Yes = False,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Give buildings to another micro-grid."""
    from gridmap.design import move as edit

    _edited(plan, lambda known: edit(known, codes, to), lang, yes, as_json)


@edits.command(help=help_of("split"))
def split(
    plan: PlanPath,
    code: Annotated[str, typer.Argument(help=help_of("code"))],
    into: Annotated[int, typer.Option("--into", help=help_of("into"), min=2)] = 2,
    yes: Yes = False,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Cut a micro-grid into several."""
    from gridmap.design import split as edit

    _edited(plan, lambda known: edit(known, code, into=into), lang, yes, as_json)


@edits.command(help=help_of("merge"))
def merge(
    plan: PlanPath,
    codes: Codes,
    yes: Yes = False,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Make one micro-grid of several."""
    from gridmap.design import merge as edit

    _edited(plan, lambda known: edit(known, codes), lang, yes, as_json)


@edits.command(help=help_of("recut"))
def recut(
    plan: PlanPath,
    grid: Annotated[str, typer.Argument(help=help_of("grid_code"))],
    count: Annotated[int, typer.Option("--count", help=help_of("recut_count"), min=0)] = 0,
    yes: Yes = False,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Cut one grid anew."""
    from gridmap.design import recut as edit

    _edited(plan, lambda known: edit(known, grid, count=count), lang, yes, as_json)


@edits.command(help=help_of("lock"))
def lock(
    plan: PlanPath,
    codes: Codes,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Lock micro-grids."""
    from gridmap.design import lock as edit

    _applied(plan, lambda known: edit(known, codes), lang, as_json)


@edits.command(help=help_of("unlock"))
def unlock(
    plan: PlanPath,
    codes: Codes,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Unlock micro-grids."""
    from gridmap.design import lock as edit

    _applied(plan, lambda known: edit(known, codes, locked=False), lang, as_json)


@edits.command(help=help_of("undo"))
def undo(
    plan: PlanPath, _unmask: Unmask = False, lang: LangName = "", as_json: AsJson = False
) -> None:
    """Take back the last edit."""
    from gridmap.design import undo as edit

    _applied(plan, edit, lang, as_json)


def _cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _settings(
    base: Design,
    given: dict[str, Any],
    minimum: float | None,
    maximum: float | None,
    counts: list[str] | None,
) -> Design:
    """Return settings with what the command line says over them."""
    from pydantic import ValidationError

    from gridmap.errors import ConfigError
    from gridmap.records import problems_of
    from gridmap.settings import Design

    said = {name: value for name, value in given.items() if value not in (None, "")}
    if "target" in said:
        # Bounds follow the target unless they are given with it.
        said |= {"minimum": None, "maximum": None}
    bounds = {"minimum": minimum, "maximum": maximum}
    said |= {name: value for name, value in bounds.items() if value is not None}
    if counts:
        said["counts"] = {**base.counts, **dict(_count(text) for text in counts)}
    whole = {**base.model_dump(), **said}
    try:
        return Design.model_validate(whole)
    except ValidationError as error:
        problem = problems_of(error, Design, whole)
        raise ConfigError("config.invalid", file="gridmap design", problem=problem) from None


def _count(text: str) -> tuple[str, int]:
    code, _, number = text.rpartition("=")
    if not code or not number.isdigit():
        raise UsageMistakeError("usage.count", value=text)
    return code, int(number)


@contextmanager
def _made(
    city_file: CityFile, found: Version, lang: Lang, as_json: bool
) -> Iterator[tuple[City, Callable[[int, int], None], Callable[[Plan], None]]]:
    """Give the city, a progress bar, and what writes the plan; then tell what was written."""
    from gridmap.measures.analyse import interpolated
    from gridmap.outputs.numbers import number_text
    from gridmap.sources import read_city

    made: list[Plan] = []
    guard = partial(found.unchanged, lang)
    with (
        writing(found.path.parent, lang, guard=guard) as stage,
        console.counting(lang, quiet=as_json) as progress,
    ):
        city = read_city(city_file)
        tell_notes(city, lang)
        model, left = interpolated(city, city_file.analysis)
        if left:
            said = messages.text("cli.kept_counts", lang, count=number_text(left))
            console.say(said, err=True)
        yield model, lambda done, of: progress("design", done, of), made.append
        progress("layers", 1, 1)
        skipped = _write(made[0], model, city_file.catalog, stage, lang)
        files = sorted(path.name for path in stage.iterdir())
    _tell_plan(made[0], model, found.path.parent, files, skipped, lang, as_json)


def _doubt(city: City, settings: Design, lang: Lang) -> None:
    """Tell on standard error what makes a plan doubtful, before it is made."""
    from gridmap.design import doubts

    for doubt in doubts(city, settings):
        console.say(messages.text("cli.warning", lang, message=doubt.text(lang)), err=True)


def _write(plan: Plan, city: City, catalog: Catalog, folder: Path, lang: Lang) -> list[str]:
    """Write a plan with its maps and its report; return why a map was left out."""
    from gridmap.design import as_layers
    from gridmap.outputs import save_page, write_layers, write_report

    layers = as_layers(plan, city)
    write_layers(layers, folder, formats=["gpkg"], lang=lang)
    write_report(layers, folder, lang)
    names = [name for name in catalog.maps_of("plan") if _can_draw(layers, name)]
    drawn, skipped = drawn_maps(layers, names, lang, lambda *_, **__: None)
    for name, page in drawn.items():
        save_page(page, folder / f"{name}.html")
    return skipped


def _can_draw(layers: Analysed, name: str) -> bool:
    """Tell whether the layers have the fields that the map's styles show."""
    catalog = layers.city.catalog
    for shown in catalog.map(name).layers:
        style, frame = catalog.layer(shown.layer).styles.get(shown.style), layers.frame(shown.layer)
        if style is not None and frame is not None and style.field not in ("", *frame.columns):
            return False
    return True


def _tell_plan(
    plan: Plan,
    city: City,
    out: Path,
    files: list[str],
    skipped: list[str],
    lang: Lang,
    as_json: bool,
) -> None:
    from gridmap.design import as_layers
    from gridmap.outputs import as_json as summary_json

    layers = as_layers(plan, city)
    if as_json:
        said = {**summary_json(layers), "out": str(out), "files": files, "skipped": skipped}
        console.say_json(said)
        return
    show_summary(layers, lang)
    tell_files(out, files, skipped, lang, as_json)


@dataclass(frozen=True)
class OpenPlan:
    """A plan that was read to be changed, and may be changed by others meanwhile."""

    version: Version
    city: City
    plan: Plan
    lang: Lang

    @classmethod
    def read(cls, path: Path, lang: str) -> OpenPlan:
        """Read a plan."""
        from gridmap.catalog import load_catalog
        from gridmap.sources.plan import read_plan

        version = Version.of(path)
        city, plan = read_plan(path, load_catalog())
        return cls(version, city, plan, language(lang, plan.lang))

    def replace(self, plan: Plan) -> None:
        """Write a plan, its maps and its report in the place of the old ones.

        Raises
        ------
        ConformError
            If somebody has changed the old one since it was read; the message says who.
        """
        from gridmap.sources.plan import read_plan

        path = self.version.path

        def now() -> Plan:
            return read_plan(path, self.city.catalog)[1]

        def guard() -> AbstractContextManager[None]:
            return self.version.unchanged(self.lang, lambda: steps_since(self.plan, now))

        with writing(path.parent, self.lang, asked=[path.name], guard=guard) as stage:
            made = signed(plan, self.plan)
            _write(made, self.city, self.city.catalog, stage, self.lang)
            (stage / f"{self.city.name}.gpkg").rename(stage / path.name)


def _edited(
    path: Path, edit: Callable[[Plan], Change], lang: str, yes: bool, as_json: bool
) -> None:
    """Show what an edit does, ask, and apply it."""
    held = OpenPlan.read(path, lang)
    change, speak = edit(held.plan), held.lang
    if as_json:
        console.say_json(_plain(change))
    else:
        _show_change(change, speak)
    if not yes:
        if as_json:
            return
        typer.confirm(messages.text("plan.apply", speak), abort=True)
    held.replace(change.plan)
    if not as_json:
        console.say(messages.text("plan.applied", speak, path=path))


def _applied(path: Path, edit: Callable[[Plan], Plan], lang: str, as_json: bool) -> None:
    held = OpenPlan.read(path, lang)
    changed, speak = edit(held.plan), held.lang
    held.replace(changed)
    if as_json:
        console.say_json({"steps": len(changed.log), "micro_grids": len(changed)})
    else:
        console.say(messages.text("plan.applied", speak, path=path))


def _plain(change: Change) -> dict[str, Any]:
    return {
        "grid": change.grid,
        "households_moved": change.households_moved,
        "before": [vars(figures) for figures in change.before],
        "after": [vars(figures) for figures in change.after],
        "torn": list(change.torn),
        "beyond": list(change.beyond),
    }


def _show_change(change: Change, lang: Lang) -> None:
    before = {figures.code: figures for figures in change.before}
    after = {figures.code: figures for figures in change.after}
    rows = [
        [code, *(_pair(before.get(code), after.get(code), *shown) for shown in _SHOWN)]
        for code in sorted({*before, *after})
    ]
    heads = [messages.text(f"plan.{name}", lang) for name in ("code", *(n for n, _ in _SHOWN))]
    title = messages.text("plan.change", lang, grid=change.grid, count=change.households_moved)
    console.print_table(heads, rows, title=title, numbers=len(heads) - 1)
    for name in ("torn", "beyond"):
        codes = getattr(change, name)
        if codes:
            console.say(messages.text(f"plan.{name}", lang, codes=", ".join(codes)))


def _pair(before: Figures | None, after: Figures | None, name: str, form: str) -> str:
    """Return a figure before and after an edit, a dash where there is none."""
    said = [format(getattr(side, name), form) if side else "–" for side in (before, after)]
    return " → ".join(said if said[0] != said[1] else said[:1])
