"""Write a synthetic town: without arguments the sample in data/."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from synthetic import (
    SAMPLE_GOVERNANCE,
    SAMPLE_HOUSEHOLDS,
    SAMPLE_RANDOM_STATE,
    make_city,
    write_sample,
)

DATA = Path(__file__).resolve().parents[2] / "data"


def main() -> int:
    """Parse the arguments, make the town, write it and tell what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=SAMPLE_HOUSEHOLDS, metavar="N")
    parser.add_argument("--random-state", type=int, default=SAMPLE_RANDOM_STATE, metavar="N")
    parser.add_argument("--problems-per-household", type=float, default=0.4, metavar="X")
    parser.add_argument("--out", type=Path, default=DATA, metavar="DIR", help="default: data/")
    parser.add_argument("--no-defects", action="store_true", help="exact grids and clean problems")
    arguments = parser.parse_args()
    began = time.monotonic()
    logging.basicConfig(format="%(relativeCreated)7d ms  %(message)s")
    logging.getLogger("synthetic").setLevel(logging.INFO)
    city = make_city(
        households=arguments.households,
        random_state=arguments.random_state,
        problems_per_household=arguments.problems_per_household,
        governance=SAMPLE_GOVERNANCE if arguments.households == SAMPLE_HOUSEHOLDS else None,
    )
    written = write_sample(city, arguments.out, defects=not arguments.no_defects)
    for name, (rows, size) in written.items():
        sys.stdout.write(f"{name:<18} {rows:>9,} rows {size:>13,} bytes\n")
    total = sum(size for _, size in written.values())
    took = time.monotonic() - began
    sys.stdout.write(f"{'in ' + str(arguments.out):<18} {total:>24,} bytes, {took:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
