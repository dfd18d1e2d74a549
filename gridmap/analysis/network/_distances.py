"""How many points along a network lie within some distances of each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmap.analysis.network._loops import Streets, reach_over, search
from gridmap.compiled import kernel

__all__ = ["counts_along"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


def counts_along(streets: Streets, edge: Longs, along: Floats, distances: Floats) -> Longs:
    """Count other points within some distances of each, along the network.

    Parameters
    ----------
    streets : Streets
    edge : ndarray of int64, shape (n,)
    along : ndarray of float, shape (n,), metres from the first end of the edge
    distances : ndarray of float, shape (d,), rising

    Returns
    -------
    ndarray of int64, shape (n, d)
    """
    order = np.lexsort((along, edge)).astype(np.int64)
    starts = np.searchsorted(edge[order], np.arange(len(streets.length) + 1)).astype(np.int64)
    counts = np.empty((len(edge), len(distances)), np.int64)
    counts[order] = _counted(streets, edge[order], along[order], starts, distances)
    return counts


@kernel
def _counted(
    streets: Streets, edge: Longs, along: Floats, starts: Longs, distances: Floats
) -> Longs:
    count, most = len(distances), distances[-1]
    reach = reach_over(streets)
    found = np.zeros((len(edge), count), np.int64)
    for point in range(len(edge)):
        search(streets, point, edge[point], along[point], most, reach)
        for at in range(reach.size[1]):
            near = reach.edges[at]
            u, v = streets.ends[near, 0], streets.ends[near, 1]
            to_u = reach.distance[u] if reach.seen[u] == point else 2.0 * most
            to_v = reach.distance[v] if reach.seen[v] == point else 2.0 * most
            for other in range(starts[near], starts[near + 1]):
                if other == point:
                    continue
                away = min(to_u + along[other], to_v + streets.length[near] - along[other])
                if near == edge[point]:
                    away = min(away, abs(along[other] - along[point]))
                for d in range(count):
                    if away <= distances[d]:
                        found[point, d] += 1
                        break
        for d in range(1, count):
            found[point, d] += found[point, d - 1]
    return found
