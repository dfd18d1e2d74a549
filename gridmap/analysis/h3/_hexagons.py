"""H3 as what it is on each face of its icosahedron: a lattice in a gnomonic plane.

H3 finds the cell of a point by projecting it to the plane of the nearest face (gnomonic, from the
centre of a sphere on which latitude is taken as it is given) and taking the nearest point of a
hexagonal lattice there. Over the extent of a city the way from coordinates of any system to those
of the lattice is a polynomial of low degree within a fraction of a millimetre. What lies nearer to
an edge than that polynomial can be wrong is left to H3 itself.

Source: H3's documentation, "Overview of the H3 geospatial indexing system", and Brodsky (2018).
"""

from __future__ import annotations

from typing import NamedTuple

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = [
    "BLOCK",
    "Lattice",
    "Patch",
    "face_keys",
    "lattice",
    "locate",
    "numbers",
    "sparse_keys",
    "tally",
    "to_lattice",
    "translate",
]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Cells = npt.NDArray[np.uint64]

# Between neighbouring lattice points of resolution 0, on a plane that touches the unit sphere.
_UNIT = (3.0 - np.sqrt(5.0)) / 2.0
_TURN = np.arcsin(np.sqrt(3.0 / 28.0))  # of odd resolutions against even ones
_ROUNDING = 1e-13  # radians; what the arithmetic of H3 and ours may differ by, with room to spare
BLOCK = 512
_SIDE = 1 << 24


class Lattice(NamedTuple):
    """The lattices of one resolution.

    Parameters
    ----------
    centre : ndarray of float, shape (20, 3)
        Of the faces, on the unit sphere.
    axes : ndarray of float, shape (20, 2, 3)
        ``axes @ v / (centre @ v)`` are the lattice coordinates of a direction ``v``.
    sides : ndarray of float, shape (3, 3)
        ``sides @ (q, r, 1)`` is how far a place is inside each side of a face, in steps.
    unit : float, radians
        Between neighbouring lattice points at the centre of a face.
    """

    centre: Floats
    axes: Floats
    sides: Floats
    unit: float


class Patch(NamedTuple):
    """Lattice coordinates of one face as polynomials of x and y.

    ``terms[0 or 1, j, i]`` is the coefficient of ``u^i v^j`` with ``u = (x - x0) * scale``, and
    ``guard`` what they may be off, in steps. Cells are numbered by row within a window.
    """

    terms: Floats
    x0: float
    y0: float
    scale: float
    guard: float
    sides: Floats
    first_q: int
    first_r: int
    height: int
    width: int


def lattice(resolution: int) -> Lattice:
    """Return the lattices of a resolution, from where H3 says that its pentagons are."""
    degrees = np.radians([h3.cell_to_latlng(cell) for cell in sorted(h3.get_pentagons(15))])
    corner = np.column_stack(
        [
            np.cos(degrees[:, 0]) * np.cos(degrees[:, 1]),
            np.cos(degrees[:, 0]) * np.sin(degrees[:, 1]),
            np.sin(degrees[:, 0]),
        ]
    )
    near = corner @ corner.T > 0.0
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    centre = corner[np.array(faces)].sum(axis=1)
    centre /= np.linalg.norm(centre, axis=1)[:, None]
    unit = float(_UNIT / np.sqrt(7.0) ** resolution)
    turn = _TURN if resolution % 2 else 0.0
    axes = np.empty((len(faces), 2, 3))
    for face, (first, _, _) in enumerate(faces):
        along = corner[first] - (corner[first] @ centre[face]) * centre[face]
        along /= np.linalg.norm(along)
        across = np.cross(centre[face], along)
        x = (np.cos(turn) * along + np.sin(turn) * across) / unit
        y = (np.cos(turn) * across - np.sin(turn) * along) / unit
        axes[face] = x - y / np.sqrt(3.0), 2.0 * y / np.sqrt(3.0)
    # The sides stand across from the corners, one step of two resolution-0 lattices away.
    sides = np.empty((3, 3))
    for side in range(3):
        angle = 2.0 * np.pi * side / 3.0 - turn
        # Lattice coordinates to the plane: x = q + r / 2, y = r sqrt(3) / 2.
        sides[side] = (
            np.cos(angle),
            0.5 * np.cos(angle) + np.sqrt(0.75) * np.sin(angle),
            _UNIT / unit,
        )
    return Lattice(centre, axes, sides, unit)


def to_lattice(lattice: Lattice, latitude: Floats, longitude: Floats) -> tuple[Longs, Floats]:
    """Return the face of each place, and how far it is from the centre of every face.

    Parameters
    ----------
    latitude, longitude : ndarray of float, shape (n,), degrees

    Returns
    -------
    face : ndarray of int64, shape (n,)
    direction : ndarray of float, shape (n, 3)
        On the unit sphere.
    """
    lat, lng = np.radians(latitude), np.radians(longitude)
    flat = np.cos(lat)
    direction = np.column_stack([flat * np.cos(lng), flat * np.sin(lng), np.sin(lat)])
    face: Longs = np.argmax(direction @ lattice.centre.T, axis=1).astype(np.int64)
    return face, direction


