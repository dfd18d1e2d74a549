"""The commands about work: kpis, overdue, recurrence, alarms, dead-corners, fairness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import (
    AsJson,
    CityPath,
    LangName,
    Unmask,
    Wanted,
    analysed_city,
    help_of,
    moment_of,
    opened,
    steps_of,
    writing,
)
from gridmap.cli.tables import CsvPath, tell_tables
from gridmap.messages import Lang

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from gridmap.config import CityFile
    from gridmap.measures.cases import CaseTable
    from gridmap.model import City
    from gridmap.result import Analysed
    from gridmap.settings import Analysis

__all__ = ["app"]

app = typer.Typer()

# What is told of responsibility, in the order in which it is told.
_GAPS = (
    "dead_corners", "duty_findings", "line_by_block", "derived_leads", "bare_roads", "seams",
    "corridors", "frontages", "reconciled",
)  # fmt: skip


def _asked(
    city_file: CityFile, lang: Lang, want: Sequence[str], also: Sequence[str] = (), *, quiet: bool
) -> Analysed:
    """Compute some results of a city, and what they depend on."""
    wanted = Wanted(tuple(want), tuple(also))
    with console.progress(steps_of(city_file, wanted), lang, quiet=quiet) as tell:
        return analysed_city(city_file, tell, lang, wanted)


def _found(analysed: Analysed, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    return {name: analysed.results[name].frame for name in names if name in analysed.results}


def _cases(city_file: CityFile, lang: Lang, at: str = "", *, quiet: bool) -> tuple[City, CaseTable]:
    """Read a city and make the table of its cases, as it was known at a moment."""
    from gridmap.measures.analyse import inputs_of
    from gridmap.measures.cases import case_table
    from gridmap.sources import read_city
    from gridmap.sources.city import inputs_to_read

    layers = inputs_of(("case_table",), city_file.analysis)
    with console.progress(len(inputs_to_read(city_file, layers)), lang, quiet=quiet) as tell:
        city = read_city(city_file, layers=layers, progress=lambda name: tell("read", name=name))
    moment = moment_of(at, city_file.timezone) if at else None
    return city, case_table(city, city_file.analysis, at=moment)


@app.command(help=help_of("kpis"))
def kpis(
    city: CityPath,
    by: Annotated[list[str] | None, typer.Option("--by", help=help_of("kpis_by"))] = None,
    period: Annotated[str, typer.Option("--period", help=help_of("kpis_period"))] = "",
    level: Annotated[str, typer.Option("--level", help=help_of("kpis_level"))] = "",
    kpi: Annotated[list[str] | None, typer.Option("--kpi", help=help_of("kpis_kpi"))] = None,
    at: Annotated[str, typer.Option("--at", help=help_of("kpis_at"))] = "",
    proof: Annotated[int | None, typer.Option("--proof", help=help_of("kpis_proof"), min=0)] = None,
    csv: CsvPath = None,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Compute KPIs; each shows its numerator and denominator, and can list its cases."""
    from gridmap.measures.cases import kpi_tables
    from gridmap.outputs.tables.indicators import kpi_cells, kpi_words
    from gridmap.privacy import shown_frame

    city_file, speak = opened(city, lang)
    settings = _changed(city_file.analysis, by, period, level)
    city_file = city_file.model_copy(update={"analysis": settings})
    known, table = _cases(city_file, speak, at, quiet=as_json)
    made = kpi_tables(known, table, settings, kpis=kpi)
    tables = {"kpis": made.rows}
    if proof is not None:
        tables = {"kpi_cases": made.behind(proof)}
        tables = {"kpis": made.rows.iloc[[proof]], **tables}
    tables = {name: shown_frame(known.catalog.layer(name), f) for name, f in tables.items()}
    said = None if as_json else kpi_words(tables["kpis"], known.catalog, speak)
    cells = {"kpis": kpi_cells(tables["kpis"], known.catalog, speak)}
    tell_tables(tables, known.catalog, speak, as_json=as_json, csv=csv, said=said, cells=cells)


