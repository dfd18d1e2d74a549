"""The command that writes bulletins."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gridmap import messages
from gridmap.cli.common import AsJson, CityPath, LangName, OutPath, help_of, opened

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
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Write the bulletin of a period, once."""
    from gridmap.measures.cases import LAYERS, with_deadlines
    from gridmap.outputs.bulletin.record import make_bulletin, write_bulletin
    from gridmap.sources import read_city

    city_file, speak = opened(city, lang)
    needed = tuple(entry for entry in city_file.inputs if entry.layer in LAYERS)
    known = read_city(city_file.model_copy(update={"inputs": needed}))
    if known.has("problems"):
        problems, _ = with_deadlines(known, city_file.analysis.clock)
        timed = problems.assign(due=problems["deadline"]).drop(columns="deadline")
        known = replace(known, layers={**known.layers, "problems": timed})
    made = make_bulletin(known, period=period, on=_day(on), level=level)
    written = write_bulletin(made, out, speak, revise=revise)
    if as_json:
        said = {
            "label": made.span.label,
            "revision": written.revision,
            "sha256": made.sha256,
            "rows": made.rows,
            "files": [str(path) for path in written.files],
        }
        print(json.dumps(said, ensure_ascii=False))
        return
    label = made.span.label
    key = "written" if written.files else "unchanged"
    print(messages.text(f"bulletin.{key}", speak, label=label, sha=made.sha256))
    for path in written.files:
        print(f"  {path}")


def _day(on: str) -> dt.date | None:
    from gridmap.errors import ConformError

    try:
        return dt.date.fromisoformat(on) if on else None
    except ValueError:
        raise ConformError("bulletin.on", on=on) from None
