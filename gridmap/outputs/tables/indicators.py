"""KPIs as people read them: titles, rates in per cent, hours with their unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from gridmap import messages
from gridmap.analysis.cases.indicators import load_kpis
from gridmap.catalog import Catalog
from gridmap.outputs.tables.ledger import worded
from gridmap.outputs.tables.words import headings, number_text, share_text
from gridmap.outputs.tables.workbook import (
    Cell,
    Entry,
    Sheet,
    layer_cells,
    number_form,
    share_form,
)

__all__ = ["kpi_cells", "kpi_sheet", "kpi_words"]

_SIGNED = {
    "value": False, "before": False, "year_before": False, "change": True, "year_change": True,
}  # fmt: skip


def kpi_words(table: pd.DataFrame, catalog: Catalog, lang: str) -> pd.DataFrame:
    """Return the layer ``kpis`` with its titles and values as texts.

    Parameters
    ----------
    table : DataFrame
    catalog : Catalog
        Names the columns that the KPIs are grouped by.
    lang : str
    """
    hours, unit = _in_hours(table), messages.unit_label("h", lang)

    def value(column: str, signed: bool) -> pd.Series:
        def time(number: float) -> str:
            return f"{number_text(number, 1, signed=signed)} {unit}"

        def rate(number: float) -> str:
            return share_text(number, signed=signed)

        return _mapped(table[column], time).where(hours, _mapped(table[column], rate))

    shown = {name: value(name, signed) for name, signed in _SIGNED.items() if name in table}
    return _titled(table, catalog, lang).assign(**shown)


def kpi_cells(table: pd.DataFrame, catalog: Catalog, lang: str) -> pd.DataFrame:
    """Return the layer ``kpis`` for a file: all digits of each value, and a column of its unit.

    Parameters
    ----------
    table, catalog, lang
        As of `kpi_words`.

    Examples
    --------
    >>> from gridmap.outputs.tables.indicators import kpi_cells
    >>> table = pd.DataFrame({"kpi": ["in_time_rate", "median_hours"], "value": [2 / 3, 7.25]})
    >>> cells = kpi_cells(table.assign(by=pd.NA), gridmap.load_catalog(), "en")
    >>> cells[["Value", "Unit"]].to_numpy().tolist()
    [['0.6666666666666666', 'share of 1'], ['7.25', 'h']]
    """
    cells = worded(catalog.layer("kpis"), _titled(table, catalog, lang), lang, exact=True)
    units = _in_hours(table).map(
        {True: messages.unit_label("h", lang), False: messages.text("kpi.share", lang)}
    )
    after = list(cells.columns).index(catalog.layer("kpis").fields["value"].label.get(lang)) + 1
    cells.insert(after, messages.text("kpi.unit", lang), units)
    return cells


def kpi_sheet(table: pd.DataFrame, catalog: Catalog, lang: str) -> Sheet:
    """Return the layer ``kpis`` as a sheet, in which rates are percentages and hours numbers."""
    layer = catalog.layer("kpis")
    heads = headings(layer, [name for name in layer.fields if name in table], lang)
    rows = layer_cells(layer, _titled(table, catalog, lang), list(heads), lang)
    forms = {hours: _forms(hours, lang) for hours in (True, False)}

    def shown() -> Iterator[list[Entry]]:
        for row, hours in zip(rows, _in_hours(table), strict=True):
            named = zip(heads, row, strict=True)
            yield [_formed(entry, forms[hours].get(name)) for name, entry in named]

    return Sheet(layer.title.get(lang), list(heads.values()), shown())


def _formed(entry: Entry, form: str | None) -> Entry:
    return Cell(entry.value, form) if form and isinstance(entry, Cell) else entry


def _forms(hours: bool, lang: str) -> Mapping[str, str]:
    """Return the number format of each column of values, in a row of hours or of rates."""
    plain = f'{number_form(1)}" {messages.unit_label("h", lang)}"'
    signed = f"+{plain};-{plain};{plain}"
    if not hours:
        return {name: share_form(signed=sign) for name, sign in _SIGNED.items()}
    return {name: signed if sign else plain for name, sign in _SIGNED.items()}


def _in_hours(table: pd.DataFrame) -> pd.Series:
    known = load_kpis()
    return table["kpi"].map(lambda name: bool(known[name].hours)).astype(bool)


def _titled(table: pd.DataFrame, catalog: Catalog, lang: str) -> pd.DataFrame:
    known = load_kpis()
    called = {n: field.label.get(lang) for n, field in catalog.layer("problems").fields.items()}
    called["area"] = messages.text("bulletin.area", lang)

    def labels(by: str) -> str:
        return " / ".join(called.get(name, name) for name in by.split(" / "))

    titles = table["kpi"].map(lambda name: messages.pick(known[name].title, lang))
    return table.assign(kpi=titles, by=table["by"].map(labels, na_action="ignore"))


def _mapped(column: pd.Series, text: Callable[[float], str]) -> pd.Series:
    return column.map(text, na_action="ignore")
