"""Atoms and their neighbours: all that a partition has to know of geometry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BARRIERS", "AtomGraph"]

BARRIERS = ("", "compound", "road", "main_road", "river", "railway", "wall", "other")
"""What can lie between two atoms; the first is nothing."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class AtomGraph:
    """Atoms of many parents, each with its neighbours inside the same parent.

    The area, the perimeter and the barriers of a union of atoms follow from these arrays alone,
    so that a search needs no geometry: a union's perimeter is the sum of its atoms' perimeters
    less twice the borders between them.

    Parameters
    ----------
    parent : ndarray of int32, shape (n,)
        Position of the parent of each atom, rising.
    weight : ndarray of float, shape (n,)
        What is to be balanced: households, or a mix. Never negative.
    x, y : ndarray of float, shape (n,), metres
        An inner point of each atom.
    area_m2, perimeter_m : ndarray of float, shape (n,)
        Of each atom's cell.
    starts : ndarray of int64, shape (n + 1,)
        The neighbours of atom ``i`` are ``neighbour[starts[i]:starts[i + 1]]``, rising.
    neighbour : ndarray of int32, shape (m,)
        Every pair of neighbours stands here twice, once from either side.
    border_m : ndarray of float, shape (m,), metres
        Length of the shared border.
    barrier : ndarray of float, shape (m,)
        How much it costs to have both atoms in one part: 0 for nothing between them, 1 for a
        main road. What cannot be crossed at all is no neighbour.
    together : ndarray of float, shape (m,)
        How much it costs to have the two atoms in different parts: stairwell units of one
        building, buildings of one compound; 0 for others.
    kind : ndarray of int8, shape (m,)
        What the barrier is: a position in `BARRIERS`. The search does not ask.
    """

    parent: Ints
    weight: Floats
    x: Floats
    y: Floats
    area_m2: Floats
    perimeter_m: Floats
    starts: Longs
    neighbour: Ints
    border_m: Floats
    barrier: Floats
    together: Floats
    kind: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, dtype=np.int8))

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def parents(self) -> int:
        """How many parents there are."""
        return int(self.parent[-1]) + 1 if len(self) else 0

    @classmethod
    def from_pairs(cls, pairs: npt.ArrayLike, **columns: Any) -> AtomGraph:
        """Build a graph from one row for each pair of neighbours.

        Parameters
        ----------
        pairs : array of int, shape (e, 2)
            Each pair once, in either order.
        **columns
            Every parameter of the class but ``starts`` and ``neighbour``; ``border_m``,
            ``barrier``, ``together`` and ``kind`` have one value a pair; the latter three may be
            left out.
        """
        both = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        count = len(columns["parent"])
        one = np.concatenate([both[:, 0], both[:, 1]])
        other = np.concatenate([both[:, 1], both[:, 0]])
        order = np.lexsort((other, one))
        starts = np.zeros(count + 1, dtype=np.int64)
        np.cumsum(np.bincount(one, minlength=count), out=starts[1:])
        edges = {}
        for name in ("border_m", "barrier", "together"):
            values = np.asarray(columns.pop(name, np.zeros(len(both))), dtype=np.float64)
            edges[name] = np.concatenate([values, values])[order]
        kind = np.asarray(columns.pop("kind", np.zeros(len(both))), dtype=np.int8)
        parent = np.array(columns.pop("parent"), dtype=np.int32)
        nodes = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
        neighbour = other[order].astype(np.int32)
        return cls(
            parent=parent, starts=starts, neighbour=neighbour, **nodes, **edges,
            kind=np.concatenate([kind, kind])[order],
        )  # fmt: skip

    def only(self, atoms: npt.ArrayLike) -> AtomGraph:
        """Return the graph of some atoms, in the order given, which keeps parents rising.

        Parameters
        ----------
        atoms : array of int, shape (a,)
            Distinct positions. Parents are numbered anew from 0.
        """
        kept = np.asarray(atoms, dtype=np.int64)
        place = np.full(len(self), -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        counts = self.starts[kept + 1] - self.starts[kept]
        owner = np.repeat(np.arange(len(kept)), counts)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        edge = np.repeat(self.starts[kept], counts) + offsets
        other = place[self.neighbour[edge]]
        once = other > owner
        edge, owner, other = edge[once], owner[once], other[once]
        return AtomGraph.from_pairs(
            np.column_stack([owner, other]),
            parent=np.unique(self.parent[kept], return_inverse=True)[1],
            weight=self.weight[kept],
            x=self.x[kept],
            y=self.y[kept],
            area_m2=self.area_m2[kept],
            perimeter_m=self.perimeter_m[kept],
            border_m=self.border_m[edge],
            barrier=self.barrier[edge],
            together=self.together[edge],
            kind=self.kind[edge] if len(self.kind) else np.zeros(len(edge)),
        )
