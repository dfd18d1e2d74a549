"""Writing what an audit found, and the layer as it was mended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pyproj

from gridmap.catalog import Text, load_catalog
from gridmap.leaving import leaving
from gridmap.model import UNDATED, City
from gridmap.outputs.export.layers import write_layers
from gridmap.privacy import code_leaving, shown_table
from gridmap.result import Analysed, Result

__all__ = ["write_findings", "write_mended"]


def write_findings(
    findings: gpd.GeoDataFrame, name: str, folder: Path, *, lang: str = "en"
) -> list[Path]:
    """Write the layer ``findings`` as a GeoPackage with its legend.

    Parameters
    ----------
    findings : GeoDataFrame
        Of `gridmap.design.audit.checks.audit`.
    name : str
        Of the grid layer; the file is ``<name>_findings.gpkg``.
    folder : pathlib.Path
        It must exist.
    lang : str

    Returns
    -------
    list of pathlib.Path
    """
    catalog = load_catalog()
    city = City(
        name=f"{name}_findings",
        title=Text(en=name, zh=name),
        source=Text(en="", zh=""),
        crs=pyproj.CRS(findings.crs),
        timezone="UTC",
        as_of=UNDATED.replace(tzinfo=dt.UTC),
        layers={},
        catalog=catalog,
    )
    result = Result(catalog.layer("findings"), findings, "topology and bounds rules")
    return write_layers(
        Analysed(city, {"findings": result}, {}), folder, formats=("gpkg",), lang=lang
    )


def write_mended(
    mended: gpd.GeoDataFrame,
    table: pd.DataFrame,
    names: Mapping[str, str],
    name: str,
    folder: Path,
) -> Path:
    """Write a mended grid layer with every column that it came with.

    Parameters
    ----------
    mended : GeoDataFrame
        Its index tells the rows of `table`.
    table : DataFrame
        Every other column of the file, and codes as they were.
    names : mapping of str to str
        The columns of the file for ``code`` and ``parent``.
    name : str
        Of the grid layer; the file is ``<name>_mended.gpkg``.
    folder : pathlib.Path
        It must exist.

    Returns
    -------
    pathlib.Path
        The geometry is in the metric system of the audit: the way back would round borders that
        two areas share.
    """
    path = folder / f"{name}_mended.gpkg"
    areas = load_catalog().layer("grids").fields
    coded = {names[role]: areas[role] for role in ("code", "parent") if role in names}
    kept = shown_table(table.loc[mended.index], coded).copy()
    for role in ("code", "parent"):
        # Numbers need no mending and stay numbers.
        name = leaving(names.get(role, ""))
        if role in names and pd.api.types.is_string_dtype(kept[name]):
            kept[name] = mended[role].map(code_leaving, na_action="ignore")
    frame = gpd.GeoDataFrame(kept, geometry=mended.geometry, crs=mended.crs)
    pyogrio.write_dataframe(
        frame, path, layer=name, driver="GPKG", geometry_type="MultiPolygon", promote_to_multi=True
    )
    return path
