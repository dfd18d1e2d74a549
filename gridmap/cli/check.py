"""The command check: a city's data, or any grid layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import (
    AsJson,
    LangName,
    Unmask,
    Wanted,
    analysed_city,
    help_of,
    language,
    opened,
    show_summary,
    steps_of,
    tell_files,
    writing,
)
from gridmap.cli.tables import SHOWN
from gridmap.cli.usage import UsageMistakeError
from gridmap.messages import Lang

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from gridmap.cli.console import Tell

__all__ = ["app"]

app = typer.Typer()

ParentsPath = Annotated[Path | None, typer.Option("--parents", help=help_of("check_parents"))]
Target = Annotated[float | None, typer.Option("--target", help=help_of("check_target"))]
Minimum = Annotated[float | None, typer.Option("--minimum", help=help_of("check_minimum"))]
Maximum = Annotated[float | None, typer.Option("--maximum", help=help_of("check_maximum"))]


@app.command(help=help_of("check"))
def check(
    file: Annotated[Path, typer.Argument(help=help_of("check_file"), metavar="FILE")],
    sublayer: Annotated[str, typer.Option("--sublayer", help=help_of("check_sublayer"))] = "",
    parents: Annotated[
        Path | None, typer.Option("--parents", help=help_of("check_parents"))
    ] = None,
    parents_sublayer: Annotated[
        str, typer.Option("--parents-sublayer", help=help_of("check_parents_sublayer"))
    ] = "",
    level: Annotated[str, typer.Option("--level", help=help_of("check_level"))] = "",
    buildings: Annotated[
        Path | None, typer.Option("--buildings", help=help_of("check_buildings"))
    ] = None,
    buildings_sublayer: Annotated[
        str, typer.Option("--buildings-sublayer", help=help_of("check_buildings_sublayer"))
    ] = "",
    profile: Annotated[str, typer.Option("--profile", help=help_of("check_profile"))] = "",
    target: Target = None,
    minimum: Annotated[
        float | None, typer.Option("--minimum", help=help_of("check_minimum"))
    ] = None,
    maximum: Annotated[
        float | None, typer.Option("--maximum", help=help_of("check_maximum"))
    ] = None,
    sliver: Annotated[float, typer.Option("--sliver", help=help_of("check_sliver"))] = 0.5,
    crs: Annotated[str, typer.Option("--crs", help=help_of("check_crs"))] = "",
    code_column: Annotated[str, typer.Option("--code-column", help=help_of("code_column"))] = "",
    parent_column: Annotated[
        str, typer.Option("--parent-column", help=help_of("parent_column"))
    ] = "",
    parents_code_column: Annotated[
        str, typer.Option("--parents-code-column", help=help_of("parents_code_column"))
    ] = "",
    households_column: Annotated[
        str, typer.Option("--households-column", help=help_of("households_column"))
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help=help_of("check_out"))] = None,
    fix: Annotated[bool, typer.Option("--fix", help=help_of("check_fix"))] = False,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Check a city's data, or a grid layer."""
    if file.suffix in ("", ".toml") or (file / "city.toml").exists():
        raise typer.Exit(1 if _check_city(file, out, lang, as_json) else 0)
    if fix and out is None:
        raise UsageMistakeError("audit.need_out")
    named = {
        "code": (code_column, "--code-column"),
        "parent": (parent_column, "--parent-column"),
        "households": (households_column, "--households-column"),
    }
    code_of_parents = {"code": (parents_code_column, "--parents-code-column")}
    speak = language(lang, "")
    with console.progress(3, speak, quiet=as_json) as tell:
        audited = _Audited.of(
            {
                "areas": (file, sublayer, named),
                "parents": (parents, parents_sublayer, code_of_parents),
                "buildings": (buildings, buildings_sublayer, {}),
            },
            {"minimum": minimum, "maximum": maximum, "target": target},
            {"profile": profile, "tolerance_m": sliver},
            crs=crs,
            level=level,
            fix=fix,
            tell=tell,
        )
    files = [] if out is None else _write_audit(audited, file.stem, out, speak)
    _tell_audit(audited, file.stem, out, files, speak, as_json)
    raise typer.Exit(1 if len(audited.left) else 0)


def _check_city(city: Path, out: Path | None, lang: str, as_json: bool) -> int:
    """Check a city's data and return how much was found."""
    from gridmap.outputs import as_json as summary_json
    from gridmap.outputs.export.audited import write_findings
    from gridmap.outputs.numbers import number_text
    from gridmap.outputs.tables.findings import CHECKED, city_findings

    city_file, speak = opened(city, lang)
    # Of every input it is told what became of its rows.
    wanted = Wanted((), CHECKED, whole=True)
    with console.progress(steps_of(city_file, wanted), speak, quiet=as_json) as tell:
        analysed = analysed_city(city_file, tell, speak, wanted)
    found = city_findings(analysed, speak)
    files: list[str] = []
    if out is not None:
        with writing(out, speak) as stage:
            write_findings(found, city_file.name, stage, lang=speak)
            files = sorted(path.name for path in stage.iterdir())
    if as_json:
        told = {"findings": len(found), "rows": _plain_rows(found), "files": files}
        console.say_json({**told, **summary_json(analysed)})
        return len(found)
    show_summary(analysed, speak)
    if len(found):
        _list_findings(found, speak)
    key = "found" if len(found) else "clean"
    console.say(messages.text(f"cli.{key}", speak, count=number_text(len(found))))
    if out is not None:
        tell_files(out, files, [], speak, as_json)
    return len(found)


