"""The benchmarks' judge, floor, repair and lines; and one small run of the command."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.__main__ import broken_systems
from benchmarks.atoms import HARD_BOUNDS, TARGET, Atoms, Part
from benchmarks.floor import COSTS, confirm, cost_table, floor
from benchmarks.graph_city import graph_city
from benchmarks.lines import Line, figure, read_lines, table, to_json
from benchmarks.metrics import deviations, judge, violations
from benchmarks.page import page
from benchmarks.peers import Answer, Setting, best_of, each
from benchmarks.repair import repaired
from benchmarks.turns import Runs, child_environment, in_turns
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).resolve().parents[2]
LINE_KEYS = [
    "bench", "case", "system", "variant", "version", "metric",
    "median", "min", "max", "runs", "agrees",
]  # fmt: skip
HEAD = Line("design", "case", "gridmap", "balance", "1", "", None, None, None, 0, agrees=True)


def row(*weights: int, parent: tuple[int, ...] = (), road: tuple[int, ...] = ()) -> Atoms:
    """Unit squares side by side; `road` names the squares with a main road on their right."""
    count = len(weights)
    owner = np.array(parent or (0,) * count)
    left = np.flatnonzero(owner[1:] == owner[:-1])
    return Atoms(
        parent=owner,
        weight=np.array(weights),
        x=np.arange(count) + 0.5,
        y=np.full(count, 0.5),
        area_m2=np.ones(count),
        perimeter_m=np.full(count, 4.0),
        pairs=np.column_stack([left, left + 1]),
        border_m=np.ones(len(left)),
        barrier=np.isin(left, road).astype(float),
    )


def only_part(atoms: Atoms) -> Part:
    return next(iter(atoms.parts()))


def random_part(rng: np.random.Generator, size: int) -> Part:
    """A random connected graph with weights around a third of the target."""
    pairs = {(int(rng.integers(at)), at) for at in range(1, size)}
    while len(pairs) < 1.6 * size:
        one, other = sorted(rng.choice(size, 2, replace=False).tolist())
        pairs.add((one, other))
    weight = rng.integers(0, 45, size)
    return only_part(
        replace(
            row(*weight.tolist()),
            pairs=np.array(sorted(pairs)),
            border_m=np.ones(len(pairs)),
            barrier=np.zeros(len(pairs)),
        )
    )


def in_one_piece(part: Part, atoms: list[int]) -> bool:
    links = csr_array(
        (np.ones(len(part.neighbour)), part.neighbour, part.starts), shape=(len(part),) * 2
    )
    return int(connected_components(links[atoms][:, atoms], directed=False)[0]) == 1


def brute_force(part: Part, metric: str) -> int:
    """The least cost over every labelling with the wanted number of connected parts."""
    cost = cost_table(metric, int(part.weight.sum()))
    best = None
    for label in itertools.product(range(part.count), repeat=len(part)):
        firsts = [label.index(k) for k in range(part.count) if k in label]
        if len(firsts) < part.count or firsts != sorted(firsts):
            continue
        parts = [[at for at in range(len(part)) if label[at] == k] for k in range(part.count)]
        if not all(in_one_piece(part, atoms) for atoms in parts):
            continue
        total = int(sum(cost[part.weight[atoms].sum()] for atoms in parts))
        best = total if best is None else min(best, total)
    assert best is not None
    return best


class TestJudge:
    def test_even_row(self) -> None:
        found = judge(row(50, 45, 20, 20), np.array([0, 1, 2, 2]))
        assert found["within_10pct"] == pytest.approx(200 / 3)
        assert found["within_20pct"] == 100
        assert found["mean_abs_dev"] == pytest.approx(5)
        assert found["connected_pct"] == 100
        assert found["exact_count_pct"] == 100
        assert found["cut_atoms"] == 0
        assert found["road_pct"] == 0
        squares, oblong = np.pi / 4, 8 * np.pi / 36
        assert found["polsby_popper_mean"] == pytest.approx((2 * squares + oblong) / 3)

    def test_part_in_pieces(self) -> None:
        found = judge(row(25, 50, 25), np.array([0, 1, 0]))
        assert found["connected_pct"] == 50
        assert found["mean_abs_dev"] == 0

    def test_same_label_in_two_parents_is_two_parts(self) -> None:
        atoms = row(50, 50, 50, 50, parent=(0, 0, 1, 1))
        found = judge(atoms, np.array([0, 1, 0, 1]))
        assert found["exact_count_pct"] == 100
        assert found["within_10pct"] == 100
        assert judge(atoms, np.array([0, 0, 0, 1]))["exact_count_pct"] == 50

    def test_main_road_inside_but_not_along(self) -> None:
        atoms = row(25, 25, 25, 25, road=(0, 1))
        assert judge(atoms, np.array([0, 0, 1, 1]))["road_pct"] == 50
        side_street = replace(atoms, barrier=np.array([0.9, 0.0, 0.0]))
        assert judge(side_street, np.array([0, 0, 1, 1]))["road_pct"] == 0

    def test_atom_without_part(self) -> None:
        found = judge(row(50, 25, 25), np.array([0, 1, -1]), cut_atoms=2)
        assert found["cut_atoms"] == 3
        assert found["mean_abs_dev"] == 12.5

    def test_deviations_and_violations_by_parent(self) -> None:
        atoms = row(80, 20, 50, 50, parent=(0, 0, 1, 1))
        label = np.array([0, 1, 0, 1])
        assert deviations(atoms, label).tolist() == [60, 0]
        assert violations(atoms, label).tolist() == [20, 0]


class TestFloor:
    @pytest.mark.parametrize("metric", COSTS)
    @pytest.mark.parametrize("seed", range(6))
    def test_brute_force(self, metric: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        part = random_part(rng, int(rng.integers(5, 9)))
        found = floor(part, metric)
        assert found.solved
        assert found.cost == brute_force(part, metric)

    @pytest.mark.parametrize("seed", range(4))
    def test_integer_program(self, seed: int) -> None:
        part = random_part(np.random.default_rng(seed), 10)
        for metric in COSTS:
            assert confirm(part, metric) == floor(part, metric).cost

    def test_geometry_counts(self) -> None:
        assert floor(only_part(row(25, 50, 25)), "mean_abs_dev").cost == 50
        assert floor(only_part(row(50, 25, 25)), "mean_abs_dev").cost == 0

    def test_without_effort_a_bound(self) -> None:
        part = random_part(np.random.default_rng(1), 14)
        bound, exact = floor(part, "mean_abs_dev", effort=5), floor(part, "mean_abs_dev")
        assert not bound.solved
        assert exact.solved
        assert bound.cost <= exact.cost

    def test_too_many_atoms_give_a_bound(self) -> None:
        assert floor(only_part(row(*[5] * 70)), "mean_abs_dev").cost == 0
        assert not floor(only_part(row(*[5] * 70)), "mean_abs_dev").solved

    def test_no_peer_goes_below(self) -> None:
        atoms = graph_city(4_000, 3)
        system = each(best_of(spread, 3))
        found = deviations(atoms, system(atoms, 0).label)
        least = [floor(part, "mean_abs_dev", effort=50_000).cost for part in atoms.parts()]
        assert (found >= np.array(least)).all()

    def test_costs(self) -> None:
        low, high = (int(bound) for bound in HARD_BOUNDS)
        assert cost_table("violation", 100)[[low - 3, low, high, high + 4]].tolist() == [3, 0, 0, 4]
        assert cost_table("within_10pct", 60)[[44, 45, 55, 56]].tolist() == [1, 0, 0, 1]
        assert cost_table("mean_abs_dev", 60)[[0, 50, 60]].tolist() == [TARGET, 0, 10]


def spread(part: Part, random_state: int) -> np.ndarray:
    """Labels at random, each at least once."""
    rng = np.random.default_rng(random_state)
    label = rng.integers(0, part.count, len(part))
    label[rng.permutation(len(part))[: part.count]] = np.arange(part.count)
    return label


class TestRepair:
    def test_smaller_piece_joins_the_lighter_neighbour(self) -> None:
        part = only_part(row(10, 10, 90, 10, 10, 10))
        assert repaired(part, np.array([0, 0, 1, 0, 2, 2])).tolist() == [0, 0, 1, 2, 2, 2]

    def test_of_equal_pieces_the_first_keeps_the_label(self) -> None:
        part = only_part(row(50, 10, 50))
        assert repaired(part, np.array([0, 1, 0])).tolist() == [0, 1, 1]

    @pytest.mark.parametrize("seed", range(5))
    def test_one_piece_each_and_no_label_lost(self, seed: int) -> None:
        part = random_part(np.random.default_rng(seed), 30)
        before = spread(part, seed)
        after = repaired(part, before)
        assert set(after.tolist()) == set(before.tolist())
        assert all(in_one_piece(part, np.flatnonzero(after == k).tolist()) for k in set(after))
        assert repaired(part, after).tolist() == after.tolist()


class TestAtoms:
    def test_graph_city_is_of_its_kind(self) -> None:
        atoms = graph_city(35_500, 10)
        assert len(atoms.counts) == 100
        assert 300 < atoms.weight.sum() / 100 < 400
        assert 25 < len(atoms) / 100 < 55
        assert all(in_one_piece(part, list(range(len(part)))) for part in atoms.parts())
        assert len(graph_city(35_500, 10, units=True)) > len(atoms)

    def test_random_state_decides(self) -> None:
        one, same, other = graph_city(4_000, 1), graph_city(4_000, 1), graph_city(4_000, 2)
        assert one.weight.tolist() == same.weight.tolist()
        assert one.border_m.tolist() == same.border_m.tolist()
        assert one.weight.tolist() != other.weight.tolist()

    def test_file_and_first_parents(self, tmp_path: Path) -> None:
        atoms = graph_city(4_000, 1)
        atoms.save(tmp_path / "atoms.npz")
        loaded = Atoms.load(tmp_path / "atoms.npz")
        few = loaded.first(2)
        whole = list(atoms.parts())
        assert len(few) == len(whole[0]) + len(whole[1])
        for part, same in zip(few.parts(), whole, strict=False):
            assert part.neighbour.tolist() == same.neighbour.tolist()
            assert part.border_m.tolist() == same.border_m.tolist()

    def test_areas_and_borders_belong_together(self) -> None:
        atoms = graph_city(1_000, 1)
        part = only_part(atoms)
        outline = part.perimeter_m.sum() - part.border_m.sum()
        assert 3.5 * np.sqrt(part.area_m2.sum()) < outline < 8 * np.sqrt(part.area_m2.sum())


class TestLines:
    def test_keys_in_order(self) -> None:
        line = figure(HEAD, "cpu_s", [0.53, 0.52, 0.55])
        record = json.loads(to_json(line))
        assert list(record) == LINE_KEYS
        assert (record["median"], record["min"], record["max"]) == (0.53, 0.52, 0.55)
        assert record["runs"] == 3

    def test_failure_is_told(self) -> None:
        failed = replace(HEAD, metric="failed", agrees=False, error="no memory")
        assert json.loads(to_json(failed))["error"] == "no memory"
        assert "no memory" in table([failed])[0][2][0][0]
        assert "no memory" in page([failed])

    def test_later_line_stands(self, tmp_path: Path) -> None:
        old, new = figure(HEAD, "cpu_s", [2.0]), figure(HEAD, "cpu_s", [1.0])
        path = tmp_path / "lines.jsonl"
        path.write_text(f"{to_json(old)}\n{to_json(new)}\n", encoding="utf-8")
        assert read_lines(path) == [new]

    def test_page_is_up_to_date(self) -> None:
        docs = ROOT / "docs"
        written = page(read_lines(docs / "performance.jsonl"))
        assert (docs / "performance.md").read_text(encoding="utf-8") == written


class TestTurns:
    def test_unknown_system_is_an_error_not_a_gap(self) -> None:
        setting = Setting("nobody", "", "nowhere", "nothing", "numpy")
        [found] = in_turns(row(50, 50), [(setting, sys.executable)], runs=2)
        assert found.label is None
        assert "nowhere" in found.error

    def test_a_system_that_cannot_run_fails_the_command_and_a_slow_one_does_not(self) -> None:
        known = next(iter(read_lines(ROOT / "docs" / "performance.jsonl")))
        lines = [
            known,
            replace(known, system="slow", error="stopped after 60 s of CPU time"),
            replace(known, system="gone", error="ModuleNotFoundError: No module named 'gone'"),
        ]
        assert broken_systems(lines) == {"gone": "ModuleNotFoundError: No module named 'gone'"}

    def test_slow_system_is_stopped(self) -> None:
        setting = Setting("gridmap", "", "gridmap_engine", "balance", "gridmap-analytics")
        [found] = in_turns(row(50, 50), [(setting, sys.executable)], runs=1, limit_s=0.001)
        assert found.error == "stopped after 0.01 s"

    def test_cpu_time_is_limited(self) -> None:
        endless = "from benchmarks.cost import limit_cpu\nlimit_cpu(0.5)\nwhile True: pass"
        done = subprocess.run(
            [sys.executable, "-c", endless], env=child_environment(), timeout=60, check=False
        )
        assert done.returncode == -signal.SIGXCPU

    def test_memory_of_a_child_is_its_own(self) -> None:
        held = np.ones(60_000_000)
        code = "from benchmarks.cost import peak_mb; print(peak_mb())"
        said = subprocess.run(
            [sys.executable, "-c", code],
            env=child_environment(),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        assert 5 < float(said) < held.nbytes / 2**20

    def test_runs_differ_from_answers(self) -> None:
        assert Runs().same
        assert Answer(np.zeros(2, dtype=np.int64)).proven is None


def test_command() -> None:
    """Slow when nothing is compiled yet, so it is one run of two presets on ten thousand."""
    done = subprocess.run(
        [
            ROOT / "scripts" / "bench", "design", "--size", "1e4", "--json", "--runs", "1",
            "--seeds", "10", "--cities", "graph", "--atoms", "buildings",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": ""},
    )  # fmt: skip
    lines = [json.loads(text) for text in done.stdout.splitlines()]
    assert {tuple(line) for line in lines} == {tuple(LINE_KEYS)}
    assert {line["system"] for line in lines} == {"gridmap", "proven floor"}
    known = {(line["variant"], line["metric"]): line for line in lines}
    for preset in ("balance", "compact"):
        assert known[preset, "connected_pct"]["median"] == 100
        assert known[preset, "exact_count_pct"]["median"] == 100
        assert known[preset, "cut_atoms"]["median"] == 0
        assert known[preset, "gap_to_floor_pct"]["median"] >= 0
        assert known[preset, "cpu_s"]["median"] > 0
        assert known[preset, "cpu_s"]["agrees"]
