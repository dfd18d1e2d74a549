"""The command line: arguments in, exit code out."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import console, messages
from gridmap._version import __version__
from gridmap.errors import GridmapError
from gridmap.messages import Lang

# Everything heavy is imported where it is used, so that --help answers at once.
if TYPE_CHECKING:
    from gridmap.catalog import Layer
    from gridmap.config import CityFile
    from gridmap.console import Tell
    from gridmap.result import Analysed

__all__ = ["main"]


def _help(name: str) -> str:
    return messages.text(f"cli.{name}", messages.default_language())


app = typer.Typer(
    help=_help("help"), no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

CityPath = Annotated[Path, typer.Argument(help=_help("city"), metavar="CITY")]
OutPath = Annotated[Path, typer.Option("--out", "-o", help=_help("out"))]
LangName = Annotated[str, typer.Option("--lang", help=_help("lang"))]
AsJson = Annotated[bool, typer.Option("--json", help=_help("json"))]
Formats = Annotated[list[str] | None, typer.Option("--format", help=_help("format"))]


def _version(asked: bool) -> None:
    if asked:
        print(f"gridmap {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help=_help("version"), callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options that come before a command."""


@app.command(help=_help("run"))
def run(
    city: CityPath,
    out: OutPath = Path("out"),
    lang: LangName = "",
    store: Annotated[str, typer.Option("--store", help=_help("store"))] = "",
    strict: Annotated[bool, typer.Option("--strict", help=_help("strict"))] = False,
    as_json: AsJson = False,
) -> None:
    """Run the main job."""
    from gridmap.outputs import save_page, staged, write_layers, write_quarantine, write_report

    with staged(out) as stage:
        city_file, speak = _opened(city, lang)
        if store:
            _check_store(store)
        steps = _steps(city_file) + len(city_file.catalog.maps) + 2 + bool(store)
        with console.progress(steps, speak, quiet=as_json) as tell:
            analysed = _analysed(city_file, tell)
            for name in ("layers", "maps", "quarantine"):
                (stage / name).mkdir()
            tell("layers")
            write_layers(analysed, stage / "layers", lang=speak)
            drawn, skipped = _drawn(analysed, list(analysed.city.catalog.maps), speak, tell)
            for name, page in drawn.items():
                save_page(page, stage / "maps" / f"{name}.html")
            tell("report")
            write_report(analysed, stage, speak)
            write_quarantine(analysed, stage / "quarantine", speak)
            if store:
                tell("store")
                _save(analysed, store)
        made = sorted(str(path.relative_to(stage)) for path in stage.rglob("*") if path.is_file())
        _clear_quarantine(out)
    _tell_run(analysed, out, made, skipped, speak, as_json)
    quarantined = sum(receipt.quarantined for receipt in analysed.city.receipts)
    if quarantined:
        folder = out / "quarantine"
        message = messages.text("cli.bad_rows", speak, count=f"{quarantined:,}", folder=folder)
        print(messages.text("cli.error", speak, message=message), file=sys.stderr)
        raise typer.Exit(1 if strict else 0)


