"""The command import-edits: what was drawn in a GIS desktop, back into a plan or a grid layer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import AsJson, LangName, Unmask, help_of, language, writing
from gridmap.cli.versions import Version

if TYPE_CHECKING:
    import pandas as pd

    from gridmap.design.plan import Plan

__all__ = ["app"]

app = typer.Typer()


@app.command("import-edits", help=help_of("import_edits"))
def import_edits(
    file: Annotated[Path, typer.Argument(help=help_of("import_edits_file"), metavar="FILE")],
    into: Annotated[Path, typer.Option("--into", help=help_of("import_edits_into"))],
    layer: Annotated[str, typer.Option("--layer", help=help_of("import_edits_layer"))] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=help_of("import_edits_yes"))] = False,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Read back edits."""
    from gridmap.sources.edits import layer_names

    if "plan_atoms" in layer_names(into) and layer in ("", "plan"):
        _into_plan(file, into, lang, yes, as_json)
    else:
        _into_areas(file, into, layer or "grids", language(lang, ""), yes, as_json)


def _into_plan(file: Path, into: Path, lang: str, yes: bool, as_json: bool) -> None:
    from gridmap.cli.plan import OpenPlan
    from gridmap.design.imported import merge_drawn
    from gridmap.sources.edits import read_edits

    held = OpenPlan.read(into, lang)
    plan, speak = held.plan, held.lang
    edits = read_edits(file, plan)
    made = merge_drawn(
        plan, edits.drawn, exported=edits.exported, moved=edits.moved, stale=edits.stale
    )
    changed = _differs(plan, made.plan)
    said = {"applied": list(made.applied), "written": changed and (yes or not as_json)}
    _tell(made.changes, made.conflicts, speak, said if as_json else None)
    if _go_on(changed, yes, speak, as_json):
        held.replace(made.plan)
        if not as_json:
            console.say(messages.text("edits.applied", speak, count=len(made.applied), path=into))
    if len(made.conflicts):
        raise typer.Exit(1)


def _differs(plan: Plan, other: Plan) -> bool:
    return (
        len(other.log) != len(plan.log)
        or list(other.name) != list(plan.name)
        or list(other.locked) != list(plan.locked)
    )


def _into_areas(
    file: Path, into: Path, layer: str, lang: messages.Lang, yes: bool, as_json: bool
) -> None:
    from gridmap.outputs.export.geopackage import replace_rows
    from gridmap.sources.edits import merge_levels, read_areas

    version = Version.of(into)
    before, after = read_areas(into, layer), read_areas(file, layer)
    merged, changes, conflicts = merge_levels(before, after)
    changed = not merged.equals(before)
    said = {"applied": [], "written": changed and (yes or not as_json)}
    _tell(changes, conflicts, lang, said if as_json else None)
    if _go_on(changed, yes, lang, as_json):
        guard = partial(version.unchanged, lang)
        with writing(into.parent, lang, asked=[into.name], guard=guard) as stage:
            count = replace_rows(into, stage / into.name, layer, before, merged)
        if not as_json:
            console.say(messages.text("edits.applied_areas", lang, count=count, path=into))
    if len(conflicts):
        raise typer.Exit(1)


def _go_on(changed: bool, yes: bool, lang: messages.Lang, as_json: bool) -> bool:
    """Ask whether to apply what can be applied, if there is anything."""
    if not changed:
        if not as_json:
            console.say(messages.text("edits.nothing", lang))
        return False
    if not yes and not as_json:
        typer.confirm(messages.text("plan.apply", lang), abort=True)
    return yes or not as_json


def _tell(
    changes: pd.DataFrame,
    conflicts: pd.DataFrame,
    lang: messages.Lang,
    said: dict[str, Any] | None,
) -> None:
    from gridmap.outputs.numbers import number_text

    if said is not None:
        plain = conflicts.astype({"value": object})
        plain["value"] = plain["value"].where(conflicts["value"].notna(), None)
        tables = {"changes": changes.to_dict("records"), "conflicts": plain.to_dict("records")}
        console.say_json({**tables, **said})
        return
    for title, table, heads in (
        ("changes", changes, ("code", "what", "field", "before", "after")),
        ("conflicts", conflicts, ("grid", "what", "codes", "value")),
    ):
        if len(table):
            words = table.assign(kind=[messages.text(f"edits.{k}", lang) for k in table["kind"]])
            if "value" in words:
                words["value"] = [number_text(v, 1) for v in words["value"]]
            rows = [[str(value) for value in row] for row in words.to_numpy()]
            named = [messages.text(f"edits.{head}", lang) for head in heads]
            console.print_table(named, rows, title=messages.text(f"edits.{title}", lang))
