"""The commands of the main job: run, map, layers, schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import (
    EVERYTHING,
    AsJson,
    BasemapName,
    CityPath,
    LangName,
    OutPath,
    Unmask,
    Wanted,
    analysed_city,
    drawn_maps,
    help_of,
    language,
    opened,
    show_summary,
    steps_of,
    tell_files,
    with_basemap,
    writing,
)
from gridmap.cli.mending import taken_up
from gridmap.messages import Lang

if TYPE_CHECKING:
    from gridmap.catalog import Layer, MapSpec
    from gridmap.config import CityFile
    from gridmap.result import Analysed

__all__ = ["app"]

app = typer.Typer()


@app.command(help=help_of("run"))
def run(
    city: CityPath,
    out: OutPath = Path("out"),
    _unmask: Unmask = False,
    lang: LangName = "",
    basemap: BasemapName = "",
    store: Annotated[str, typer.Option("--store", help=help_of("store"))] = "",
    strict: Annotated[bool, typer.Option("--strict", help=help_of("strict"))] = False,
    as_json: AsJson = False,
) -> None:
    """Run the main job."""
    from gridmap.leaving import is_shown
    from gridmap.outputs import save_page, write_layers, write_quarantine, write_report
    from gridmap.outputs.maps.gallery import write_gallery

    city_file, speak = opened(city, lang)
    city_file = with_basemap(city_file, basemap)
    saved = taken_up(out, city_file.folder, speak)
    with writing(out, speak, job=f"run {city_file.name}", saved=saved) as stage:
        if store:
            _check_store(store, city_file)
        maps = city_file.catalog.maps_of("run")
        steps = steps_of(city_file) + len(maps) + 2 + bool(store)
        with console.progress(steps, speak, quiet=as_json) as tell:
            analysed = analysed_city(city_file, tell, speak)
            for name in ("layers", "maps", "quarantine"):
                (stage / name).mkdir()
            tell("layers")
            write_layers(analysed, stage / "layers", lang=speak)
            drawn, skipped = drawn_maps(analysed, maps, speak, tell, city_file=city_file)
            for name, page in drawn.items():
                save_page(page, stage / "maps" / f"{name}.html")
            shown = {name: city_file.catalog.map(name) for name in drawn}
            write_gallery(analysed, shown, stage / "maps", lang=speak)
            tell("report")
            write_report(analysed, stage, speak)
            write_quarantine(analysed, stage / "quarantine", speak)
            if store:
                tell("store")
                _save(analysed, store)
        made = sorted(str(path.relative_to(stage)) for path in stage.rglob("*") if path.is_file())
    _tell_run(analysed, out, made, skipped, speak, as_json)
    if store and is_shown():
        console.say(messages.text("cli.store_full", speak), err=True)
    quarantined = sum(receipt.quarantined for receipt in analysed.city.receipts)
    if quarantined:
        folder = out / "quarantine"
        message = messages.text("cli.bad_rows", speak, count=f"{quarantined:,}", folder=folder)
        console.say(messages.text("cli.error", speak, message=message), err=True)
        raise typer.Exit(1 if strict else 0)


def wanted_of_map(spec: MapSpec) -> Wanted:
    """Return what a map shows, as results to ask for: those that it needs, and the others."""
    shown = [name for layer in spec.layers for name in (layer.layer, layer.counts) if name]
    others = [name for name in dict.fromkeys(shown) if name not in spec.needs]
    if spec.click == "who":
        others += ["responsibilities", "categories"]
    return Wanted(spec.needs, tuple(others))


@app.command("map", help=help_of("map"))
def draw_map(
    name: Annotated[str, typer.Argument(help=help_of("map_name"))],
    city: CityPath,
    out: OutPath = Path("out"),
    basemap: BasemapName = "",
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Draw one map, or all of them."""
    from gridmap.errors import OutputError
    from gridmap.outputs import save_page

    city_file, speak = opened(city, lang)
    city_file = with_basemap(city_file, basemap)
    names = city_file.catalog.maps_of("run")
    wanted = EVERYTHING
    made = []
    if name != "all":
        spec = city_file.catalog.map(name)
        names = [spec.name]
        if spec.job == "plan":
            raise OutputError("map.of_plan", map=name, city=city)
        wanted = wanted_of_map(spec)
    with writing(out, speak) as place:
        stage = place / "maps"
        stage.mkdir()
        steps = steps_of(city_file, wanted) + len(names)
        with console.progress(steps, speak, quiet=as_json) as tell:
            analysed = analysed_city(city_file, tell, speak, wanted)
            drawn, skipped = drawn_maps(
                analysed,
                names,
                speak,
                tell,
                city_file=city_file,
                strict=name != "all",
            )
        for drawn_name, page in drawn.items():
            save_page(page, stage / f"{drawn_name}.html")
        if name == "all":
            from gridmap.outputs.maps.gallery import write_gallery

            specs = {drawn_name: city_file.catalog.map(drawn_name) for drawn_name in drawn}
            made.append(write_gallery(analysed, specs, stage, lang=speak).name)
    made += [f"{drawn_name}.html" for drawn_name in drawn]
    tell_files(out / "maps", made, skipped, speak, as_json)


@app.command(help=help_of("gallery"))
def gallery(
    city: CityPath,
    out: OutPath = Path("out"),
    basemap: BasemapName = "",
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Draw every map, and the page that leads to them."""
    draw_map("all", city, out, basemap, lang=lang, as_json=as_json)


@app.command(help=help_of("layers"))
def layers(
    name: Annotated[str, typer.Argument(help=help_of("layer_name"))] = "",
    city: Annotated[Path | None, typer.Option("--city", help=help_of("city_for_layers"))] = None,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """List the layers of the catalogue, or the fields of one."""
    from gridmap.catalog import load_catalog
    from gridmap.config import read_city_file

    speak = language(lang, "")
    catalog = read_city_file(city).catalog if city else load_catalog()
    shown = [catalog.layer(name)] if name else list(catalog.in_order)
    if as_json:
        console.say_json([layer.model_dump(mode="json") for layer in shown])
    elif name:
        _show_fields(shown[0], speak)
    else:
        rows = [[x.name, x.geometry, x.role, x.title.get(speak)] for x in shown]
        heads = [
            messages.text(f"cli.{key}", speak) for key in ("name", "geometry", "role", "title")
        ]
        console.print_table(heads, rows)


@app.command(help=help_of("schema"))
def schema() -> None:
    """Print the JSON schema of a city file, by which editors complete and check it."""
    from gridmap.keys import city_schema

    console.say_json(city_schema(), indent=2)


def _check_store(url: str, city_file: CityFile) -> None:
    """Refuse a store that would not take the city before the work begins, not after it."""
    from gridmap.store import prove

    prove(url, city_file.catalog)


def _save(analysed: Analysed, url: str) -> None:
    from gridmap.store import save

    save(analysed, url)


def _tell_run(
    analysed: Analysed, out: Path, made: list[str], skipped: list[str], lang: Lang, as_json: bool
) -> None:
    from gridmap.outputs import as_json as summary_json

    if as_json:
        said = {**summary_json(analysed), "out": str(out), "files": made, "skipped": skipped}
        console.say_json(said)
        return
    show_summary(analysed, lang)
    tell_files(out, made, skipped, lang, as_json)


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
