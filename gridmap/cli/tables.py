"""How commands tell tables: in the terminal, as JSON, or as CSV files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmap import messages
from gridmap.cli import console
from gridmap.cli.common import help_of
from gridmap.messages import Lang

if TYPE_CHECKING:
    import pandas as pd

    from gridmap.catalog import Catalog, Layer

__all__ = ["CsvPath", "tell_tables"]

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
    """
    from gridmap.schema import typed

    whole = {name: typed(catalog.layer(name), frame) for name, frame in tables.items()}
    cells = {
        name: _worded(catalog.layer(name), frame, lang)
        for name, frame in whole.items()
        if csv is not None or not as_json
    }
    if said is not None:
        first = next(iter(whole))
        cells[first] = _worded(catalog.layer(first), said, lang)
    if csv is not None:
        _write(cells, csv)
    if as_json:
        records = {name: _records(catalog.layer(name), frame) for name, frame in whole.items()}
        print(json.dumps(records, ensure_ascii=False))
        return
    for name, frame in cells.items():
        _print(catalog.layer(name).title.get(lang), frame, lang)
    if csv is not None:
        print(messages.text("cli.written", lang, path=csv))


def _fields(layer: Layer, frame: pd.DataFrame) -> list[str]:
    return [name for name in layer.fields if name in frame]


def _records(layer: Layer, frame: pd.DataFrame) -> list[dict[str, Any]]:
    import pandas as pd

    rows = pd.DataFrame(frame[_fields(layer, frame)]).to_json(
        orient="records", date_format="iso", date_unit="s", force_ascii=False
    )
    records: list[dict[str, Any]] = json.loads(rows)
    return records


def _worded(layer: Layer, frame: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    """Return the cells as a person reads them; what is text already stays."""
    import pandas as pd
    from pandas.api.types import is_numeric_dtype

    said = {}
    for name in _fields(layer, frame):
        field, column = layer.fields[name], frame[name]
        if field.categories:
            words = {key: label.get(lang) for key, label in field.categories.items()}
            cells = column.map(words).fillna(column)
        elif field.type == "datetime":
            cells = column.dt.strftime("%Y-%m-%d %H:%M")
        elif field.type == "boolean":
            yes, no = (messages.text(f"browser.{key}", lang) for key in ("yes", "no"))
            cells = column.map({True: yes, False: no})
        elif field.type == "number" and is_numeric_dtype(column):
            cells = column.map(f"{{:,.{field.decimals}f}}".format, na_action="ignore")
        else:
            cells = column.astype("string")
        said[_head(layer, name, lang)] = cells.astype("string").fillna("")
    return pd.DataFrame(said)


def _head(layer: Layer, name: str, lang: Lang) -> str:
    field = layer.fields[name]
    unit = f" ({messages.unit_label(field.unit, lang)})" if field.unit else ""
    return field.label.get(lang) + unit


def _print(title: str, cells: pd.DataFrame, lang: Lang) -> None:
    title = f"{title}: {len(cells):,}"
    if cells.empty:
        print(title)
        return
    shown = cells.head(SHOWN)
    shown = shown.loc[:, (shown != "").any()]
    fitting = console.fitting(list(shown.columns), shown.to_numpy().tolist())
    rows = shown.iloc[:, :fitting].to_numpy().tolist()
    console.print_table(list(shown.columns[:fitting]), rows, title=title)
    more = len(cells) - len(shown), shown.shape[1] - fitting
    if any(more):
        print(messages.text("cli.more", lang, rows=f"{more[0]:,}", columns=more[1]))


def _write(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    from gridmap.outputs import staged

    with staged(folder) as stage:
        for name, cells in tables.items():
            # With a mark, which Excel needs to know UTF-8 by.
            cells.to_csv(stage / f"{name}.csv", index=False, encoding="utf-8-sig")
