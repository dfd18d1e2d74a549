"""Cells over a coverage: the compiled loops that build a `CoverageIndex`; `_locate` asks it.

The plane is cut into square blocks, each block with borders into ``4 ** k`` cells. A cell without
borders names its area. A cell with borders keeps them, clipped and in sixteen bits, with the area
at its lower left corner; the area of a point in it is that one, turned by every border between the
two: exclusive or of the areas left and right. A point too close to a border for sixteen bits is
reported, not decided.

Coordinates are in blocks from the origin of the index, so that cells begin at powers of two and
`floor` finds them without rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = [
    "AFTER",
    "DEEPEST",
    "DOUBT",
    "INVERT",
    "NEAR",
    "NOWHERE",
    "QUANTA",
    "RIM",
    "UNSURE",
    "Edges",
    "Made",
    "Table",
    "corner_areas",
    "fill_blocks",
    "interior_left",
    "list_edges",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NOWHERE, NEAR = -1, -2
DEEPEST = 8  # halvings of a block
RIM = 1.0 / 64  # of a cell, around it: borders there are kept with it
QUANTA = 65535.0 / (1.0 + 2.0 * RIM)  # to a cell
# Rounding moves an end of a border by half a quantum in x and y, and a point by one.
DOUBT = 4
UNSURE = 0xFFFF  # instead of a number of borders: one passes through the reference corner
CORNER = 2.0**-20  # of a block: closer to a corner, the side that it is on is not trusted
AFTER, INVERT, ASIDE = 1, 2, 4
LEFT, RIGHT = 1, 1 << 16


class Edges(NamedTuple):
    """Rings, and which segments touch each block."""

    x: Floats  # of all rings one after another, in blocks
    y: Floats
    ring: Longs  # where each ring begins, and the end
    area: Ints  # of each ring, from 1
    left: Bools  # whether a ring has its area on its left


class Table(NamedTuple):
    """An index, ready to be asked."""

    origin_x: float
    origin_y: float
    per_m: float  # blocks to a metre
    columns: int
    rows: int
    blocks: Longs  # area from 1, 0 for none, or ~(16 * first cell + halvings);
    # the last is no block and lies nowhere
    cells: Ints  # area, or ~first word in `words`
    words: Ints  # area at the corner, number of borders, three words for each


@inner
def _span(low: float, high: float, cells: int) -> tuple[int, int]:
    """Return the first and last of some cells, their rims included, that a stretch meets."""
    first, last = int(np.floor(low - RIM)), int(np.floor(high + RIM))
    return max(first, 0), min(last, cells - 1)


@inner
def _stretch(
    x1: float, y1: float, x2: float, y2: float, slope: float, low: float, high: float
) -> tuple[float, float]:
    """Return the least and the most x of a rising segment inside a band of y."""
    a = x1 + slope * (low - y1) if y1 < low else x1
    b = x2 - slope * (y2 - high) if y2 > high else x2
    left, right = min(x1, x2), max(x1, x2)
    return max(min(a, b), left), min(max(a, b), right)


@inner
def _slope(x1: float, y1: float, x2: float, y2: float) -> float:
    return (x2 - x1) / (y2 - y1) if y2 > y1 else 0.0


@kernel
def list_edges(
    edges: Edges, columns: int, rows: int, at: Longs, segment: Ints, owner: Ints
) -> None:
    """List the segments that touch each block or its rim, from ``at`` on, which moves along.

    ``owner`` receives their areas, negative on the right. With empty lists they are but counted.
    """
    listed = len(segment) > 0
    for r in range(len(edges.area)):
        area = edges.area[r] if edges.left[r] else -edges.area[r]
        for i in range(edges.ring[r], edges.ring[r + 1] - 1):
            x1, y1, x2, y2 = edges.x[i], edges.y[i], edges.x[i + 1], edges.y[i + 1]
            if y1 > y2:
                x1, y1, x2, y2 = x2, y2, x1, y1
            bottom, top = _span(y1, y2, rows)
            first, last = _span(min(x1, x2), max(x1, x2), columns)
            slanted = bottom != top and first != last
            slope = _slope(x1, y1, x2, y2) if slanted else 0.0
            for row in range(bottom, top + 1):
                if slanted:
                    low, high = _stretch(x1, y1, x2, y2, slope, row - RIM, row + 1 + RIM)
                    first, last = _span(low, high, columns)
                for block in range(row * columns + first, row * columns + last + 1):
                    if listed:
                        segment[at[block]] = i
                        owner[at[block]] = area
                    at[block] += 1


@kernel
def corner_areas(edges: Edges, columns: int, rows: int, corner: Ints) -> None:
    """Write the area at the lower left corner of each block, by rays along the rows."""
    for r in range(len(edges.area)):
        for i in range(edges.ring[r], edges.ring[r + 1] - 1):
            x1, y1, x2, y2 = edges.x[i], edges.y[i], edges.x[i + 1], edges.y[i + 1]
            if y1 > y2:
                x1, y1, x2, y2 = x2, y2, x1, y1
            for row in range(int(np.ceil(y1)), int(np.ceil(y2))):
                x = x1 + (x2 - x1) * ((row - y1) / (y2 - y1))
                column = int(np.ceil(x))
                if row < rows and column < columns:
                    corner[row * columns + column] ^= edges.area[r]
    for row in range(rows):
        area = 0
        for column in range(columns):
            area ^= corner[row * columns + column]
            corner[row * columns + column] = area


@kernel
def interior_left(x: Floats, y: Floats, ring: Longs, hole: Bools, left: Bools) -> None:
    """Write whether each ring has the area that it bounds on its left."""
    for r in range(len(hole)):
        first = ring[r]
        twice = 0.0
        for i in range(first, ring[r + 1] - 1):
            twice += (x[i] - x[first]) * (y[i + 1] - y[first]) - (x[i + 1] - x[first]) * (
                y[i] - y[first]
            )
        left[r] = (twice > 0.0) != hole[r]


class _Borders(NamedTuple):
    """The borders in one block: each once, rising, from the block's corner, in blocks."""

    x1: Floats
    y1: Floats
    x2: Floats
    y2: Floats
    turn: Ints  # exclusive or of the areas on both sides
    first: Ints  # the first area that has it
    sides: Ints  # LEFT for each area on its left, RIGHT for each on its right
    slot: Ints  # hash table


