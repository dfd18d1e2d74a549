"""The command export: layers for GIS desktops."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import (
    EVERYTHING,
    AsJson,
    CityPath,
    LangName,
    OutPath,
    Unmask,
    Wanted,
    analysed_city,
    help_of,
    opened,
    steps_of,
    tell_waiting,
    writing,
)
from gridmap.cli.usage import UsageMistakeError

if TYPE_CHECKING:
    import datetime as dt

    from gridmap.outputs.export.layers import Exported

__all__ = ["app"]

app = typer.Typer()


@app.command(help=help_of("export"))
def export(
    city: CityPath,
    out: OutPath = Path("out"),
    formats: Annotated[list[str] | None, typer.Option("--format", help=help_of("format"))] = None,
    layer: Annotated[list[str] | None, typer.Option("--layer", help=help_of("layer"))] = None,
    area: Annotated[list[str] | None, typer.Option("--area", help=help_of("export_area"))] = None,
    since: Annotated[str, typer.Option("--since", help=help_of("export_since"))] = "",
    until: Annotated[str, typer.Option("--until", help=help_of("export_until"))] = "",
    column: Annotated[
        list[str] | None, typer.Option("--column", help=help_of("export_column"))
    ] = None,
    privacy: Annotated[str, typer.Option("--privacy", help=help_of("export_privacy"))] = "masked",
    crs: Annotated[str, typer.Option("--crs", help=help_of("export_crs"))] = "",
    encoding: Annotated[str, typer.Option("--encoding", help=help_of("export_encoding"))] = "utf-8",
    place: Annotated[str, typer.Option("--place", help=help_of("export_place"))] = "lonlat",
    append: Annotated[bool, typer.Option("--append", help=help_of("export_append"))] = False,
    plan: Annotated[Path | None, typer.Option("--plan", help=help_of("export_plan"))] = None,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Write layers for GIS desktops."""
    from gridmap.crs import DATUMS, parse_crs
    from gridmap.outputs import DEFAULT_FORMATS
    from gridmap.outputs.export.layers import check_formats, export_layers, plan_steps
    from gridmap.outputs.export.selection import Selection, check_selection
    from gridmap.outputs.staging import held

    chosen = formats or (["gpkg"] if append else list(DEFAULT_FORMATS))
    options = {
        "crs": crs,
        "encoding": _one_of("encoding", encoding.lower(), ("utf-8", "gb18030")),
        "place": _one_of("place", place, ("lonlat", "wkt", "none")),
    }
    selection = Selection(
        layers=tuple(layer or ()),
        areas=tuple(area or ()),
        since=_moment("since", since),
        until=_moment("until", until),
        columns=tuple(column or ()),
        privacy=_one_of("privacy", privacy, ("masked", "none", "full")),  # type: ignore[arg-type]
    )
    city_file, speak = opened(city, lang)
    # A mistake is told before the analysis, not after it.
    check_selection(city_file.catalog, selection)
    check_formats(chosen, append=append)
    if crs:
        parse_crs(crs.upper() if crs.upper() in DATUMS else crs)
    folder = out / "layers"
    with ExitStack() as last, writing(out, speak) as whole:
        stage = whole / "layers"
        stage.mkdir()
        wanted = Wanted((), tuple(selection.layers)) if selection.layers else EVERYTHING
        steps = (1 if plan else steps_of(city_file, wanted)) + plan_steps(city_file.catalog, chosen)
        with console.progress(steps, speak, quiet=as_json) as tell:
            if plan is None:
                analysed = analysed_city(city_file, tell, speak, wanted)
            else:
                from gridmap.design import as_layers
                from gridmap.sources.plan import read_plan

                tell("read", name=plan.name)
                its_city, known = read_plan(plan, city_file.catalog)
                analysed = as_layers(known, its_city)
            if append:  # until the files have moved, nobody else may add to it
                last.enter_context(held(out, waiting=tell_waiting(speak)))
            target = folder / f"{analysed.city.name}.gpkg"
            made = export_layers(
                analysed,
                stage,
                selection=selection,
                formats=chosen,
                lang=speak,
                append=target if append and target.exists() else None,
                tell=lambda name, form: tell("export", name=name, format=form),
                **options,  # type: ignore[arg-type]
            )
    _tell(folder, made, speak, as_json)


def _one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        asked = ", ".join(known)
        raise UsageMistakeError("usage.one_of", name=f"--{option}", value=value, known=asked)
    return value


def _moment(option: str, text: str) -> dt.datetime | None:
    import datetime as dt

    try:
        return dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        raise UsageMistakeError("usage.moment", name=f"--{option}", value=text) from None


def _tell(folder: Path, made: Exported, lang: messages.Lang, as_json: bool) -> None:
    files = [path.name for path in made.files]
    notes = [note.text(lang) for note in made.notes]
    if as_json:
        said = {"out": str(folder), "files": files, "skipped": [], "warnings": notes}
        console.say_json(said)
        return
    console.say(messages.text("cli.written", lang, path=folder))
    for name in files:
        console.say(f"  {name}")
    for note in notes:
        console.say(messages.text("cli.warning", lang, message=note))
