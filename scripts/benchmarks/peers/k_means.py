"""Balanced k-means of single households (Bradley, Bennett and Demiriz 2000)."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from benchmarks.atoms import Atoms, Part
from benchmarks.peers import Answer

__all__ = ["SYSTEMS"]

KMeansConstrained = import_module("k_means_constrained").KMeansConstrained


def _households(part: Part, random_state: int) -> tuple[npt.NDArray[np.int64], int]:
    """Return the part of each atom, that of most of its households, and how many were cut."""
    xy = np.column_stack([part.x, part.y])
    home = np.repeat(np.arange(len(part)), part.weight)
    share = len(home) / part.count
    model = KMeansConstrained(
        n_clusters=part.count,
        size_min=int(np.floor(share)),
        size_max=int(np.ceil(share)),
        n_init=2,
        random_state=random_state,
    )
    cluster = model.fit_predict(xy[home])
    votes = np.zeros((len(part), part.count), dtype=np.int64)
    np.add.at(votes, (home, cluster), 1)
    nearest = cKDTree(model.cluster_centers_).query(xy)[1]
    label = np.where(part.weight > 0, votes.argmax(axis=1), nearest)
    return label.astype(np.int64), int(((votes > 0).sum(axis=1) > 1).sum())


def _solve(atoms: Atoms, random_state: int) -> Answer:
    labels, cut = [], 0
    for part in atoms.parts():
        label, divided = np.zeros(len(part), dtype=np.int64), 0
        if part.count > 1:
            label, divided = _households(part, random_state)
        labels.append(label)
        cut += divided
    return Answer(np.concatenate(labels), cut)


SYSTEMS = {"households": _solve}
