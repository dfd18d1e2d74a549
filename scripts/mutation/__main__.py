"""Change the code a little, one change at a time, and see whether a test notices.

The nearest tests are asked first, then the next, then those of the whole.

A run takes a sample of all changes, the same for the same seed. See ``excused.toml`` for those
that cannot be noticed.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from mutation.mutants import Mutant, is_real, mutants
from mutation.nearest import Nearest
from mutation.trial import NOTICED, Copy, Verdict

ROOT = Path(__file__).resolve().parents[2]
EXCUSED = Path(__file__).with_name("excused.toml")

Tried = tuple[Mutant, Verdict]


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments, try the sample and print what was missed."""
    given = _parser().parse_args(arguments)
    root = given.root.resolve()
    chosen = sample(root, given.modules, size=given.size, seed=given.seed, excused=EXCUSED)
    tried: list[Tried] = []
    for mutant, verdict in _tried(root, chosen, given):
        tried.append((mutant, verdict))
        if given.json:
            sys.stdout.write(json.dumps(_record(mutant, verdict), ensure_ascii=False) + "\n")
        elif verdict.outcome not in NOTICED:
            sys.stdout.write(f"{verdict.outcome}: {_shown(mutant)}\n")
        sys.stdout.flush()
    if not given.json:
        sys.stdout.write(table(tried))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("--modules", nargs="+", type=Path, default=[Path("gridmap")],
                        metavar="PATH", help="files or folders")  # fmt: skip
    parser.add_argument("--size", type=int, default=60, metavar="N", help="how many changes")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, no table")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="copies at work")
    parser.add_argument(
        "--stages",
        type=int,
        default=3,
        metavar="N",
        help="1: the nearest tests; 2: the next, too; 3: those of the whole, too",
    )
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS",
                        help="for the tests of one stage")  # fmt: skip
    parser.add_argument("--minutes", type=float, default=180, metavar="M",
                        help="after which no change is begun")  # fmt: skip
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    return parser


def sample(
    root: Path, modules: Sequence[Path], *, size: int, seed: int, excused: Path
) -> list[Mutant]:
    """Return a random choice of mutants: of each line one at most, none that is excused.

    Parameters
    ----------
    root : pathlib.Path
        Of the project.
    modules : sequence of pathlib.Path
        Files or folders below the root.
    size : int
    seed : int
    excused : pathlib.Path
        A TOML file with tables ``[[excused]]`` of ``file, before, after, reason``. A module is
        known by the name of its file and the changed lines, so that it may move.
    """
    entries = tomllib.loads(excused.read_text(encoding="utf-8")).get("excused", [])
    known = {(entry["file"], entry["before"], entry["after"]) for entry in entries}
    files = [file for path in modules for file in _python(root / path)]
    every = [one for file in files for one in mutants(root, file.relative_to(root))]
    random.Random(seed).shuffle(every)  # noqa: S311 - no secret
    chosen: dict[tuple[Path, int], Mutant] = {}
    for one in every:
        if len(chosen) == size:
            break
        free = (one.path, one.line) not in chosen
        if free and (one.path.name, one.before, one.after) not in known and is_real(root, one):
            chosen[one.path, one.line] = one
    return list(chosen.values())


def _python(path: Path) -> list[Path]:
    if not path.exists():
        raise SystemExit(f"no such file or folder: {path}")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _tried(root: Path, chosen: list[Mutant], given: argparse.Namespace) -> Iterator[Tried]:
    """Yield every mutant with its verdict, as they come."""
    nearest, end = Nearest(root), time.monotonic() + given.minutes * 60
    copies: queue.Queue[Copy] = queue.Queue()
    for job in range(given.jobs):
        copies.put(Copy(root, root / ".cache" / "mutation" / str(job), limit_s=given.limit))

    def one(mutant: Mutant) -> Verdict | None:
        if time.monotonic() > end:
            return None
        copy = copies.get()
        try:
            stages = nearest.stages(mutant.path)[: given.stages]
            return copy.try_out(mutant, stages, compiled=nearest.is_compiled(mutant.path))
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(given.jobs) as pool:
        begun = {pool.submit(one, mutant): mutant for mutant in chosen}
        for done in as_completed(begun):
            verdict = done.result()
            if verdict is not None:
                yield begun[done], verdict
    broken = sorted({name for copy in copies.queue for name in copy.broken()})
    if broken:
        sys.stderr.write(f"left out, for they fail without a change: {', '.join(broken)}\n")


def _record(mutant: Mutant, verdict: Verdict) -> dict[str, object]:
    return {
        "file": str(mutant.path),
        "line": mutant.line,
        "kind": mutant.kind,
        "before": mutant.before,
        "after": mutant.after,
        "outcome": verdict.outcome,
        "by": verdict.by,
        "stage": verdict.stage,
        "cpu_s": verdict.cpu_s,
    }


def _shown(mutant: Mutant) -> str:
    head = f"{mutant.path}:{mutant.line} ({mutant.kind})"
    return f"{head}\n  - {mutant.before}\n  + {mutant.after}"


def table(tried: Sequence[Tried]) -> str:
    """Return how many were noticed, by module and in all; those undecided do not count."""
    counts: dict[str, list[int]] = {}
    near = sum(verdict.outcome in NOTICED and verdict.stage == 1 for _, verdict in tried)
    cpu_s = sum(verdict.cpu_s for _, verdict in tried)
    for mutant, verdict in tried:
        if verdict.outcome != "undecided":
            row = counts.setdefault(str(mutant.path), [0, 0])
            row[0] += verdict.outcome in NOTICED
            row[1] += 1
    noticed, total = (sum(row[k] for row in counts.values()) for k in (0, 1))
    lines = [f"{row[0]:>4} of {row[1]:<4} {path}" for path, row in sorted(counts.items())]
    share = f"{noticed / total:.0%}" if total else "-"
    said = (
        f"{noticed:>4} of {total:<4} noticed ({share}), {near} by the nearest tests; {cpu_s:.0f} s"
    )
    return "\n".join(["", *lines, said, ""])


if __name__ == "__main__":
    sys.exit(main())
