"""The command that writes bulletins."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import AsJson, CityPath, LangName, OutPath, Unmask, help_of, opened

__all__ = ["app"]

app = typer.Typer()


@app.command(help=help_of("bulletin"))
def bulletin(
    city: CityPath,
    period: Annotated[str, typer.Option("--period", help=help_of("bulletin_period"))],
    on: Annotated[str, typer.Option("--on", help=help_of("bulletin_on"))] = "",
    level: Annotated[str, typer.Option("--level", help=help_of("bulletin_level"))] = "",
    out: OutPath = Path("out/bulletins"),
    revise: Annotated[int, typer.Option("--revise", help=help_of("bulletin_revise"), min=0)] = 0,
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Write the bulletin of a period, once."""
    from gridmap.measures.analyse import inputs_of
    from gridmap.measures.bulletins import FORMAT, make_bulletin
    from gridmap.outputs.bulletin.frozen import write_bulletin
    from gridmap.sources import read_city

    city_file, speak = opened(city, lang)
    settings = city_file.analysis
    known = read_city(city_file, layers=inputs_of(("case_table", "hotspots"), settings))
    made = make_bulletin(known, settings, period=period, on=_day(on), level=level)
    written = write_bulletin(made, out, speak, revise=revise)
    if as_json:
        said = {
            "label": made.span.label,
            "revision": written.revision,
            "format": written.format,
            "sha256": made.sha256,
            "rows": made.rows,
            "files": [str(path) for path in written.files],
        }
        console.say_json(said)
        return
    label = made.span.label
    key = "written" if written.files else "unchanged"
    if written.format != FORMAT:
        key = "older_form"
    console.say(
        messages.text(
            f"bulletin.{key}",
            speak,
            label=label,
            sha=made.sha256,
            format=written.format,
            next=written.revision + 1,
        )
    )
    for path in written.files:
        console.say(f"  {path}")


def _day(on: str) -> dt.date | None:
    from gridmap.errors import ConformError

    try:
        return dt.date.fromisoformat(on) if on else None
    except ValueError:
        raise ConformError("bulletin.on", on=on) from None
