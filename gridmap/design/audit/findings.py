"""Findings of an audit, as they are collected and as the layer ``findings``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.audit import faults
from gridmap.design.audit.areas import Areas

__all__ = ["KINDS", "Findings"]

Shapes = npt.NDArray[np.object_]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = str | Sequence[str] | npt.NDArray[np.str_]

KINDS = (
    "invalid", "gap", "overlap", "sliver", "orphan", "multi_part", "not_nested", "outside",
    "code_missing", "code_wrong", "code_repeated", "empty", "over", "under", "unmatched",
    "building_cut", "homeless",
)  # fmt: skip


@dataclass
class Findings:
    """Findings as they are collected.

    Parameters
    ----------
    areas : Areas
    """

    areas: Areas
    parts: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        kind: Words,
        shapes: Shapes,
        concerned: Sequence[Longs] | Longs,
        fix: Words,
        *,
        safe: bool | Bools = False,
        detail: Words = "",
        parent: Longs | None = None,
        value: Any = np.nan,
        area_m2: Floats | None = None,
        names: Sequence[str] | Shapes | None = None,
    ) -> None:
        """Take findings of one rule.

        Parameters
        ----------
        kind, fix, detail : str or sequence of str
            Categories of the layer ``findings``.
        shapes : ndarray of geometry, shape (k,)
        concerned : sequence of ndarray, or ndarray, shape (k,)
            The areas of each; by default the first names the parent.
        names : sequence of str, optional
            Instead of the codes of the areas.
        """
        if len(shapes) == 0:
            return
        groups = [np.atleast_1d(np.asarray(one, dtype=np.int64)) for one in concerned]
        said = [", ".join(self.areas.codes[one]) for one in groups] if names is None else names
        if parent is None:
            at = np.array([one[0] if len(one) else -1 for one in groups], dtype=np.int64)
            parent = np.where(at >= 0, self.areas.parent[at], -1)
        codes = np.append(self.areas.outline_codes, "")
        self.parts.append(
            {
                "kind": kind,
                "detail": detail,
                "areas": said,
                "parent": codes[parent],
                "area_m2": shapely.area(shapes) if area_m2 is None else area_m2,
                "width_m": faults.width(shapes),
                "value": value,
                "fix": fix,
                "safe": safe,
                "geometry": shapes,
                "count": len(shapes),
            }
        )

    def frame(self) -> gpd.GeoDataFrame:
        """Return the layer ``findings``, by kind and then the largest first."""
        columns = ("kind", "detail", "areas", "parent", "area_m2", "width_m", "value", "fix",
                   "safe", "geometry")  # fmt: skip
        gathered = {
            name: np.concatenate(
                [np.broadcast_to(part[name], part["count"]).astype(object) for part in self.parts]
                or [np.empty(0, dtype=object)]
            )
            for name in columns
        }
        kind = pd.Categorical(gathered["kind"], categories=KINDS).codes
        order = np.lexsort(
            (gathered["areas"].astype(str), -gathered["area_m2"].astype(float), kind)
        )
        rows = pd.DataFrame({name: values[order] for name, values in gathered.items()})
        number = rows.groupby("kind").cumcount() + 1
        text = dict.fromkeys(("kind", "detail", "areas", "parent", "fix"), "string")
        numbers = {"area_m2": "float64", "width_m": "float64", "value": "float64"}
        rows = rows.astype({**text, **numbers, "safe": "boolean"})
        for name in ("detail", "parent"):
            rows[name] = rows[name].mask(rows[name] == "")
        rows.insert(0, "code", (rows["kind"] + "-" + number.astype("string")).astype("string"))
        return gpd.GeoDataFrame(rows, geometry="geometry", crs=self.areas.frame.crs)