@inner
def _nearest(q: float, r: float) -> tuple[float, float]:
    """Return the lattice point nearest to lattice coordinates."""
    s = -q - r
    at_q, at_r, at_s = np.rint(q), np.rint(r), np.rint(s)
    off_q, off_r, off_s = abs(q - at_q), abs(r - at_r), abs(s - at_s)
    # The three must add up to 0: the one that was rounded furthest gives way.
    over = at_q + at_r + at_s
    by_q = (off_q > off_r) & (off_q > off_s)
    by_r = (off_r > off_s) & (not by_q)
    return at_q - over if by_q else at_q, at_r - over if by_r else at_r


@inner
def _inside(q: float, r: float, at_q: float, at_r: float) -> float:
    """Return how far a place is inside its hexagon, from 1 at the centre to 0 on an edge."""
    dq, dr = q - at_q, r - at_r
    ds = -dq - dr
    return 1.0 - max(abs(dq - dr), abs(dr - ds), abs(ds - dq))


@inner
def _cubic(x: Floats, y: Floats, begin: int, count: int, patch: Patch, work: Floats) -> None:
    """Evaluate both polynomials where they are of degree 3, in one pass."""
    q, r = work[0], work[1]
    a, b = patch.terms[0], patch.terms[1]
    a00, a01, a02, a03 = a[0, 0], a[0, 1], a[0, 2], a[0, 3]
    a10, a11, a12, a20, a21, a30 = a[1, 0], a[1, 1], a[1, 2], a[2, 0], a[2, 1], a[3, 0]
    b00, b01, b02, b03 = b[0, 0], b[0, 1], b[0, 2], b[0, 3]
    b10, b11, b12, b20, b21, b30 = b[1, 0], b[1, 1], b[1, 2], b[2, 0], b[2, 1], b[3, 0]
    x0, y0, scale = patch.x0, patch.y0, patch.scale
    for k in range(count):
        u, v = (x[begin + k] - x0) * scale, (y[begin + k] - y0) * scale
        two, one, none = a21 * u + a20, (a12 * u + a11) * u + a10, ((a03 * u + a02) * u + a01) * u
        q[k] = ((a30 * v + two) * v + one) * v + none + a00
        two, one, none = b21 * u + b20, (b12 * u + b11) * u + b10, ((b03 * u + b02) * u + b01) * u
        r[k] = ((b30 * v + two) * v + one) * v + none + b00


@inner
def _polynomials(x: Floats, y: Floats, begin: int, count: int, patch: Patch, work: Floats) -> None:
    """Evaluate both polynomials, of any degree; loops over points are inside, as vectors."""
    u, v, term = work[2], work[3], work[4]
    for k in range(count):
        u[k] = (x[begin + k] - patch.x0) * patch.scale
        v[k] = (y[begin + k] - patch.y0) * patch.scale
    degree = patch.terms.shape[1] - 1
    for which in range(2):
        total = work[which]
        total[:count] = 0.0
        for j in range(degree, -1, -1):
            top = patch.terms[which, j, degree - j]
            for k in range(count):
                term[k] = top
            for i in range(degree - j - 1, -1, -1):
                factor = patch.terms[which, j, i]
                for k in range(count):
                    term[k] = term[k] * u[k] + factor
            for k in range(count):
                total[k] = total[k] * v[k] + term[k]


@inner
def numbers(
    x: Floats, y: Floats, begin: int, count: int, patch: Patch, work: Floats, found: Floats
) -> None:
    """Find the number of the cell of each point in a block; -1 where that is not certain."""
    if patch.terms.shape[1] == 4:  # noqa: PLR2004 - degree 3
        _cubic(x, y, begin, count, patch, work)
    else:
        _polynomials(x, y, begin, count, patch, work)
    q, r = work[0], work[1]
    a0, a1, a2 = patch.sides[0, 0], patch.sides[0, 1], patch.sides[0, 2]
    b0, b1, b2 = patch.sides[1, 0], patch.sides[1, 1], patch.sides[1, 2]
    c0, c1, c2 = patch.sides[2, 0], patch.sides[2, 1], patch.sides[2, 2]
    x0, y0, scale, guard = patch.x0, patch.y0, patch.scale, 4.0 * patch.guard
    first_q, first_r = float(patch.first_q), float(patch.first_r)
    width, height = float(patch.width), float(patch.height)
    for k in range(count):
        at_q, at_r = _nearest(q[k], r[k])
        # How far inside the cell, the face, the window and the extent of the polynomials.
        sure = _inside(q[k], r[k], at_q, at_r)
        sure = min(sure, a0 * q[k] + a1 * r[k] + a2)
        sure = min(sure, b0 * q[k] + b1 * r[k] + b2)
        sure = min(sure, c0 * q[k] + c1 * r[k] + c2) - guard
        row, column = at_q - first_q, at_r - first_r
        sure = min(sure, row + 0.5, height - 0.5 - row, column + 0.5, width - 0.5 - column)
        out = max(abs((x[begin + k] - x0) * scale), abs((y[begin + k] - y0) * scale))
        sure = min(sure, 1.0 - out)
        # What is not a number is equal to nothing, and `min` may pass over it.
        known = (q[k] == q[k]) & (r[k] == r[k])
        found[k] = row * width + column if known & (sure > 0.0) else -1.0


