"""docs/performance.md from the lines of the benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.lines import Line, table

__all__ = ["page"]

HEAD = """# Performance

Written by `scripts/bench docs` from `performance.jsonl`. Each system ran in a process of its own on
one thread of a machine with 2 cores, in turns with the others; `cpu_s` is CPU time without
imports and compilation, `peak_mb` the most memory of the process and its workers together.
Figures are medians over the runs. To measure again and keep the result:

```
scripts/bench design --peers --json >> docs/performance.jsonl
scripts/bench docs
```

## What the columns say

| column | meaning |
|---|---|
| `within_10pct`, `within_20pct` | per cent of the micro-grids with 45-55 and 40-60 households |
| `mean_abs_dev` | mean distance from 50 households |
| `connected_pct` | per cent of the micro-grids in one piece |
| `exact_count_pct` | per cent of the grids with the wanted number of micro-grids |
| `cut_atoms` | atoms in several micro-grids or in none |
| `polsby_popper_mean` | compactness: 4 pi area / perimeter^2 |
| `road_pct` | per cent of the micro-grids with a main road inside |
| `gap_to_floor_pct` | deviation above the proven least, on the grids where that is known |
| `optimal_pct` | per cent of those grids at the proven least |
| `bounds_missed` | grids beyond the hard bounds of 30 and 70 by more than any partition has to be |
| `proven_pct` | per cent of the grids that gridmap proves to be best for its whole objective |
| `solved_pct` | per cent of the grids whose least deviation is known |
| `confirmed` | of how many an integer program says the same |
| `build_s`, `total_s`, `index_mb` | CPU seconds to build the index, with the query, and its size |
| `times_query`, `times_total`, `ratio` | how many times the CPU time of gridmap a system takes |
| `file_mb`, `heap_mb` | the page or file; JavaScript's heap with its buffers once it is drawn |
| `open_cpu_s` | CPU seconds of all of Chromium from its start until the page is drawn |
| `ratio_size` | how many times the size of gridmap's file a system's takes |
| `write_cpu_s`, `write_peak_mb` | to write the page or file from a frame in memory, that included |
| `click_ms`, `pan_ms` | from a click to its popup; the longest frame of a drag to and fro |
| `page_ms`, `shown_ms` | from the order to redraw until the page hands it over; until it is shown |
| `differences` | points that the index answers otherwise than shapely |

The proven floor is a separate optimum for each figure; no partition has all three. Where a grid
is too large to be solved, a bound that forgets geometry stands for it. Peers cut each grid on the
same graph into the same number; what they leave in pieces stays so unless the row says repaired,
and only in pieces can they be below the floor. (!) marks an answer that is none, or that changed
from run to run. METIS, KaHIP and Mt-KaHyPar were tuned on the graph city of seed 10 alone; the
other peers run with the settings in `scripts/benchmarks/peers`. Slow peers run once.
"""


def page(lines: Sequence[Line]) -> str:
    """Return the page in Markdown: a section for each benchmark, a table for each case."""
    parts = [HEAD]
    benches = list(dict.fromkeys(line.bench for line in lines))
    for bench in sorted(benches):
        parts.append(f"\n## {bench.capitalize()}\n")
        for title, heads, rows in table([line for line in lines if line.bench == bench]):
            parts.append(f"\n### {title.removeprefix(bench + ': ')}\n\n")
            parts.append(_row(heads) + _row(["---"] + ["---:"] * (len(heads) - 1)))
            parts.extend(_row(row) for row in rows)
    return "".join(parts)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"
