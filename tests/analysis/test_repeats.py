"""What happened again near by, pair by pair, on whole metres and seconds where limits are met."""

from __future__ import annotations

import numpy as np
import pytest
from interpreted import interpreted

from gridmap.analysis.cases import _repeats

NEVER = np.iinfo(np.int64).max
loops = interpreted(_repeats)


@pytest.mark.parametrize("seed", range(40))
def test_pairs_and_the_first_again_are_those_of_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, within, span = int(rng.integers(1, 25)), float(rng.choice([0.5, 5.0, 40.0])), 4
    x, y = rng.integers(0, 12, (2, count)).astype(float)
    kind = rng.integers(0, 2, count)
    opened = rng.integers(0, 20, count)
    closed = np.where(rng.random(count) < 0.25, NEVER, opened + rng.integers(-1, 6, count))

    def again(case: int) -> list[int]:
        return [
            other
            for other in range(count)
            if other != case and kind[other] == kind[case] and closed[case] != NEVER
            and opened[other] > closed[case]
            and np.hypot(x[other] - x[case], y[other] - y[case]) <= within
        ]  # fmt: skip

    pairs = [
        (case, other)
        for case in range(count)
        for other in again(case)
        if opened[other] - closed[case] <= span
    ]
    shelves = _repeats.shelve(x, y, kind, opened, closed, within)
    for kernels in (loops, _repeats) if seed < 2 else (loops,):
        earlier, later = np.full((2, len(pairs) + 2), -1)
        assert kernels.pairs_after(shelves, within, span, earlier, later) == len(pairs)
        found = list(zip(earlier[:-2].tolist(), later[:-2].tolist(), strict=True))
        assert sorted(found) == pairs
        assert earlier[-2:].tolist() == later[-2:].tolist() == [-1, -1]
        few = np.full((2, len(pairs) // 2), -1)
        assert kernels.pairs_after(shelves, within, span, *few) == len(pairs)
        assert list(zip(*few.tolist(), strict=True)) == found[: len(pairs) // 2]
        first = kernels.first_after(shelves, within)
        for case in range(count):
            if not again(case):
                assert first[case] == -1
            else:
                assert first[case] in again(case)
                assert opened[first[case]] == min(opened[other] for other in again(case))


def test_cells_are_no_smaller_than_keys_can_hold() -> None:
    x = np.array([0.0, 5e6, 1e7])
    shelves = _repeats.shelve(x, x[::-1].copy(), np.array([0, 1, 0]), np.zeros(3, np.int64),
                              np.zeros(3, np.int64), 0.5)  # fmt: skip
    assert (shelves.columns, shelves.rows) == (1_000_003, 1_000_003)
    assert shelves.order.tolist() == [2, 0, 1]
    near = _repeats.shelve(
        x, x, np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64), 1e6
    )
    assert (near.columns, near.rows) == (13, 13)
