"""Run a benchmark: ``scripts/bench NAME``."""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from benchmarks import suites
from benchmarks.lines import Line, Options, note, read_lines, table, to_json
from benchmarks.page import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINES, PAGE = DOCS / "performance.jsonl", DOCS / "performance.md"


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments, run the benchmark and print what it yields."""
    names = sorted(module.name for module in pkgutil.iter_modules(suites.__path__))
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", choices=[*names, "docs"], help="docs writes docs/performance.md")
    _options(parser)
    given = parser.parse_args(arguments)
    if given.name == "docs":
        PAGE.write_text(page(read_lines(LINES)), encoding="utf-8")
        return 0
    default = Options()
    options = Options(
        peers=given.peers,
        size=None if given.size is None else round(given.size),
        runs=given.runs,
        seeds=given.seeds,
        cities=given.cities or default.cities,
        atoms=given.atoms or default.atoms,
        only=given.only,
        limit_s=given.limit,
        peer_python=given.peer_python,
    )
    suite = import_module(f"benchmarks.suites.{given.name}")
    lines: list[Line] = []
    for line in suite.run(options):
        lines.append(line)
        if given.json:
            sys.stdout.write(to_json(line) + "\n")
            sys.stdout.flush()
        if line.error:
            note(f"{line.system} {line.variant} failed: {line.error}")
    if not given.json:
        _print(lines)
    broken = broken_systems(lines)
    for system, error in broken.items():
        note(f"{system} could not run, so nothing is compared with it: {error}")
    return 1 if broken else 0


def broken_systems(lines: Iterable[Line]) -> dict[str, str]:
    """Return the systems that could not run, each with why.

    One that was stopped for being slow did run.
    """
    return {
        line.system: line.error
        for line in lines
        if line.error and not line.error.startswith("stopped after")
    }


def _options(parser: argparse.ArgumentParser) -> None:
    default = Options()
    parser.add_argument("--peers", action="store_true", help="run the peers too")
    parser.add_argument("--size", type=_size, metavar="S", help="such as 1e5 or 100k: households "
                        "of design, features of maps")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object a line, no table")
    parser.add_argument("--runs", type=int, default=default.runs, metavar="N")
    parser.add_argument("--seeds", type=_numbers, default=default.seeds, metavar="10,11,12")
    parser.add_argument(
        "--cities", type=_words, default=(), help="graph, sample; real ones: tainan, cambridge"
    )
    parser.add_argument("--atoms", type=_words, default=(), help="buildings, units or both")
    parser.add_argument("--only", type=_words, default=(), help="names of systems")
    parser.add_argument("--limit", type=float, default=default.limit_s, metavar="SECONDS",
                        help="of CPU time after which a run is stopped")  # fmt: skip
    parser.add_argument("--peer-python", default=sys.executable, help=argparse.SUPPRESS)


def _size(text: str) -> float:
    unit = {"k": 1e3, "M": 1e6}.get(text[-1:], 1.0)
    return float(text.rstrip("kM")) * unit


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in _words(text))


def _print(lines: list[Line]) -> None:
    for title, heads, rows in table(lines):
        columns = list(zip(heads, *rows, strict=True))
        wide = [max(len(cell) for cell in column) for column in columns]
        sys.stdout.write(f"\n{title}\n")
        for row in (heads, *rows):
            cells = [row[0].ljust(wide[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], wide[1:], strict=True)]
            sys.stdout.write("  ".join(cells).rstrip() + "\n")


if __name__ == "__main__":
    sys.exit(main())
