"""Points to H3 cells, and counts of them: gridmap, h3ronpy, and h3 point by point."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.array_turns import Arrays, Figures, timed

__all__ = ["SYSTEMS"]

WARM = 5000


def _gridmap(data: Arrays, x: str, y: str, crs: int) -> tuple[Arrays, Figures]:
    cells = import_module("gridmap.analysis.h3._lookup")
    east, north, resolution = data[x], data[y], int(data["resolution"])
    cells.cells_at(east[:WARM], north[:WARM], crs, resolution=resolution)
    cells.cell_counts(east[:WARM], north[:WARM], crs, resolution=resolution)
    counts, count_s = timed(lambda: cells.cell_counts(east, north, crs, resolution=resolution))
    _, build_s = timed(lambda: cells.extent_patch(east, north, crs, resolution=resolution))
    found, cpu_s = timed(lambda: cells.cells_at(east, north, crs, resolution=resolution))
    answer = {"cells": found, "code": counts.index.to_numpy(), "count": counts.to_numpy()}
    return answer, {"cpu_s": cpu_s, "counts_s": count_s, "build_s": build_s}


def _counted(find: Callable[[slice], npt.NDArray[np.uint64]], count: int) -> tuple[Arrays, Figures]:
    find(slice(WARM))
    found, cpu_s = timed(lambda: find(slice(count)))
    (code, times), unique_s = timed(lambda: np.unique(found, return_counts=True))
    answer = {"cells": found, "code": code, "count": times}
    return answer, {"cpu_s": cpu_s, "counts_s": cpu_s + unique_s}


def _h3ronpy(data: Arrays) -> tuple[Arrays, Figures]:
    vector = import_module("h3ronpy.vector")

    def find(part: slice) -> Any:
        made = vector.coordinates_to_cells(
            data["lat"][part], data["lng"][part], int(data["resolution"])
        )
        return np.asarray(made)

    return _counted(find, len(data["lat"]))


def _h3(data: Arrays) -> tuple[Arrays, Figures]:
    h3 = import_module("h3.api.numpy_int")

    def find(part: slice) -> Any:
        resolution = int(data["resolution"])
        places = zip(data["lat"][part].tolist(), data["lng"][part].tolist(), strict=True)
        made = (h3.latlng_to_cell(lat, lng, resolution) for lat, lng in places)
        return np.fromiter(made, dtype=np.uint64)

    return _counted(find, len(data["lat"]))


SYSTEMS = {
    "degrees": lambda data: _gridmap(data, "lng", "lat", 4326),
    "metres": lambda data: _gridmap(data, "x", "y", 4549),
    "h3ronpy": _h3ronpy,
    "h3": _h3,
}