@inner
def _borders(most: int) -> _Borders:
    slots = 4
    while slots < 2 * most:
        slots *= 2
    return _Borders(
        np.empty(most), np.empty(most), np.empty(most), np.empty(most),
        np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32),
        np.full(slots, -1, np.int32),
    )  # fmt: skip


@inner
def _mixed(x1: float, y1: float, x2: float, y2: float) -> int:
    """Return a hash of a segment, from where it begins and ends in a block."""
    h = (
        int((x1 + x2) * 16777216.0) * 0x1E3779B97F4A7C15
        ^ int((y1 + y2) * 16777216.0) * 0x42B2AE3D27D4EB4F
    )
    return h ^ (h >> 31)


@inner
def _place(borders: _Borders, mask: int, x1: float, y1: float, x2: float, y2: float) -> int:
    """Return the slot of a segment, or the free one where it would be."""
    at = _mixed(x1, y1, x2, y2) & mask
    while True:
        k = borders.slot[at]
        if k < 0 or (
            borders.x1[k] == x1
            and borders.y1[k] == y1
            and borders.x2[k] == x2
            and borders.y2[k] == y2
        ):
            return at
        at = (at + 1) & mask


@inner
def _gather(
    edges: Edges, segment: Ints, owner: Ints, low: int, high: int,
    column: int, row: int, borders: _Borders, lonely: Bools,
) -> int:  # fmt: skip
    """Collect the borders of a block; return how many. Note whose border is not one of two."""
    count, mask = 0, 4
    while mask < 2 * (high - low):
        mask *= 2
    mask -= 1
    borders.slot[: mask + 1] = -1
    for j in range(low, high):
        i, area, side = segment[j], abs(owner[j]), LEFT if owner[j] > 0 else RIGHT
        x1, y1, x2, y2 = edges.x[i], edges.y[i], edges.x[i + 1], edges.y[i + 1]
        if y1 > y2 or (y1 == y2 and x1 > x2):
            x1, y1, x2, y2 = x2, y2, x1, y1
            side = LEFT + RIGHT - side
        elif y1 == y2 and x1 == x2:
            continue
        x1, y1, x2, y2 = x1 - column, y1 - row, x2 - column, y2 - row
        at = _place(borders, mask, x1, y1, x2, y2)
        k = borders.slot[at]
        if k >= 0:
            borders.turn[k] ^= area
            borders.sides[k] += side
            lonely[area - 1] |= borders.sides[k] != LEFT + RIGHT
            continue
        k = borders.slot[at] = count
        count += 1
        borders.x1[k], borders.y1[k], borders.x2[k], borders.y2[k] = x1, y1, x2, y2
        borders.turn[k] = borders.first[k] = area
        borders.sides[k] = side
    for k in range(count):
        lonely[borders.first[k] - 1] |= borders.sides[k] != LEFT + RIGHT
    return count


