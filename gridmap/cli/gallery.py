"""The command that draws every map of a city, and a page that shows them all."""

from __future__ import annotations

from pathlib import Path

import typer

from gridmap import console
from gridmap.cli.common import (
    AsJson,
    BasemapName,
    CityPath,
    LangName,
    OutPath,
    analysed_city,
    drawn_maps,
    help_of,
    opened,
    steps_of,
    tell_files,
    with_basemap,
)

__all__ = ["app"]

app = typer.Typer()


@app.command(help=help_of("gallery"))
def gallery(
    city: CityPath,
    out: OutPath = Path("out"),
    basemap: BasemapName = "",
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Draw every map, and the page that leads to them."""
    from gridmap.outputs import save_page, staged
    from gridmap.outputs.gallery import write_gallery

    city_file, speak = opened(city, lang)
    city_file = with_basemap(city_file, basemap)
    names = city_file.catalog.maps_of("run")
    with staged(out / "maps") as stage:
        with console.progress(steps_of(city_file) + len(names), speak, quiet=as_json) as tell:
            analysed = analysed_city(city_file, tell)
            drawn, skipped = drawn_maps(analysed, names, speak, tell, city_file=city_file)
        for name, page in drawn.items():
            save_page(page, stage / f"{name}.html")
        specs = {name: city_file.catalog.map(name) for name in drawn}
        write_gallery(analysed, specs, stage, lang=speak)
    made = ["index.html", *(f"{name}.html" for name in drawn)]
    tell_files(out / "maps", made, skipped, speak, as_json)
