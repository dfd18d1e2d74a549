"""The data that systems share: atoms with their neighbours, in plain arrays and an .npz file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["HARD_BOUNDS", "TARGET", "Atoms", "Part"]

TARGET = 50.0
HARD_BOUNDS = (30.0, 70.0)

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """The atoms of one parent, numbered from 0.

    Parameters
    ----------
    count : int
        How many parts are wanted.
    weight : ndarray of int64, shape (n,), households
    x, y, area_m2, perimeter_m : ndarray of float, shape (n,)
    starts, neighbour : ndarray of int64, shapes (n + 1,) and (2 e,)
        The neighbours of atom ``i`` are ``neighbour[starts[i]:starts[i + 1]]``, rising.
    border_m, barrier : ndarray of float, shape (2 e,)
    """

    count: int
    weight: Longs
    x: Floats
    y: Floats
    area_m2: Floats
    perimeter_m: Floats
    starts: Longs
    neighbour: Longs
    border_m: Floats
    barrier: Floats

    def __len__(self) -> int:
        return len(self.weight)


@dataclass(frozen=True)
class Atoms:
    """Atoms of many parents; `pairs` only join atoms of the same parent.

    Parameters
    ----------
    parent : ndarray of int64, shape (n,)
        Rising from 0; each parent has atoms.
    weight : ndarray of int64, shape (n,), households
    x, y, area_m2, perimeter_m : ndarray of float, shape (n,)
    pairs : ndarray of int64, shape (e, 2)
        The first is the lower.
    border_m : ndarray of float, shape (e,)
    barrier : ndarray of float, shape (e,)
        1 and more for a main road between the two.
    """

    parent: Longs
    weight: Longs
    x: Floats
    y: Floats
    area_m2: Floats
    perimeter_m: Floats
    pairs: Longs
    border_m: Floats
    barrier: Floats

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def starts(self) -> Longs:
        """Where the atoms of each parent begin, and the number of atoms."""
        parents = int(self.parent[-1]) + 1
        return np.searchsorted(self.parent, np.arange(parents + 1)).astype(np.int64)

    @property
    def counts(self) -> Longs:
        """How many parts each parent shall have: households by `TARGET`, rounded half up."""
        total = np.bincount(self.parent, weights=self.weight)
        wanted = np.floor(total / TARGET + 0.5).astype(np.int64)
        return np.minimum(np.maximum(wanted, 1), np.bincount(self.parent))

    def save(self, path: Path) -> None:
        """Write all arrays to an .npz file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Atoms:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    def first(self, parents: int) -> Atoms:
        """Return the atoms of the first parents."""
        atoms = int(np.searchsorted(self.parent, parents))
        kept = self.pairs[:, 1] < atoms
        nodes = ("parent", "weight", "x", "y", "area_m2", "perimeter_m")
        edges = ("pairs", "border_m", "barrier")
        return Atoms(
            **{name: getattr(self, name)[:atoms] for name in nodes},
            **{name: getattr(self, name)[kept] for name in edges},
        )

    def parts(self) -> Iterator[Part]:
        """Yield the atoms parent by parent."""
        one = np.concatenate([self.pairs[:, 0], self.pairs[:, 1]])
        other = np.concatenate([self.pairs[:, 1], self.pairs[:, 0]])
        order = np.lexsort((other, one))
        border = np.concatenate([self.border_m, self.border_m])[order]
        barrier = np.concatenate([self.barrier, self.barrier])[order]
        other = other[order]
        rows = np.concatenate([[0], np.cumsum(np.bincount(one, minlength=len(self)))])
        starts, counts = self.starts, self.counts
        for k in range(len(counts)):
            low, high = int(starts[k]), int(starts[k + 1])
            mine = slice(int(rows[low]), int(rows[high]))
            yield Part(
                count=int(counts[k]),
                weight=self.weight[low:high],
                x=self.x[low:high],
                y=self.y[low:high],
                area_m2=self.area_m2[low:high],
                perimeter_m=self.perimeter_m[low:high],
                starts=rows[low : high + 1] - rows[low],
                neighbour=other[mine] - low,
                border_m=border[mine],
                barrier=barrier[mine],
            )
