"""What a benchmark says: one record for each figure, as JSON or as a table."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

__all__ = ["Line", "Options", "figure", "note", "read_lines", "table", "to_json"]


@dataclass(frozen=True)
class Options:
    """What the caller asked for.

    Parameters
    ----------
    peers : bool
        Run the peers too.
    size : int, optional
        Households; None for the sizes of the benchmark.
    runs : int
        How often each system runs.
    seeds : tuple of int
        Random states of the cities.
    cities, atoms : tuple of str
        Kinds of city and of atom.
    only : tuple of str
        Run but these systems; empty for all.
    limit_s : float
        CPU seconds after which one run of a system is stopped.
    peer_python : str
        The Python that has the peers installed.
    """

    peers: bool = False
    size: int | None = None
    runs: int = 3
    seeds: tuple[int, ...] = (10, 11, 12)
    cities: tuple[str, ...] = ("graph", "sample")
    atoms: tuple[str, ...] = ("buildings", "units")
    only: tuple[str, ...] = ()
    limit_s: float = 60.0
    peer_python: str = sys.executable


@dataclass(frozen=True)
class Line:
    """One figure of one system.

    Parameters
    ----------
    bench, case, system, variant, version, metric : str
        ``case`` names the data alone and ``variant`` a setting of the system.
    median, min, max : float or None
        Over the runs; None if the system failed.
    runs : int
    agrees : bool
        Whether the answer is one at all, and the same in every run.
    error : str
        Why the system failed; empty otherwise.
    """

    bench: str
    case: str
    system: str
    variant: str
    version: str
    metric: str
    median: float | None
    min: float | None
    max: float | None
    runs: int
    agrees: bool
    error: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What two lines about the same figure have in common."""
        return self.bench, self.case, self.system, self.variant, self.metric


def figure(head: Line, metric: str, values: Sequence[float]) -> Line:
    """Return a line like `head` for one metric.

    Parameters
    ----------
    head : Line
        Bench, case, system, variant, version and agreement.
    metric : str
    values : sequence of float
        One for each run, at least one.
    """
    return replace(
        head,
        metric=metric,
        median=_round(statistics.median(values)),
        min=_round(min(values)),
        max=_round(max(values)),
        runs=len(values),
    )


def _round(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value, 1)  # noqa: PLR2004


def to_json(line: Line) -> str:
    """Return a line as one JSON object; ``error`` is left out where there is none."""
    record = asdict(line)
    if not line.error:
        del record["error"]
    return json.dumps(record, ensure_ascii=False)


def read_lines(path: Path) -> list[Line]:
    """Read lines of JSON; of two about the same figure the later one stands."""
    found: dict[tuple[str, ...], Line] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.strip():
            line = Line(**json.loads(text))
            found[line.key] = line
    return list(found.values())


def table(lines: Iterable[Line]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Arrange lines as one table for each case.

    Returns
    -------
    list of tuple
        Title, heads and rows: a row for each system and variant, a column for each metric.
    """
    cases: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        cases.setdefault((line.bench, line.case), []).append(line)
    return [(f"{bench}: {case}", *_one_table(found)) for (bench, case), found in cases.items()]


def _one_table(lines: list[Line]) -> tuple[list[str], list[list[str]]]:
    metrics = list(dict.fromkeys(line.metric for line in lines if not line.error))
    systems: dict[tuple[str, str], dict[str, Line]] = {}
    for line in lines:
        systems.setdefault((line.system, line.variant), {})[line.metric] = line
    rows = []
    for (system, variant), found in systems.items():
        first = next(iter(found.values()))
        name = " ".join(part for part in (system, first.version, variant) if part)
        if first.error:
            rows.append([f"{name}: {first.error}", *("" for _ in metrics)])
            continue
        mark = "" if first.agrees else " (!)"
        rows.append([name + mark, *(_cell(found.get(metric)) for metric in metrics)])
    return ["system", *metrics], rows


def _cell(line: Line | None) -> str:
    return "" if line is None or line.median is None else f"{line.median:g}"


def note(text: str) -> None:
    """Tell on standard error what is going on."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