@kernel
def locate(x: Floats, y: Floats, patch: Patch, first: Longs, out: Cells) -> int:
    """Find the number of the cell of every point, and the first point of every cell.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
    patch : Patch
    first : ndarray of int64, shape (height * width,)
        -1 everywhere; receives a point for each cell that has any.
    out : ndarray of uint64, shape (n,)
        Receives the number of the cell, and the number of cells where that is not certain.

    Returns
    -------
    int
        How many are not certain.
    """
    work, found = np.empty((5, BLOCK)), np.empty(BLOCK)
    unsure = np.uint64(len(first))
    left = 0
    for begin in range(0, len(x), BLOCK):
        count = min(BLOCK, len(x) - begin)
        numbers(x, y, begin, count, patch, work, found)
        for k in range(count):
            if found[k] < 0.0:
                out[begin + k] = unsure
                left += 1
                continue
            number = int(found[k])
            if first[number] < 0:
                first[number] = begin + k
            out[begin + k] = np.uint64(number)
    return left


@kernel
def translate(out: Cells, code: Cells) -> None:
    """Put the name of each cell in place of its number."""
    for k in range(len(out)):
        out[k] = code[out[k]]


@kernel
def tally(x: Floats, y: Floats, patch: Patch, first: Longs, times: Longs, unsure: Longs) -> int:
    """Count the points of every cell; as `locate`, but `unsure` receives the points in doubt.

    Returns
    -------
    int
        How many are in doubt; only the first ``len(unsure)`` are told.
    """
    work, found = np.empty((5, BLOCK)), np.empty(BLOCK)
    left = 0
    for begin in range(0, len(x), BLOCK):
        count = min(BLOCK, len(x) - begin)
        numbers(x, y, begin, count, patch, work, found)
        for k in range(count):
            if found[k] < 0.0:
                if left < len(unsure):
                    unsure[left] = begin + k
                left += 1
                continue
            number = int(found[k])
            if times[number] == 0:
                first[number] = begin + k
            times[number] += 1
    return left


@kernel
def sparse_keys(x: Floats, y: Floats, patch: Patch) -> Longs:
    """Return the number of the cell of every point, for windows too large for a table."""
    work, found = np.empty((5, BLOCK)), np.empty(BLOCK)
    keys = np.empty(len(x), np.int64)
    for begin in range(0, len(x), BLOCK):
        count = min(BLOCK, len(x) - begin)
        numbers(x, y, begin, count, patch, work, found)
        for k in range(count):
            keys[begin + k] = int(found[k])
    return keys


@kernel
def face_keys(latitude: Floats, longitude: Floats, lattice: Lattice) -> Longs:
    """Return a number for the cell of every place on earth, -1 where H3 itself must tell.

    Parameters
    ----------
    latitude, longitude : ndarray of float, shape (n,), degrees
    lattice : Lattice
    """
    keys = np.empty(len(latitude), np.int64)
    guard = _ROUNDING / lattice.unit
    for k in range(len(latitude)):
        lat, lng = np.radians(latitude[k]), np.radians(longitude[k])
        a, b, c = np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)
        best = second = -1.0
        face = 0
        for at in range(20):
            near = a * lattice.centre[at, 0] + b * lattice.centre[at, 1] + c * lattice.centre[at, 2]
            if near > best:
                second, best, face = best, near, at
            elif near > second:
                second = near
        axis = lattice.axes[face]
        q = (axis[0, 0] * a + axis[0, 1] * b + axis[0, 2] * c) / best
        r = (axis[1, 0] * a + axis[1, 1] * b + axis[1, 2] * c) / best
        at_q, at_r = _nearest(q, r)
        sure = _inside(q, r, at_q, at_r) > 8.0 * guard and best - second > 8.0 * _ROUNDING
        number = (face * _SIDE + (int(at_q) + _SIDE // 2)) * _SIDE + int(at_r) + _SIDE // 2
        keys[k] = number if sure else -1
    return keys
