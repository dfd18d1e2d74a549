"""One judge for all systems: what a partition is worth, from the atoms and the labels alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.atoms import HARD_BOUNDS, TARGET, Atoms

__all__ = ["MAIN_ROAD", "deviations", "judge", "violations"]

MAIN_ROAD = 1.0
SLACK = 1e-9

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


def judge(atoms: Atoms, label: Longs, *, cut_atoms: int = 0) -> dict[str, float]:
    """Return the quality of a partition.

    Parameters
    ----------
    atoms : Atoms
    label : ndarray of int, shape (n,)
        The part of each atom within its parent; -1 for none.
    cut_atoms : int
        Atoms that the system itself divided among parts.

    Returns
    -------
    dict
        ``within_10pct``, ``within_20pct``, ``connected_pct``: per cent of the parts;
        ``mean_abs_dev``: households a part; ``exact_count_pct``: per cent of the parents with
        the wanted number of parts; ``polsby_popper_mean``: 4 pi area / perimeter^2 (Polsby and
        Popper 1991); ``road_pct``: per cent of the parts with a main road between two
        neighbours inside; ``cut_atoms``: atoms without a part, or in several.
    """
    part, count, parent = _numbered(atoms, label)
    placed = label >= 0
    weight = np.bincount(part[placed], weights=atoms.weight[placed], minlength=count)
    area = np.bincount(part[placed], weights=atoms.area_m2[placed], minlength=count)
    outline = np.bincount(part[placed], weights=atoms.perimeter_m[placed], minlength=count)
    one, other = atoms.pairs.T
    inside = (part[one] == part[other]) & placed[one]
    shared = np.bincount(part[one[inside]], weights=atoms.border_m[inside], minlength=count)
    road = inside & (atoms.barrier >= MAIN_ROAD - SLACK)
    crossed = np.bincount(part[one[road]], minlength=count) > 0
    pieces = _pieces(part, placed, one[inside], other[inside], count)
    away = np.abs(weight - TARGET)
    exact = np.bincount(parent, minlength=len(atoms.counts)) == atoms.counts
    length = np.maximum(outline - 2 * shared, SLACK)
    return {
        "within_10pct": 100 * float(np.mean(away <= 0.1 * TARGET + SLACK)),
        "within_20pct": 100 * float(np.mean(away <= 0.2 * TARGET + SLACK)),
        "mean_abs_dev": float(np.mean(away)),
        "connected_pct": 100 * float(np.mean(pieces == 1)),
        "exact_count_pct": 100 * float(np.mean(exact)),
        "cut_atoms": float(cut_atoms + np.sum(~placed)),
        "polsby_popper_mean": float(np.mean(4 * np.pi * area / length**2)),
        "road_pct": 100 * float(np.mean(crossed)),
    }


def deviations(atoms: Atoms, label: Longs) -> Floats:
    """Return for each parent the sum of its parts' deviations from `TARGET`, households."""
    weight, parent = _weights(atoms, label)
    away = np.abs(weight - TARGET)
    return _sums(parent, away, len(atoms.counts))


def violations(atoms: Atoms, label: Longs) -> Floats:
    """Return for each parent the households by which its parts lie beyond `HARD_BOUNDS`."""
    weight, parent = _weights(atoms, label)
    low, high = HARD_BOUNDS
    beyond = np.maximum(np.maximum(low - weight, weight - high), 0)
    return _sums(parent, beyond, len(atoms.counts))


def _weights(atoms: Atoms, label: Longs) -> tuple[Floats, Longs]:
    """Return the weight and the parent of each part."""
    part, count, parent = _numbered(atoms, label)
    placed = label >= 0
    return _sums(part[placed], atoms.weight[placed], count), parent


def _sums(group: Longs, values: npt.NDArray[np.generic], count: int) -> Floats:
    return np.bincount(group, weights=values, minlength=count).astype(np.float64)


def _numbered(atoms: Atoms, label: Longs) -> tuple[Longs, int, Longs]:
    """Return the part of each atom over all parents, how many there are, and their parents."""
    width = int(label.max(initial=0)) + 1
    key = np.where(label >= 0, atoms.parent * width + label, -1)
    known, part = np.unique(key, return_inverse=True)
    lost = int(known[0] < 0)
    return part - lost, len(known) - lost, known[lost:] // width


def _pieces(
    part: Longs, placed: npt.NDArray[np.bool_], one: Longs, other: Longs, count: int
) -> Longs:
    """Return how many pieces each part is in."""
    size = len(part)
    links = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(size, size))
    number, piece = connected_components(links, directed=False)
    owner = np.full(number, -1)
    owner[piece[placed]] = part[placed]
    return np.bincount(owner[owner >= 0], minlength=count)
