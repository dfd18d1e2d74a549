"""What a check of a city found, as one layer: what areas leave, and rows that could not be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap import messages
from gridmap.result import Analysed
from gridmap.schema import typed

__all__ = ["CHECKED", "city_findings"]

CHECKED = ("gaps", "overlaps", "misnested", "unassigned", "piles", "not_interpolated")
MARK_M = 5.0  # half the side of the square that marks a place
_MOSTLY = 0.5  # of an area outside its parent, above which the parent is in doubt


def city_findings(analysed: Analysed, lang: str = "en") -> gpd.GeoDataFrame:
    """Return all that a check of a city found, as the layer ``findings``.

    Parameters
    ----------
    analysed : Analysed
        With the results `CHECKED`, as far as the city has them.
    lang : str
        Of the reasons why rows were left out.

    Returns
    -------
    GeoDataFrame
        A problem or fallback point is marked by a square; a row that was left out has no place.

    Examples
    --------
    >>> from gridmap.outputs.tables.findings import CHECKED, city_findings
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> found = city_findings(gridmap.analyse(city, want=[], also=CHECKED))
    >>> found["kind"].value_counts().to_dict()
    {'gap': 2, 'overlap': 2}
    """
    analysed = analysed.shown()
    layer = analysed.city.catalog.layer("findings")
    rows = pd.DataFrame([*_rejected(analysed, lang), *_of_areas(analysed), *_of_points(analysed)])
    rows = rows.reindex(columns=[*layer.fields, "geometry"]).assign(safe=False)
    number = (rows.groupby("kind").cumcount() + 1).astype("string")
    rows["code"] = rows["kind"].astype("string") + "-" + number
    frame = gpd.GeoDataFrame(typed(layer, rows), geometry="geometry", crs=analysed.city.crs)
    around = frame.length.where(frame.length > 0)
    return frame.assign(width_m=2.0 * frame["area_m2"] / around)


def _rows(analysed: Analysed, name: str) -> Iterator[dict[str, Any]]:
    frame = analysed.results[name].frame if name in analysed.results else pd.DataFrame()
    yield from ({str(key): value for key, value in row.items()} for row in frame.to_dict("records"))


def _rejected(analysed: Analysed, lang: str) -> Iterator[dict[str, Any]]:
    for receipt in analysed.city.receipts:
        columns = ("gridmap_row", "gridmap_reason")
        told = receipt.rejected[list(columns)] if receipt.quarantined else pd.DataFrame()
        for row, reason in told.to_numpy().tolist():
            said = f"{receipt.source}: {row}: {messages.reason_text(str(reason), lang)}"
            yield {"kind": "row_unusable", "areas": said, "fix": "correct_row"}


def _of_areas(analysed: Analysed) -> Iterator[dict[str, Any]]:
    for row in _rows(analysed, "gaps"):
        kept = {"parent": row["parent"], "area_m2": row["area_m2"], "geometry": row["geometry"]}
        yield {"kind": "gap", "areas": row["parent"], "fix": "assign_gap", **kept}
    for row in _rows(analysed, "overlaps"):
        both = f"{row['first']}, {row['second']}"
        kept = {"area_m2": row["area_m2"], "geometry": row["geometry"]}
        yield {"kind": "overlap", "areas": both, "fix": "decide_overlap", **kept}
    for row in _rows(analysed, "misnested"):
        kept = {"parent": row["parent"], "area_m2": row["area_m2"], "geometry": row["geometry"]}
        lost = pd.isna(row["parent"])
        doubtful = "correct_parent" if row["share"] > _MOSTLY else "cut_at_parent"
        kept |= {"areas": row["child"], "value": 100.0 * row["share"]}
        kind, fix = ("outside", "add_parent") if lost else ("not_nested", doubtful)
        yield {"kind": kind, "fix": fix, **kept}
    for row in _rows(analysed, "not_interpolated"):
        kept = {"areas": row["area"], "value": float(row["count"]), "geometry": row["geometry"]}
        yield {"kind": "kept", "fix": "add_target", **kept}


def _of_points(analysed: Analysed) -> Iterator[dict[str, Any]]:
    for row in _rows(analysed, "unassigned"):
        mark = {"areas": row["code"], "geometry": _mark(row["geometry"])}
        if row["no_grid"]:
            yield {"kind": "no_grid", "fix": "extend_area", **mark}
        if pd.notna(row["no_zone"]):
            yield {"kind": "no_zone", "fix": "extend_area", **mark}
    for row in _rows(analysed, "piles"):
        mark = {"areas": row["code"], "geometry": _mark(row["geometry"])}
        yield {"kind": "pile", "value": float(row["problems"]), "fix": "locate", **mark}


def _mark(point: shapely.Point) -> shapely.Polygon:
    x, y = np.asarray(shapely.get_coordinates(point))[0]
    square: shapely.Polygon = shapely.box(x - MARK_M, y - MARK_M, x + MARK_M, y + MARK_M)
    return square