@inner
def _wall(x1: float, y1: float, x2: float, y2: float) -> int:
    """Tell how a rising segment turns points of a cell as seen from its corner, (0, 0).

    The way from the corner to a point goes up the wall ``x = 0``, then straight to the right.
    """
    if (x1 <= 0.0) == (x2 <= 0.0):
        return ASIDE if x1 <= 0.0 else 0
    y = y1 + (y2 - y1) * (-x1 / (x2 - x1))
    rises_right = x1 < x2
    if y <= 0.0:
        return 0 if rises_right and y1 != y2 else ASIDE
    if y > 1.0:
        return ASIDE if rises_right or y1 == y2 else 0
    return AFTER | INVERT if rises_right and y1 != y2 else AFTER


@inner
def _passes(x1: float, y1: float, x2: float, y2: float, reach: float) -> bool:
    """Tell whether a rising segment comes within reach of (0, 0)."""
    if y1 > reach or y2 < -reach or min(x1, x2) > reach or max(x1, x2) < -reach:
        return False
    return abs(x1 * y2 - x2 * y1) <= 2.0 * reach * (abs(x2 - x1) + (y2 - y1)) + reach * reach


@inner
def _references(borders: _Borders, count: int, corner: int, halvings: int, reference: Ints) -> None:
    """Write the area at the lower left corner of each cell of a block."""
    across = 1 << halvings
    reference[: across * across] = 0
    for k in range(count):
        x1, y1, x2, y2 = borders.x1[k], borders.y1[k], borders.x2[k], borders.y2[k]
        turn = borders.turn[k]
        if (x1 <= 0.0) != (x2 <= 0.0):
            y = y1 + (y2 - y1) * (-x1 / (x2 - x1))
            if 0.0 < y <= 1.0:
                above = int(np.ceil(y * across))
                for row in range(above, across):
                    reference[row * across] ^= turn
        first = max(int(np.ceil(y1 * across)), 0)
        last = min(int(np.ceil(y2 * across)), across)
        if first >= last or max(x1, x2) <= 0.0:
            continue
        slope, step = (x2 - x1) / (y2 - y1), 1.0 / across
        for row in range(first, last):
            x = x1 + slope * (row * step - y1)
            column = int(np.ceil(x * across))
            if x > 0.0 and column < across:
                reference[row * across + column] ^= turn
    for row in range(across):
        area = corner
        for column in range(across):
            area ^= reference[row * across + column]
            reference[row * across + column] = area


@inner
def _clipped(x1: float, y1: float, x2: float, y2: float) -> tuple[bool, float, float, float, float]:
    """Cut a rising segment off at the rim of the cell from (0, 0) to (1, 1)."""
    low, high = -RIM, 1.0 + RIM
    if y2 < low or y1 > high or max(x1, x2) < low or min(x1, x2) > high:
        return False, 0.0, 0.0, 0.0, 0.0
    dx, dy = x2 - x1, y2 - y1
    begin, end = 0.0, 1.0
    if y1 < low:
        begin = (low - y1) / dy
    if y2 > high:
        end = (high - y1) / dy
    if min(x1, x2) < low or max(x1, x2) > high:
        a, b = (low - x1) / dx, (high - x1) / dx
        begin, end = max(begin, min(a, b)), min(end, max(a, b))
        if begin > end:
            return False, 0.0, 0.0, 0.0, 0.0
    a1, b1, a2, b2 = x1, y1, x2, y2
    if begin > 0.0:
        a1, b1 = _held(x1 + begin * dx, low, high), _held(y1 + begin * dy, low, high)
    if end < 1.0:
        a2, b2 = _held(x1 + end * dx, low, high), _held(y1 + end * dy, low, high)
    return True, a1, b1, a2, b2


