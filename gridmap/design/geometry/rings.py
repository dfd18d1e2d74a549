"""Polygons as flat arrays of coordinates, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

__all__ = ["Rings"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_POLYGON = 3  # of the types of GEOS
TRIANGLE = 3  # coordinates of a ring that is less than one


@dataclass(frozen=True)
class Rings:
    """The rings of many polygons.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
    xy : ndarray of float, shape (v, 2), metres
        Of all rings in order; every ring ends where it begins.
    ring : ndarray of int, shape (v,)
        The ring of each coordinate.
    shape : ndarray of int, shape (v,)
        The shape of each coordinate.
    """

    shapes: Shapes
    xy: Floats
    ring: Longs
    shape: Longs

    @classmethod
    def of(cls, shapes: Shapes) -> Rings:
        """Take polygons apart."""
        parts, owner = shapely.get_parts(shapes, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        return cls(shapes, xy, ring, owner[part[ring]])

    @cached_property
    def node(self) -> Longs:
        """The same number for coordinates that are equal, from 0."""
        return np.unique(self.xy[:, 0] + 1j * self.xy[:, 1], return_inverse=True)[1]

    @cached_property
    def start(self) -> Longs:
        """Where segments begin: each reaches to the next coordinate."""
        return np.flatnonzero(self.ring[1:] == self.ring[:-1])

    @cached_property
    def key(self) -> Longs:
        """The same number for segments that join the same nodes, in either direction."""
        one, other = self.node[self.start], self.node[self.start + 1]
        low, high = np.minimum(one, other), np.maximum(one, other)
        return np.asarray(low * (int(self.node.max(initial=0)) + 1) + high)

    @cached_property
    def rim(self) -> Longs:
        """Where segments begin that stand once only: the outer rim of a coverage."""
        _, at, times = np.unique(self.key, return_inverse=True, return_counts=True)
        return np.asarray(self.start[times[at] == 1])

    @property
    def rim_nodes(self) -> tuple[Longs, Longs]:
        """Where each node of the rim first stands among the coordinates, and its number."""
        at = np.unique(np.concatenate([self.rim, self.rim + 1]))
        node, first = np.unique(self.node[at], return_index=True)
        return at[first], node

    def moved_nodes(self, node: Longs, xy: Floats) -> Rings:
        """Return the polygons with some nodes elsewhere, wherever they stand.

        Nodes that come to lie on one place become one, unless less than a triangle would be left.
        """
        every = np.empty((int(self.node.max(initial=-1)) + 1, 2))
        every[self.node] = self.xy
        every[node] = xy
        moved = every[self.node]
        changed = np.unique(self.shape[(moved != self.xy).any(axis=1)])
        again = np.zeros(len(moved), dtype=bool)
        again[1:] = (moved[1:] == moved[:-1]).all(axis=1) & (self.ring[1:] == self.ring[:-1])
        left = np.bincount(self.ring[~again], minlength=int(self.ring.max(initial=-1)) + 1)
        keep = ~again | (left[self.ring] <= TRIANGLE)
        return self._with(moved[keep], self.ring[keep], self.shape[keep], changed)

    def inserted(self, after: Longs, nodes: Floats) -> Rings:
        """Return the polygons with nodes put in after coordinates, in the order given."""
        xy = np.insert(self.xy, after + 1, nodes, axis=0)
        ring = np.insert(self.ring, after + 1, self.ring[after])
        shape = np.insert(self.shape, after + 1, self.shape[after])
        return self._with(xy, ring, shape, np.unique(self.shape[after]))

    def _with(self, xy: Floats, ring: Longs, shape: Longs, changed: Longs) -> Rings:
        keep = np.isin(shape, changed)
        names, position = np.unique(ring[keep], return_inverse=True)
        made = np.empty(0, dtype=object)
        if len(names):
            made = np.asarray(shapely.linearrings(xy[keep], indices=position), dtype=object)
        first = np.flatnonzero(np.diff(ring[keep], prepend=-1))
        bounds = np.searchsorted(shape[keep][first], np.append(changed, len(self.shapes)))
        shapes = self.shapes.copy()
        # Most shapes are one ring, and are made at once.
        one = (np.diff(bounds) == 1) & (shapely.get_type_id(shapes[changed]) == _POLYGON)
        shapes[changed[one]] = shapely.polygons(made[bounds[:-1][one]])
        for k in np.flatnonzero(~one):
            shapes[changed[k]] = _rebuilt(shapes[changed[k]], made[bounds[k] : bounds[k + 1]])
        return Rings(shapes, xy, ring, shape)


def _rebuilt(shape: BaseGeometry, rings: Shapes) -> BaseGeometry:
    """Return a shape of the same parts with other rings, in the same order."""
    at = 0
    polygons: list[shapely.Polygon] = []
    for part in shapely.get_parts(shape):
        holes = shapely.get_num_interior_rings(part)
        polygons.append(shapely.polygons(rings[at], rings[at + 1 : at + 1 + holes]))
        at += 1 + holes
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