def _changed(settings: Analysis, by: list[str] | None, period: str, level: str) -> Analysis:
    """Return the settings with what the options change; a comma joins columns of one table.

    An empty `by` is the whole.
    """
    chosen = settings.kpis
    if by is not None:
        parts = ([part.strip() for part in each.split(",")] for each in by)
        groups = tuple(tuple(dict.fromkeys(filter(None, names))) for names in parts)
        chosen = chosen.model_copy(update={"by": groups})
    if period:
        chosen = chosen.model_copy(update={"period": period})
    if level:
        chosen = chosen.model_copy(update={"level": level})
    return settings.model_copy(update={"kpis": chosen})


@app.command(help=help_of("overdue"))
def overdue(
    city: CityPath,
    csv: CsvPath = None,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List open cases that are overdue or due soon, and what is to be looked at again."""
    city_file, speak = opened(city, lang)
    also = ("look_back", "case_findings")
    analysed = _asked(city_file, speak, ("deadlines",), also, quiet=as_json)
    tables = _found(analysed, ("deadlines", "look_back", "case_findings"))
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)


@app.command(help=help_of("recurrence"))
def recurrence(
    city: CityPath,
    by: Annotated[str, typer.Option("--by", help=help_of("recurrence_by"))] = "",
    csv: CsvPath = None,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List what came back, and how long cases stay closed."""
    from gridmap import analysis
    from gridmap.measures.cases import recurrence_curves, recurrence_tests

    city_file, speak = opened(city, lang)
    known, table = _cases(city_file, speak, quiet=as_json)
    tables = {
        "recurrence": analysis.recurrence_layer(table.recurring, table.placed),
        "recurrence_curve": recurrence_curves(known, table, city_file.analysis, by),
    }
    if by:
        tables["recurrence_test"] = recurrence_tests(known, table, city_file.analysis, by)
    tell_tables(tables, known.catalog, speak, as_json=as_json, csv=csv)


@app.command(help=help_of("alarms"))
def alarms(
    city: CityPath,
    csv: CsvPath = None,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List where more is reported since some days than place and season explain."""
    from gridmap.measures.analyse import why_nothing

    city_file, speak = opened(city, lang)
    analysed = _asked(city_file, speak, ("alarms",), quiet=as_json)
    if "alarms" not in analysed.results:
        raise why_nothing(analysed, "alarms")
    tables = _found(analysed, ("alarms",))
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)


@app.command("dead-corners", help=help_of("dead_corners"))
def dead_corners(
    city: CityPath,
    csv: CsvPath = None,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List where nobody is responsible, or two are, and what is wrong in the registers."""
    city_file, speak = opened(city, lang)
    analysed = _asked(city_file, speak, (), _GAPS, quiet=as_json)
    tables = _found(analysed, _GAPS)
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)


@app.command(help=help_of("fairness"))
def fairness(
    city: CityPath,
    plan: Annotated[Path | None, typer.Option("--plan", help=help_of("fairness_plan"))] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=help_of("fairness_out"))] = None,
    csv: CsvPath = None,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Tell how fairly work is shared, and which micro-grids should change grid."""
    from gridmap.measures.registry import Given
    from gridmap.measures.workloads import proposed, transferred_grids, transfers_of
    from gridmap.privacy import shown_frame
    from gridmap.sources.plan import read_plan

    city_file, speak = opened(city, lang)
    analysed = _asked(city_file, speak, ("fairness", "problems"), ("transfers",), quiet=as_json)
    tables = _found(analysed, ("fairness", "transfers"))
    if plan is not None:
        units = read_plan(plan, city_file.catalog)[1].microgrids
        found = {name: result.frame for name, result in analysed.results.items()}
        given = Given(analysed.city, city_file.analysis, found)
        proposal = proposed(given, units)
        tables["transfers"] = transfers_of(given, proposal)
        if out is not None:
            grids = transferred_grids(given, units, proposal)
            _write_grids(shown_frame(city_file.catalog.layer("grids"), grids), out, speak)
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)
    if out is not None and plan is not None and not as_json:
        console.say(messages.text("cli.written", speak, path=out))


def _write_grids(grids: gpd.GeoDataFrame, out: Path, lang: Lang) -> None:
    """Write grids as they would be, to be named in a city file and given to gridmap resize."""
    with writing(out, lang) as stage:
        grids.to_file(stage / "grids.gpkg", layer="grids", driver="GPKG")
