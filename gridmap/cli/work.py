"""The commands about work: kpis, overdue, recurrence, dead-corners, fairness."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import AsJson, CityPath, LangName, help_of, opened
from gridmap.cli.tables import CsvPath, tell_tables
from gridmap.messages import Lang

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from gridmap.catalog import Catalog
    from gridmap.config import CityFile
    from gridmap.result import Analysed
    from gridmap.settings import Analysis

__all__ = ["app"]

app = typer.Typer()


def _analysed(
    city_file: CityFile, layers: Iterable[str], steps: Iterable[str], lang: Lang, *, quiet: bool
) -> Analysed:
    """Read some layers of a city and run some steps on them."""
    from gridmap.measures.analyse import analyse
    from gridmap.sources import read_city

    wanted = set(layers)
    needed = tuple(entry for entry in city_file.inputs if entry.layer in wanted)
    chosen = tuple(steps)
    with console.progress(len(needed) + len(chosen), lang, quiet=quiet) as tell:
        city = read_city(
            city_file.model_copy(update={"inputs": needed}),
            progress=lambda name: tell("read", name=name),
        )
        return analyse(city, city_file.analysis, progress=tell, steps=chosen)


def _found(analysed: Analysed, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    return {name: analysed.results[name].frame for name in names if name in analysed.results}


@app.command(help=help_of("kpis"))
def kpis(
    city: CityPath,
    by: Annotated[list[str] | None, typer.Option("--by", help=help_of("kpis_by"))] = None,
    period: Annotated[str, typer.Option("--period", help=help_of("kpis_period"))] = "",
    level: Annotated[str, typer.Option("--level", help=help_of("kpis_level"))] = "",
    kpi: Annotated[list[str] | None, typer.Option("--kpi", help=help_of("kpis_kpi"))] = None,
    proof: Annotated[int, typer.Option("--proof", help=help_of("kpis_proof"))] = -1,
    csv: CsvPath = None,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Compute KPIs; each shows its numerator and denominator, and can list its cases."""
    from gridmap.measures.cases import LAYERS, kpi_tables, proven, worked

    city_file, speak = opened(city, lang)
    analysed = _analysed(city_file, LAYERS, ("assign",), speak, quiet=as_json)
    known = analysed.city
    settings = _asked(city_file.analysis, by, period, level)
    work = worked(known, analysed.results["problems"].frame, settings)
    tables = {"kpis": kpi_tables(known, work, settings, kpis=kpi)}
    if proof >= 0:
        tables = proven(known, work, settings, proof, kpis=kpi)
    said = None if as_json else _worded(tables["kpis"], known.catalog, speak)
    tell_tables(tables, known.catalog, speak, as_json=as_json, csv=csv, said=said)


def _worded(table: pd.DataFrame, catalog: Catalog, lang: Lang) -> pd.DataFrame:
    """Return KPIs as a person reads them: their titles, rates in percent, hours with their unit."""
    from gridmap.analysis import load_kpis

    known, fields = load_kpis(), catalog.layer("problems").fields
    hours = table["kpi"].map(lambda name: bool(known[name].hours))
    unit = messages.unit_label("h", lang)

    def value(column: str, sign: str = "") -> pd.Series:
        rate = (100 * table[column]).map(lambda v: f"{v:{sign}.1f} %", na_action="ignore")
        time = table[column].map(lambda v: f"{v:{sign},.1f} {unit}", na_action="ignore")
        return time.where(hours, rate)

    def labels(by: str) -> str:
        names = by.split(" / ")
        return " / ".join(fields[n].label.get(lang) if n in fields else n for n in names)

    said = {
        "kpi": table["kpi"].map(lambda name: messages.pick(known[name].title, lang)),
        "by": table["by"].map(labels, na_action="ignore"),
    }
    shares = {name: value(name) for name in ("value", "before", "year_before")}
    changes = {name: value(name, "+") for name in ("change", "year_change")}
    return table.assign(**said, **shares, **changes)


def _asked(settings: Analysis, by: list[str] | None, period: str, level: str) -> Analysis:
    """Return the settings with what the options change; a comma joins columns of one table."""
    chosen = settings.kpis
    if by is not None:
        groups = tuple(tuple(part.strip() for part in each.split(",")) for each in by)
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
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List open cases that are overdue or due soon, and what is to be looked at again."""
    from gridmap.measures.cases import LAYERS

    city_file, speak = opened(city, lang)
    analysed = _analysed(city_file, LAYERS, ("assign", "cases"), speak, quiet=as_json)
    tables = _found(analysed, ("deadlines", "look_back", "case_findings"))
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)


@app.command(help=help_of("recurrence"))
def recurrence(
    city: CityPath,
    by: Annotated[str, typer.Option("--by", help=help_of("recurrence_by"))] = "",
    csv: CsvPath = None,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List what came back, and how long cases stay closed."""
    from gridmap.measures.cases import LAYERS, curves

    city_file, speak = opened(city, lang)
    analysed = _analysed(city_file, LAYERS, ("assign", "cases"), speak, quiet=as_json)
    tables = _found(analysed, ("recurrence",))
    tables["recurrence_curve"] = curves(
        analysed.city, analysed.results["problems"].frame, city_file.analysis, by
    )
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)


@app.command("dead-corners", help=help_of("dead_corners"))
def dead_corners(
    city: CityPath,
    csv: CsvPath = None,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List where nobody is responsible, or two are, and what is wrong in the registers."""
    from gridmap.measures.responsibility import LAYERS, RESULTS

    city_file, speak = opened(city, lang)
    layers = (
        *LAYERS, "problems", "categories", "organisations", "organisation_areas", "declared",
    )  # fmt: skip
    analysed = _analysed(city_file, layers, ("assign", "duties"), speak, quiet=as_json)
    tables = _found(analysed, RESULTS)
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)


@app.command(help=help_of("fairness"))
def fairness(
    city: CityPath,
    plan: Annotated[Path | None, typer.Option("--plan", help=help_of("fairness_plan"))] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=help_of("fairness_out"))] = None,
    csv: CsvPath = None,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Tell how fairly work is shared, and which micro-grids should change grid."""
    from gridmap.measures.fairness import passed, proposed, transfers_of
    from gridmap.sources.plan import read_plan

    city_file, speak = opened(city, lang)
    layers = ("grids", "microgrids", "buildings", "problems", "categories", "places")
    steps = ("transfer", "assign", "workload", "fairness")
    analysed = _analysed(city_file, layers, steps, speak, quiet=as_json)
    tables = _found(analysed, ("fairness", "transfers"))
    if plan is not None:
        units = read_plan(plan, city_file.catalog)[1].microgrids
        found = {name: result.frame for name, result in analysed.results.items()}
        proposal = proposed(analysed.city, units, found, city_file.analysis.fairness)
        tables["transfers"] = transfers_of(analysed.city, proposal)
        if out is not None:
            written = passed(analysed.city, units, proposal)
            _write_grids(written, out)
    tell_tables(tables, analysed.city.catalog, speak, as_json=as_json, csv=csv)
    if out is not None and plan is not None and not as_json:
        print(messages.text("cli.written", speak, path=out))


def _write_grids(grids: gpd.GeoDataFrame, out: Path) -> None:
    """Write grids as they would be, to be named in a city file and given to gridmap resize."""
    from gridmap.outputs import staged

    with staged(out) as stage:
        grids.to_file(stage / "grids.gpkg", layer="grids", driver="GPKG")
