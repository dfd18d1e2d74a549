"""The command who: everyone responsible for a place."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import AsJson, CityPath, LangName, Unmask, help_of, moment_of, opened
from gridmap.messages import Lang

if TYPE_CHECKING:
    import pandas as pd

    from gridmap.measures.ownership import Outside
    from gridmap.model import City

__all__ = ["app"]

app = typer.Typer()

DEGREES = (180.0, 90.0)
_NEGATIVE = re.compile(r"-[0-9.]")


class _PlaceCommand(TyperCommand):
    """Takes a western longitude for the argument that it is, though it begins like an option."""

    # The context is of click, or in newer releases of what typer has of it.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        places = [arg for arg in args if _NEGATIVE.match(arg)]
        if places and "--" not in args:
            args = [*(arg for arg in args if arg not in places), "--", *places]
        return super().parse_args(ctx, args)


@app.command(cls=_PlaceCommand, help=help_of("who"))
def who(
    city: CityPath,
    place: Annotated[str, typer.Argument(help=help_of("who_place"), metavar="LON,LAT")],
    category: Annotated[str, typer.Option("--category", help=help_of("who_category"))] = "",
    at: Annotated[str, typer.Option("--at", help=help_of("who_at"))] = "",
    crs: Annotated[str, typer.Option("--crs", help=help_of("who_crs"))] = "EPSG:4490",
    _unmask: Unmask = False,
    lang: LangName = "",
    as_json: AsJson = False,
) -> None:
    """Tell who is responsible for a place, in the order in which to ask them."""
    from gridmap.crs import parse_crs as system_of
    from gridmap.errors import ConformError
    from gridmap.measures import ownership
    from gridmap.measures.analyse import inputs_of
    from gridmap.sources import read_city

    city_file, speak = opened(city, lang)
    lon, lat = _degrees(place)
    system_of(crs)
    asked = moment_of(at, city_file.timezone) if at else None
    needed = inputs_of(("holders",), city_file.analysis) or frozenset()
    # What categories there are, the problems tell.
    layers = needed | {"problems"} if category else needed
    known = read_city(city_file, layers=layers)
    moment = asked or known.moment
    if moment is None:
        raise ConformError("who.no_moment", city=city_file.name)
    settings = city_file.analysis.responsibility
    found = ownership.who(known, lon, lat, category=category, at=moment, crs=crs, settings=settings)
    away = ownership.outside(known, lon, lat, crs=crs) if found.empty else None
    _tell(found, known, moment, speak, as_json=as_json, away=away)


def _degrees(place: str) -> tuple[float, float]:
    from gridmap.errors import ConformError

    try:
        lon, lat = (float(part) for part in place.replace("，", ",").split(","))
    except ValueError:
        raise ConformError("who.place", place=place) from None
    if DEGREES[1] < abs(lat) <= DEGREES[0] and abs(lon) <= DEGREES[1]:
        raise ConformError("who.swapped", place=place, lat=lat, lon=lon)
    if not (abs(lon) <= DEGREES[0] and abs(lat) <= DEGREES[1]):
        raise ConformError("who.place", place=place)
    return lon, lat


def _tell(
    found: pd.DataFrame,
    city: City,
    moment: dt.datetime,
    lang: Lang,
    *,
    as_json: bool,
    away: Outside | None,
) -> None:
    from gridmap.outputs.tables.words import time_text
    from gridmap.privacy import shown_table

    fields = city.catalog.layer("responsibilities").fields
    records = shown_table(found, fields).to_dict("records")
    plain = ({str(key): value for key, value in row.items()} for row in records)
    rows = [_row(row, city.timezone) for row in plain]
    if as_json:
        said: dict[str, Any] = {"at": moment.isoformat(), "responsible": rows}
        if away is not None:
            said["outside_m"] = round(away.distance_m, 1)
        console.say_json(said, indent=2)
        return
    told = time_text(moment)
    if away is not None:
        console.say(_away(away, city, lang))
        return
    if not rows:
        console.say(messages.text("who.nobody", lang, at=told))
        return
    roles = city.catalog.layer("assignments").fields["role"].categories
    heads = [
        messages.text(f"who.{key}", lang)
        for key in ("rank", "holder", "role", "line", "target", "why", "until", "phone")
    ]
    table = [
        [
            str(row["rank"]),
            row["holder"],
            roles[row["role"]].get(lang),
            row["category"],
            row["target_name"] or row["target"],
            _why(row, city, lang),
            row["until"] or messages.text("who.open_end", lang),
            row["phone"],
        ]
        for row in rows
    ]
    title = messages.text("who.title", lang, at=told)
    console.print_table(heads, table, title=title)


def _away(away: Outside, city: City, lang: Lang) -> str:
    """Return how far from the city a place is, and whether its degrees seem to be exchanged."""
    from gridmap.outputs.tables.words import number_text

    kilometres = number_text(away.distance_m / 1000.0, 1)
    said = messages.text("who.outside", lang, city=city.title.get(lang), kilometres=kilometres)
    return f"{said}{messages.text('who.exchanged', lang)}" if away.exchanged else said


def _row(row: dict[str, Any], timezone: str) -> dict[str, Any]:
    """Return one answer in plain types."""
    return {
        "rank": int(row["rank"]),
        "holder": str(row["holder"]),
        "role": str(row["role"]),
        "category": _text(row["category"]),
        "layer": str(row["layer"]),
        "kind": _text(row["kind"]),
        "target": str(row["target"]),
        "target_name": _text(row["target_name"]),
        "rule": str(row["rule"]),
        "distance_m": round(float(row["distance_m"]), 1),
        "chainage_m": _metres(row["chainage_m"]),
        "until": _day(row["until"], timezone),
        "phone": _text(row["phone"]),
        "source": _text(row["source"]),
    }


def _text(value: Any) -> str:
    import pandas as pd

    return "" if pd.isna(value) else str(value)


def _metres(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 1)


def _day(value: Any, timezone: str) -> str:
    import pandas as pd

    if pd.isna(value):
        return ""
    return pd.Timestamp(value).tz_convert(timezone).date().isoformat()


def _why(row: dict[str, Any], city: City, lang: Lang) -> str:
    """Return in words by which rule somebody is responsible."""
    from gridmap.measures.ownership import target_title
    from gridmap.outputs.tables.words import number_text

    return messages.text(
        f"who.{row['rule']}",
        lang,
        what=target_title(city.catalog, row["layer"], row["kind"]).get(lang),
        distance=number_text(row["distance_m"]),
        chainage=number_text(row["chainage_m"] or 0.0),
    )
