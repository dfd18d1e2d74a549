"""Damage files of every format and read each; each format in a process of its own.

A file must end in a city, whose rows are all placed or quarantined, or in one line. Anything else
is printed with the seed that makes it again: a traceback, a crash of the process, a hang.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path

import gridmap
from fuzzing.damage import damaged
from fuzzing.seeds import FORMATS, write_city

_HANGS_S = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Run every format in a process, print what was found, and return 1 if anything was."""
    given = _parser().parse_args(arguments)
    if given.inside:
        _inside(given.formats[0], range(given.seed, given.seed + given.count))
        return 0
    total, bad = Counter[str](), 0
    for form in given.formats:
        counts, faults = run(form, given.seed, given.count)
        total += counts
        bad += len(faults)
        said = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(counts.items()))
        print(f"{form:8} {said}")
        for fault in faults:
            print(f"  seed {fault['seed']}: {fault['said']}")
    said = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(total.items()))
    print(f"{'all':8} {said}; {bad} faults")
    return 1 if bad else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--formats", nargs="+", choices=[*FORMATS], default=[*FORMATS])
    parser.add_argument("--count", type=int, default=200, help="files of each format")
    parser.add_argument("--seed", type=int, default=0, help="of the first file")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser


def run(form: str, seed: int, count: int) -> tuple[Counter[str], list[dict[str, object]]]:
    """Damage files of a format and read them, in as many processes as crash or hang.

    Returns
    -------
    counts : Counter of str
        Files by outcome: ``city`` or ``line``, or a fault.
    faults : list of dict
        ``seed`` and ``said`` of each.
    """
    counts, faults = Counter[str](), []
    left = range(seed, seed + count)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    while left:
        asked = ["--inside", "--formats", form, "--seed", str(left[0]), "--count", str(len(left))]
        command = [sys.executable, "-m", "fuzzing", *asked]
        with subprocess.Popen(  # noqa: S603 - our own module
            command, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None  # noqa: S101 - for the types
            done = left[0]
            for line in process.stdout:
                told = json.loads(line)
                done = told["seed"] + 1
                counts[told["outcome"]] += 1
                if told["said"]:
                    faults.append(told)
        left = range(done, seed + count)
        if process.returncode:
            outcome = "hang" if process.returncode == 1 else "crash"
            counts[outcome] += 1
            faults.append({"seed": done, "said": f"{outcome}, exit code {process.returncode}"})
            left = range(done + 1, seed + count)
    return counts, faults


def _inside(form: str, seeds: range) -> None:
    """Read damaged files one after the other and print a line of JSON for each."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="gridmap-fuzz-") as folder:
        path = write_city(Path(folder), form)
        data = path.read_bytes()
        for seed in seeds:
            path.write_bytes(damaged(data, seed))
            # Ends the process with code 1 if one file takes so long.
            faulthandler.dump_traceback_later(_HANGS_S, exit=True)
            outcome, said = _read(Path(folder))
            faulthandler.cancel_dump_traceback_later()
            sys.stdout.write(json.dumps({"seed": seed, "outcome": outcome, "said": said}) + "\n")
            sys.stdout.flush()


def _read(folder: Path) -> tuple[str, str]:
    try:
        city = gridmap.read_city(folder)
    except gridmap.GridmapError as error:
        lines = [error.text(lang) for lang in ("en", "zh")]
        if any("\n" in line or not line.strip() for line in lines):
            return "many lines", repr(lines)
        return "line", ""
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a fault
        where = traceback.extract_tb(error.__traceback__)[-1]
        return "traceback", f"{type(error).__name__}: {str(error)[:120]} ({where.name})"
    for receipt in city.receipts:
        if receipt.rows != receipt.placed + receipt.quarantined:
            return "lost rows", repr(receipt)
    return "city", ""


if __name__ == "__main__":
    sys.exit(main())