def _plain_rows(found: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        found.drop(columns="geometry").to_json(orient="records", force_ascii=False)
    )
    return rows


def _list_findings(found: gpd.GeoDataFrame, lang: Lang) -> None:
    """Print the first findings one by one, and how many more there are."""
    from gridmap.catalog import load_catalog
    from gridmap.outputs.tables.ledger import worded

    layer = load_catalog().layer("findings")
    shown = found.head(SHOWN)[["kind", "areas", "area_m2", "fix"]]
    cells = worded(layer, shown, lang)
    console.print_table(list(cells.columns), cells.to_numpy().tolist(), title=layer.title.get(lang))
    if len(found) > SHOWN:
        more = f"{len(found) - SHOWN:,}"
        console.say(messages.text("cli.more_findings", lang, rows=more))


@dataclass(frozen=True)
class _Audited:
    """A grid layer that was checked and, if that was asked for, mended."""

    table: pd.DataFrame
    names: Mapping[str, str]
    found: gpd.GeoDataFrame
    left: gpd.GeoDataFrame
    mended: gpd.GeoDataFrame | None
    log: pd.DataFrame | None

    @classmethod
    def of(
        cls,
        inputs: dict[str, tuple[Path | None, str, dict[str, tuple[str, str]]]],
        bounds: dict[str, Any],
        options: dict[str, Any],
        *,
        crs: str,
        level: str,
        fix: bool,
        tell: Tell,
    ) -> _Audited:
        """Read the files and apply every rule."""
        from gridmap.design.audit.checks import audit
        from gridmap.design.audit.mend import mend
        from gridmap.design.codes import load_profiles
        from gridmap.sources.areas import of_level, read_areas

        name = options.pop("profile")
        options["profile"] = load_profiles()[name] if name else None
        read, working = {}, None
        for role, (path, sublayer, columns) in inputs.items():
            if path is not None:
                tell("read", name=path.name)
                read[role] = read_areas(
                    path, sublayer=sublayer, crs=crs, columns=columns, working=working,
                    coded=role != "buildings",
                )  # fmt: skip
                working = read[role].frame.crs
        areas = read["areas"].frame
        over = of_level(read["parents"], areas, level) if "parents" in read else None
        built = read["buildings"].frame if "buildings" in read else None
        tell("coverage")
        found = audit(areas, over, buildings=built, **bounds, **options)
        if not fix:
            return cls(read["areas"].table, read["areas"].names, found, found, None, None)
        mended, log = mend(areas, over, **options)
        left = audit(mended, over, buildings=built, **bounds, **options)
        return cls(read["areas"].table, read["areas"].names, found, left, mended, log)


def _write_audit(audited: _Audited, name: str, out: Path, lang: Lang) -> list[str]:
    from gridmap.outputs.export.audited import write_findings, write_mended

    with writing(out, lang) as stage:
        write_findings(audited.found, name, stage, lang=lang)
        if audited.mended is not None:
            write_mended(audited.mended, audited.table, audited.names, name, stage)
        return sorted(path.name for path in stage.iterdir())


def _tell_audit(
    audited: _Audited, name: str, out: Path | None, files: list[str], lang: Lang, as_json: bool
) -> None:
    from gridmap.outputs.numbers import number_text

    counts = {"count": number_text(len(audited.found)), "areas": number_text(len(audited.table))}
    if as_json:
        said = {
            "findings": len(audited.found),
            "areas": len(audited.table),
            "kinds": audited.found["kind"].value_counts(sort=False).to_dict(),
            "rows": _plain_rows(audited.found),
            "files": files,
        }
        if audited.log is not None:
            said["mended"] = audited.log.to_dict(orient="records")
            said["left"] = len(audited.left)
        console.say_json(said)
        return
    if len(audited.found):
        _show_findings(audited.found, messages.text("audit.title", lang, name=name), lang)
    console.say(
        messages.text("audit.found" if len(audited.found) else "audit.clean", lang, **counts)
    )
    if audited.log is not None:
        left = number_text(len(audited.left))
        done = number_text(len(audited.log))
        console.say(messages.text("audit.mended", lang, count=done, left=left))
    if out is not None:
        tell_files(out, files, [], lang, as_json)


def _show_findings(findings: gpd.GeoDataFrame, title: str, lang: Lang) -> None:
    """Print how many findings there are of each kind, and what would mend them."""
    from gridmap.catalog import load_catalog
    from gridmap.outputs.numbers import number_text

    fields = load_catalog().layer("findings").fields
    rows = []
    groups = findings.fillna({"detail": ""}).groupby(["kind", "detail", "fix"], sort=False)
    for (kind, detail, fix), group in groups:
        label = fields["kind"].categories[kind].get(lang)
        if detail:
            label += f" ({fields['detail'].categories[detail].get(lang)})"
        area = number_text(group["area_m2"].sum(), 1)
        safe = number_text(int(group["safe"].sum()))
        remedy = fields["fix"].categories[fix].get(lang)
        rows.append([label, remedy, number_text(len(group)), area, safe])
    heads = ("finding", "fix", "count", "area_m2", "safe")
    said = [messages.text(f"audit.{head}", lang) for head in heads]
    console.print_table(said, rows, title=title, numbers=3)
