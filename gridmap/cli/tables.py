"""How commands tell tables: in the terminal, as JSON, or as CSV files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import help_of, writing
from gridmap.messages import Lang

if TYPE_CHECKING:
    import pandas as pd

    from gridmap.catalog import Catalog, Layer

__all__ = ["SHOWN", "CsvPath", "tell_tables"]

SHOWN = 20
CsvPath = Annotated[Path | None, typer.Option("--csv", help=help_of("csv"))]


def tell_tables(
    tables: Mapping[str, pd.DataFrame],
    catalog: Catalog,
    lang: Lang,
    *,
    as_json: bool = False,
    csv: Path | None = None,
    said: pd.DataFrame | None = None,
    cells: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Tell tables.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By the layer whose fields they have.
    catalog : Catalog
    lang : str
    as_json : bool
        Print one object with the records of each, and nothing else.
    csv : pathlib.Path, optional
        A folder to write each table to, with all of its rows.
    said : DataFrame, optional
        What a person reads instead of the first table.
    cells : mapping of str to DataFrame, optional
        What is in the CSV file of a table, where its fields alone do not say it.
    """
    from gridmap.privacy import shown_frame
    from gridmap.schema import typed

    whole = {
        name: shown_frame(catalog.layer(name), typed(catalog.layer(name), frame))
        for name, frame in tables.items()
    }
    shown = dict(whole) if said is None else {**whole, next(iter(whole)): said}
    if csv is not None:
        _write(whole, catalog, lang, csv, cells or {})
    if as_json:
        records = {name: _records(catalog.layer(name), frame) for name, frame in whole.items()}
        console.say_json(records)
        return
    for name, frame in shown.items():
        _print(catalog.layer(name), frame, lang)
    if csv is not None:
        console.say(messages.text("cli.written", lang, path=csv))


def _fields(layer: Layer, frame: pd.DataFrame) -> list[str]:
    return [name for name in layer.fields if name in frame]


def _records(layer: Layer, frame: pd.DataFrame) -> list[dict[str, Any]]:
    import pandas as pd

    rows = pd.DataFrame(frame[_fields(layer, frame)]).to_json(
        orient="records", date_format="iso", date_unit="s", force_ascii=False
    )
    records: list[dict[str, Any]] = json.loads(rows)
    return records


def _print(layer: Layer, frame: pd.DataFrame, lang: Lang) -> None:
    from gridmap.outputs.tables.ledger import worded
    from gridmap.outputs.tables.words import zone_of

    title = f"{layer.title.get(lang)}: {len(frame):,}"
    if frame.empty:
        console.say(title)
        return
    shown = worded(layer, frame.head(SHOWN), lang)
    shown = shown.loc[:, (shown != "").any()]
    fitting = console.fitting(list(shown.columns), shown.to_numpy().tolist())
    rows = shown.iloc[:, :fitting].to_numpy().tolist()
    zone = zone_of(frame[_fields(layer, frame)])
    said = messages.text("cli.times", lang, zone=zone) if zone else ""
    console.print_table(list(shown.columns[:fitting]), rows, title=f"{title}{said}")
    more = len(frame) - len(shown), shown.shape[1] - fitting
    if any(more):
        console.say(messages.text("cli.more", lang, rows=f"{more[0]:,}", columns=more[1]))


def _write(
    tables: Mapping[str, pd.DataFrame],
    catalog: Catalog,
    lang: Lang,
    folder: Path,
    made: Mapping[str, pd.DataFrame],
) -> None:
    from gridmap.outputs.tables.ledger import csv_bytes, worded
    from gridmap.outputs.tables.words import zone_of

    with writing(folder, lang) as stage:
        for name, frame in tables.items():
            cells = made.get(name)
            if cells is None:
                cells = worded(catalog.layer(name), frame, lang, zone=zone_of(frame), grouped=False)
            (stage / f"{name}.csv").write_bytes(csv_bytes(cells))