@app.command("map", help=_help("map"))
def draw_map(
    name: Annotated[str, typer.Argument(help=_help("map_name"))],
    city: CityPath,
    out: OutPath = Path("out"),
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Draw one map, or all of them."""
    from gridmap.outputs import save_page, staged

    city_file, speak = _opened(city, lang)
    names = list(city_file.catalog.maps) if name == "all" else [city_file.catalog.map(name).name]
    with staged(out / "maps") as stage:
        with console.progress(_steps(city_file) + len(names), speak, quiet=as_json) as tell:
            analysed = _analysed(city_file, tell)
            drawn, skipped = _drawn(analysed, names, speak, tell, strict=name != "all")
        for drawn_name, page in drawn.items():
            save_page(page, stage / f"{drawn_name}.html")
    _tell_files(out / "maps", [f"{n}.html" for n in drawn], skipped, speak, as_json)


@app.command(help=_help("export"))
def export(
    city: CityPath,
    out: OutPath = Path("out"),
    formats: Formats = None,
    layer: Annotated[list[str] | None, typer.Option("--layer", help=_help("layer"))] = None,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Write layers for GIS desktops."""
    from gridmap.outputs import DEFAULT_FORMATS, staged, write_layers

    city_file, speak = _opened(city, lang)
    with staged(out / "layers") as stage:
        with console.progress(_steps(city_file) + 1, speak, quiet=as_json) as tell:
            analysed = _analysed(city_file, tell)
            tell("layers")
            written = write_layers(
                analysed, stage, formats=formats or DEFAULT_FORMATS, names=layer or (), lang=speak
            )
        files = [path.name for path in written]
    _tell_files(out / "layers", files, [], speak, as_json)


@app.command(help=_help("check"))
def check(city: CityPath, lang: LangName = "", as_json: AsJson = False) -> None:
    """Check a city's data."""
    from gridmap.outputs import as_json as summary_json

    city_file, speak = _opened(city, lang)
    with console.progress(_steps(city_file), speak, quiet=as_json) as tell:
        analysed = _analysed(city_file, tell)
    counted = ("rows_quarantined", "gaps", "overlaps", "misnested", "no_grid", "no_zone", "piles")
    findings = sum(int(analysed.summary.get(name, 0)) for name in counted)
    if as_json:
        print(json.dumps({"findings": findings, **summary_json(analysed)}, ensure_ascii=False))
    else:
        _show(analysed, speak)
        key = "found" if findings else "clean"
        print(messages.text(f"cli.{key}", speak, count=f"{findings:,}"))
    raise typer.Exit(1 if findings else 0)


@app.command(help=_help("layers"))
def layers(
    name: Annotated[str, typer.Argument(help=_help("layer_name"))] = "",
    city: Annotated[Path | None, typer.Option("--city", help=_help("city_for_layers"))] = None,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List the layers of the catalogue, or the fields of one."""
    from gridmap.catalog import load_catalog
    from gridmap.config import read_city_file

    speak = _language(lang, "")
    catalog = read_city_file(city).catalog if city else load_catalog()
    shown = [catalog.layer(name)] if name else list(catalog.in_order)
    if as_json:
        print(json.dumps([layer.model_dump(mode="json") for layer in shown], ensure_ascii=False))
    elif name:
        _show_fields(shown[0], speak)
    else:
        rows = [[x.name, x.geometry, x.role, x.title.get(speak)] for x in shown]
        heads = [
            messages.text(f"cli.{key}", speak) for key in ("name", "geometry", "role", "title")
        ]
        console.print_table(heads, rows)


def _language(asked: str, of_city: str) -> Lang:
    for choice in (asked, of_city):
        if choice and choice not in messages.LANGUAGES:
            raise typer.BadParameter(f"{choice}: {' | '.join(messages.LANGUAGES)}")
        if choice:
            return "zh" if choice == "zh" else "en"
    return messages.default_language()


def _opened(city: Path, lang: str) -> tuple[CityFile, Lang]:
    from gridmap.config import read_city_file

    city_file = read_city_file(city)
    return city_file, _language(lang, city_file.lang)


def _steps(city_file: CityFile) -> int:
    from gridmap.pipeline import STEPS

    return len(city_file.inputs) + len(STEPS)


def _analysed(city_file: CityFile, tell: Tell) -> Analysed:
    from gridmap.pipeline import analyse
    from gridmap.sources import read_city

    city = read_city(city_file, progress=lambda name: tell("read", name=name))
    return analyse(city, city_file.analysis, progress=tell)


def _drawn(
    analysed: Analysed, names: list[str], lang: Lang, tell: Tell, *, strict: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Draw maps; one that lacks its layers is skipped and told, or an error if it is strict."""
    from gridmap.errors import OutputError
    from gridmap.outputs import draw

    drawn, skipped = {}, []
    for name in names:
        tell("map", name=name)
        try:
            drawn[name] = draw(analysed, analysed.city.catalog.map(name), lang=lang)
        except OutputError as error:
            if strict or error.key != "map.needs":
                raise
            skipped.append(error.text(lang))
    return drawn, skipped


def _check_store(url: str) -> None:
    """Refuse what is no store before the work begins, not after it."""
    from gridmap.store.connection import parse_url

    parse_url(url)


def _save(analysed: Analysed, url: str) -> None:
    from gridmap.store import save

    save(analysed, url)


def _clear_quarantine(out: Path) -> None:
    """Take away what an earlier run left, for it says nothing about this one."""
    for old in (out / "quarantine").glob("*.csv"):
        old.unlink()


def _tell_run(
    analysed: Analysed, out: Path, made: list[str], skipped: list[str], lang: Lang, as_json: bool
) -> None:
    from gridmap.outputs import as_json as summary_json

    if as_json:
        said = {**summary_json(analysed), "out": str(out), "files": made, "skipped": skipped}
        print(json.dumps(said, ensure_ascii=False))
        return
    _show(analysed, lang)
    _tell_files(out, made, skipped, lang, as_json)


def _tell_files(
    folder: Path, made: list[str], skipped: list[str], lang: Lang, as_json: bool
) -> None:
    if as_json:
        said = {"out": str(folder), "files": made, "skipped": skipped}
        print(json.dumps(said, ensure_ascii=False))
        return
    print(messages.text("cli.written", lang, path=folder))
    for name in made:
        print(f"  {name}")
    for reason in skipped:
        print(messages.text("cli.skipped", lang, message=reason))


def _show(analysed: Analysed, lang: Lang) -> None:
    from gridmap.outputs import receipt_rows, summary_rows

    title = messages.text("report.title", lang, city=analysed.city.title.get(lang))
    heads = [messages.text(f"report.{key}", lang) for key in ("figure", "value")]
    console.print_table(heads, list(summary_rows(analysed, lang)), title=title, numbers=1)
    heads, rows = receipt_rows(analysed, lang)
    said = [[row[0], Path(row[1]).name, *(f"{number:,}" for number in row[2:])] for row in rows]
    console.print_table(heads, said, numbers=4)


def _show_fields(layer: Layer, lang: Lang) -> None:
    names = ("name", "type", "unit", "required", "label", "description")
    rows = [
        [
            name,
            field.type,
            field.unit,
            "*" if field.required else "",
            field.label.get(lang),
            field.description.get(lang),
        ]
        for name, field in layer.fields.items()
    ]
    title = f"{layer.title.get(lang)}: {layer.description.get(lang)}"
    console.print_table([messages.text(f"cli.{key}", lang) for key in names], rows, title=title)


def main() -> None:
    """Run the command and turn what the user can mend into one line and exit code 1."""
    try:
        app()
    except GridmapError as error:
        # What failed may be the reading of the city file itself, so only the arguments are sure.
        asked = [value for name, value in pairwise(sys.argv) if name == "--lang"]
        lang = _language(asked[-1] if asked else "", "")
        print(messages.text("cli.error", lang, message=error.text(lang)), file=sys.stderr)
        raise SystemExit(1) from None