@inner
def _held(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@inner
def _halvings(segments: int, density: float, deepest: int) -> int:
    """Return how often to halve a block with so many segments, for so many cells to each."""
    halvings = 0
    while halvings < deepest and 2.0 * 4.0**halvings < density * segments:
        halvings += 1
    return halvings


class Made(NamedTuple):
    """A table in the making: how much of each array is in use, and the next block."""

    block: int
    cells: int
    words: int


@inner
def _link(borders: _Borders, count: int, across: int, head: Ints, link: Ints) -> tuple[Ints, int]:
    """Chain the borders that touch each cell of a block, from `head` on."""
    head[: across * across] = -1
    links = 0
    for k in range(count):
        x1, x2 = borders.x1[k] * across, borders.x2[k] * across
        y1, y2 = borders.y1[k] * across, borders.y2[k] * across
        bottom, top = _span(y1, y2, across)
        first, last = _span(min(x1, x2), max(x1, x2), across)
        slanted = bottom != top and first != last
        slope = _slope(x1, y1, x2, y2) if slanted else 0.0
        for row in range(bottom, top + 1):
            if slanted:
                low, high = _stretch(x1, y1, x2, y2, slope, row - RIM, row + 1 + RIM)
                first, last = _span(low, high, across)
            if links + across > len(link):
                longer = np.empty((2 * len(link) + across, 2), np.int32)
                longer[:links] = link[:links]
                link = longer
            for at in range(row * across + first, row * across + last + 1):
                link[links, 0], link[links, 1] = k, head[at]
                head[at] = links
                links += 1
    return link, links


@inner
def _unsure(borders: _Borders, count: int) -> bool:
    """Tell whether a border of a block passes through its corner."""
    unsure = False
    for k in range(count):
        unsure |= _passes(borders.x1[k], borders.y1[k], borders.x2[k], borders.y2[k], CORNER)
    return unsure


@kernel
def fill_blocks(
    edges: Edges, columns: int, starts: Longs, segment: Ints, owner: Ints, corner: Ints,
    density: float, deepest: int, table: Table, made: Made, lonely: Bools,
) -> Made:  # fmt: skip
    """Cut blocks into cells, from ``made.block`` on; return early where arrays are too short.

    ``lonely`` receives which areas have a border that has not exactly one area on either side.
    """
    borders = _borders(np.diff(starts).max())
    reference = np.empty(4**deepest, np.int32)
    head = np.empty(4**deepest, np.int32)
    link = np.empty((4096, 2), np.int32)
    cells, words = made.cells, made.words
    for block in range(made.block, len(corner)):
        low, high = starts[block], starts[block + 1]
        if low == high:
            table.blocks[block] = corner[block]
            continue
        row, column = block // columns, block % columns
        count = _gather(edges, segment, owner, low, high, column, row, borders, lonely)
        unsure = _unsure(borders, count)
        halvings = 0 if unsure else _halvings(high - low, density, deepest)
        across = 1 << halvings
        link, links = _link(borders, count, across, head, link)
        more_cells, more_words = across * across, 3 * links + 2 * across * across
        if cells + more_cells > len(table.cells) or words + more_words > len(table.words):
            return Made(block, cells, words)
        table.blocks[block] = ~(cells * 16 + halvings)
        if unsure:
            table.cells[cells] = ~words
            table.words[words], table.words[words + 1] = 0, UNSURE
            cells, words = cells + 1, words + 2
            continue
        _references(borders, count, corner[block], halvings, reference)
        words = _write_cells(
            borders, link, head, across, reference, table.cells, cells, table.words, words
        )
        cells += more_cells
    return Made(len(corner), cells, words)


@inner
def _write_cells(
    borders: _Borders, link: Ints, head: Ints, across: int, reference: Ints,
    cells: Ints, first: int, words: Ints, end: int,
) -> int:  # fmt: skip
    """Write the cells of a block and their borders; return where the next words begin."""
    for cell in range(across * across):
        cells[first + cell] = reference[cell]
        at = head[cell]
        if at < 0:
            continue
        row, column = cell // across, cell % across
        begin, end = end, end + 2
        unsure = False
        while at >= 0:
            k, at = link[at, 0], link[at, 1]
            x1, x2 = borders.x1[k] * across - column, borders.x2[k] * across - column
            y1, y2 = borders.y1[k] * across - row, borders.y2[k] * across - row
            touches, a1, b1, a2, b2 = _clipped(x1, y1, x2, y2)
            if not touches:
                continue
            unsure |= _passes(a1, b1, a2, b2, 8.0 / QUANTA)
            wall = _wall(x1, y1, x2, y2)
            words[end] = int((a1 + RIM) * QUANTA) | int((b1 + RIM) * QUANTA) << 16
            words[end + 1] = int((a2 + RIM) * QUANTA) | int((b2 + RIM) * QUANTA) << 16
            words[end + 2] = 0 if wall == ASIDE else borders.turn[k] << 2 | wall
            end += 3
        count = (end - begin) // 3
        if count == 0:
            end = begin
            continue
        cells[first + cell] = ~begin
        words[begin] = reference[cell]
        words[begin + 1] = count
        if unsure or count >= UNSURE:
            words[begin + 1] = UNSURE
            end = begin + 2
    return end
