"""Kernels along a network: how an event spreads over lixels, and events thrown anew."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = ["Streets", "exceedances", "reach_over", "search", "spread"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

# Metres by which two ways of the same length may differ by rounding.
_TIE_M = 1e-6


class Streets(NamedTuple):
    """A network in flat arrays.

    Lixels ``first[k]`` to ``first[k + 1]`` are equal pieces of edge ``k``, from ``ends[k, 0]`` to
    ``ends[k, 1]``. At node ``n`` are ``incident[starts[n]:starts[n + 1]]``, each twice the edge
    plus 1 if the node is its second end; a loop is there twice.
    """

    ends: Longs
    length: Floats
    first: Longs
    edge: Longs
    starts: Longs
    incident: Longs


class _Reach(NamedTuple):
    """Work space of one search: what it knows of nodes, edges and lixels, and a heap."""

    distance: Floats
    flow: Floats
    seen: Longs  # the search that knows the node
    edge_seen: Longs
    edges: Longs
    lixel_seen: Longs
    lixels: Longs
    mass: Floats
    heap: Longs
    heap_at: Floats
    size: Longs  # of heap, edges and lixels


@inner
def _quartic(t: float) -> float:
    """Return the integral of the quartic kernel from 0 to `t` bandwidths; 1/2 from 1 on."""
    t = min(t, 1.0)
    square = t * t
    return 0.9375 * t * (1.0 - square * (2.0 / 3.0 - 0.2 * square))


@inner
def _push(reach: _Reach, node: int, distance: float) -> None:
    at = reach.size[0]
    reach.size[0] += 1
    while at > 0:
        above = (at - 1) >> 1
        if reach.heap_at[above] <= distance:
            break
        reach.heap[at] = reach.heap[above]
        reach.heap_at[at] = reach.heap_at[above]
        at = above
    reach.heap[at] = node
    reach.heap_at[at] = distance


@inner
def _pop(reach: _Reach) -> None:
    """Take the first off the heap."""
    reach.size[0] -= 1
    last = reach.size[0]
    node, distance = reach.heap[last], reach.heap_at[last]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= last:
            break
        if below + 1 < last and reach.heap_at[below + 1] < reach.heap_at[below]:
            below += 1
        if reach.heap_at[below] >= distance:
            break
        reach.heap[at] = reach.heap[below]
        reach.heap_at[at] = reach.heap_at[below]
        at = below
    reach.heap[at] = node
    reach.heap_at[at] = distance


@inner
def _arrive(reach: _Reach, turn: int, node: int, distance: float, flow: float) -> None:
    """Note a way to a node; ways of the same length add up."""
    if reach.seen[node] == turn:
        ahead = reach.distance[node] - distance
        if abs(ahead) <= _TIE_M:
            reach.flow[node] += flow
            return
        if ahead < 0.0:
            return
    reach.seen[node] = turn
    reach.distance[node] = distance
    reach.flow[node] = flow
    _push(reach, node, distance)


@inner
def search(
    streets: Streets, turn: int, edge: int, along: float, bandwidth: float, reach: _Reach
) -> None:
    """Reach every node within a bandwidth of a place on an edge, and list the edges at them."""
    reach.size[0] = 0
    reach.size[1] = 1
    reach.edges[0] = edge
    reach.edge_seen[edge] = turn
    _arrive(reach, turn, streets.ends[edge, 0], along, 1.0)
    _arrive(reach, turn, streets.ends[edge, 1], streets.length[edge] - along, 1.0)
    while reach.size[0] > 0:
        node, distance = reach.heap[0], reach.heap_at[0]
        _pop(reach)
        if distance >= bandwidth:
            break
        if distance > reach.distance[node]:
            continue
        begin, end = streets.starts[node], streets.starts[node + 1]
        flow = reach.flow[node] / max(end - begin - 1, 1)
        for at in range(begin, end):
            new, side = streets.incident[at] >> 1, streets.incident[at] & 1
            if reach.edge_seen[new] != turn:
                reach.edge_seen[new] = turn
                reach.edges[reach.size[1]] = new
                reach.size[1] += 1
            _arrive(reach, turn, streets.ends[new, 1 - side], distance + streets.length[new], flow)


@inner
def _pour(
    streets: Streets, reach: _Reach, turn: int, edge: int, near: float, far: float,
    distance: float, flow: float, bandwidth: float,
) -> None:  # fmt: skip
    """Add what a front leaves on an edge from `near` to `far`; it is `distance` away at `near`."""
    room = bandwidth - distance
    rising = far > near
    if room <= 0.0 or flow <= 0.0 or far == near:
        return
    low, high = (near, min(far, near + room)) if rising else (max(far, near - room), near)
    first, last = streets.first[edge], streets.first[edge + 1] - 1
    step = streets.length[edge] / (last - first + 1)
    for lixel in range(min(first + int(low / step), last), min(first + int(high / step), last) + 1):
        start = max(low, (lixel - first) * step)
        stop = high if lixel == last else min(high, (lixel - first + 1) * step)
        one = distance + abs(start - near)
        two = distance + abs(stop - near)
        mass = flow * abs(_quartic(two / bandwidth) - _quartic(one / bandwidth))
        if mass <= 0.0:
            continue
        if reach.lixel_seen[lixel] != turn:
            reach.lixel_seen[lixel] = turn
            reach.lixels[reach.size[2]] = lixel
            reach.size[2] += 1
            reach.mass[lixel] = 0.0
        reach.mass[lixel] += mass


@inner
def _onward(streets: Streets, reach: _Reach, turn: int, node: int, bandwidth: float) -> float:
    """Return the flow into each further edge at a node; 0 where there is none."""
    branches = streets.starts[node + 1] - streets.starts[node] - 1
    if branches < 1 or reach.seen[node] != turn or reach.distance[node] >= bandwidth:
        return 0.0
    return float(reach.flow[node] / branches)


@inner
def _between(
    streets: Streets, reach: _Reach, turn: int, edge: int, low: float, high: float,
    low_m: float, low_flow: float, high_m: float, high_flow: float, bandwidth: float,
) -> None:  # fmt: skip
    """Let fronts enter a piece of an edge from both ends, each as far as it is the nearer."""
    meet = low + 0.5 * (high_m - low_m + high - low)
    meet = min(max(meet, low), high)
    _pour(streets, reach, turn, edge, low, meet, low_m, low_flow, bandwidth)
    _pour(streets, reach, turn, edge, high, meet, high_m, high_flow, bandwidth)


@inner
def _spread_one(streets: Streets, source: int, bandwidth: float, reach: _Reach) -> float:
    """Spread a unit at the middle of a lixel; return how much of it the network holds."""
    own = streets.edge[source]
    length = streets.length[own]
    along = (source - streets.first[own] + 0.5) * (
        length / (streets.first[own + 1] - streets.first[own])
    )
    search(streets, source, own, along, bandwidth, reach)
    reach.size[2] = 0
    for at in range(reach.size[1]):
        edge = reach.edges[at]
        u, v = streets.ends[edge, 0], streets.ends[edge, 1]
        flow_u = _onward(streets, reach, source, u, bandwidth)
        flow_v = _onward(streets, reach, source, v, bandwidth)
        # A node out of reach is a bandwidth away, for all that matters here.
        to_u = reach.distance[u] if reach.seen[u] == source else 2.0 * bandwidth
        to_v = reach.distance[v] if reach.seen[v] == source else 2.0 * bandwidth
        whole = streets.length[edge]
        if edge == own:
            _between(streets, reach, source, edge, 0.0, along, to_u, flow_u, 0.0, 1.0, bandwidth)
            _between(streets, reach, source, edge, along, whole, 0.0, 1.0, to_v, flow_v, bandwidth)
        else:
            _between(
                streets, reach, source, edge, 0.0, whole, to_u, flow_u, to_v, flow_v, bandwidth
            )
    total = 0.0
    for at in range(reach.size[2]):
        total += reach.mass[reach.lixels[at]]
    return total


@inner
def reach_over(streets: Streets) -> _Reach:
    """Return work space for searches of a network."""
    lixels, edges, nodes = len(streets.edge), len(streets.length), len(streets.starts) - 1
    return _Reach(
        np.empty(nodes),
        np.empty(nodes),
        np.full(nodes, -1),
        np.full(edges, -1),
        np.empty(edges, np.int64),
        np.full(lixels, -1),
        np.empty(lixels, np.int64),
        np.empty(lixels),
        np.empty(2 * edges + 3, np.int64),
        np.empty(2 * edges + 3),
        np.zeros(3, np.int64),
    )


@kernel
def spread(streets: Streets, bandwidth: float) -> tuple[Longs, npt.NDArray[np.int32], Floats]:
    """Spread a unit from the middle of every lixel over the lixels around it.

    Parameters
    ----------
    streets : Streets
        With m lixels.
    bandwidth : float, metres

    Returns
    -------
    starts : ndarray of int64, shape (m + 1,)
    lixel : ndarray of int32
        ``lixel[starts[s]:starts[s + 1]]`` are those that lixel ``s`` reaches.
    mass : ndarray of float
        The share that each gets; they add up to 1 for every source.
    """
    lixels = len(streets.edge)
    reach = reach_over(streets)
    starts = np.zeros(lixels + 1, np.int64)
    lixel = np.empty(16 * lixels + 16, np.int32)
    mass = np.empty(16 * lixels + 16)
    count = 0
    for source in range(lixels):
        total = _spread_one(streets, source, bandwidth, reach)
        found = reach.size[2]
        while count + found > len(lixel):
            lixel = np.concatenate((lixel, np.empty_like(lixel)))
            mass = np.concatenate((mass, np.empty_like(mass)))
        for at in range(found):
            lixel[count] = reach.lixels[at]
            mass[count] = reach.mass[reach.lixels[at]] / total
            count += 1
        starts[source + 1] = count
    return starts, lixel[:count].copy(), mass[:count].copy()


@inner
def _draw(state: npt.NDArray[np.uint64]) -> float:
    """Return a random number in [0, 1) (SplitMix64: Steele, Lea and Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return float(z >> np.uint64(11)) * 2.0**-53


@kernel
def exceedances(
    starts: Longs,
    lixel: npt.NDArray[np.int32],
    mass: Floats,
    chance: Floats,
    weights: Floats,
    observed: Floats,
    permutations: int,
    random_state: int,
) -> Longs:
    """Throw events anew, and count how often each lixel gets as much as it did.

    Parameters
    ----------
    starts, lixel, mass : ndarray
        As of `spread`.
    chance : ndarray of float, shape (m,)
        How likely an event falls on each lixel; they add up to 1.
    weights : ndarray of float, shape (n,)
        Of the events, each kept by its event.
    observed : ndarray of float, shape (m,)
    permutations, random_state : int

    Returns
    -------
    ndarray of int64, shape (m,)
    """
    lixels = len(chance)
    upto = np.cumsum(chance)
    upto /= upto[-1]
    # Where to begin looking, for each of as many equal steps as there are lixels.
    guide = np.searchsorted(upto, np.arange(lixels) / lixels, side="right")
    count = np.zeros(lixels, np.int64)
    least = observed * (1.0 - 1e-9)
    thrown = np.empty(lixels)
    found = np.empty(lixels)
    state = np.empty(1, np.uint64)
    state[0] = np.uint64(random_state)
    for _ in range(permutations):
        thrown[:] = 0.0
        for weight in weights:
            number = _draw(state)
            at = guide[int(number * lixels)]
            while upto[at] <= number:
                at += 1
            thrown[at] += weight
        found[:] = 0.0
        for source in range(lixels):
            weight = thrown[source]
            if weight > 0.0:
                for at in range(starts[source], starts[source + 1]):
                    found[lixel[at]] += weight * mass[at]
        for at in range(lixels):
            count[at] += found[at] >= least[at]
    return count
