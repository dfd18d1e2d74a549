"""GeoDa's library: AZP, Max-p and SKATER with a least number of households."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import TARGET, Part
from benchmarks.peers import each

__all__ = ["SYSTEMS"]

pygeoda = import_module("pygeoda")

Longs = npt.NDArray[np.int64]
LEAST_SHARES = (0.8, 0.6, 0.4, 0.2, 0.0)
FIRST_SEED = 1  # GeoDa takes 0 for none and then returns fewer regions than asked


def _weights(part: Part) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "atoms.gal"
        rows = [f"0 {len(part)} atoms id"]
        for at in range(len(part)):
            near = part.neighbour[part.starts[at] : part.starts[at + 1]] + 1
            rows += [f"{at + 1} {len(near)}", " ".join(map(str, near.tolist()))]
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return pygeoda.read_gal(str(path), [str(k + 1) for k in range(len(part))])


def _labels(found: Any) -> Longs:
    return np.unique(np.asarray(found["Clusters"]), return_inverse=True)[1].astype(np.int64)


def _data(part: Part) -> list[list[float]]:
    return [part.x.tolist(), part.y.tolist()]


def _bounded(solve: Any, part: Part, random_state: int) -> Longs:
    """Return the answer at the highest least weight at which there are as many parts as wanted."""
    near, households = _weights(part), part.weight.astype(float).tolist()
    label = np.zeros(len(part), dtype=np.int64)
    for share in LEAST_SHARES:
        bound = {"bound_variable": households, "min_bound": share * TARGET} if share else {}
        label = _labels(
            solve(part.count, near, _data(part), random_seed=random_state + FIRST_SEED, **bound)
        )
        if int(label.max()) + 1 == part.count:
            break
    return label


def _azp(part: Part, random_state: int) -> Longs:
    return _bounded(pygeoda.azp_greedy, part, random_state)


def _skater(part: Part, random_state: int) -> Longs:
    return _bounded(pygeoda.skater, part, random_state)


def _max_p(part: Part, random_state: int) -> Longs:
    households = part.weight.astype(float).tolist()
    found = pygeoda.maxp_greedy(
        _weights(part), _data(part), households, 0.8 * TARGET, random_seed=random_state + FIRST_SEED
    )
    return _labels(found)


SYSTEMS = {"azp": each(_azp), "max_p": each(_max_p), "skater": each(_skater)}
