"""A plan of a synthetic city, by way of its files as any user's."""

from __future__ import annotations

import tempfile
from pathlib import Path

from synthetic import SyntheticCity, write_sample

from benchmarks.suites.chain import CITY_FILE
from gridmap.config import read_city_file
from gridmap.design.grids import design_grids
from gridmap.design.plan import Plan
from gridmap.sources.city import read_city

__all__ = ["plan_of"]


def plan_of(city: SyntheticCity) -> Plan:
    """Write the city, read it and cut it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sample(city, folder, defects=False)
        (folder / "city.toml").write_text(CITY_FILE, encoding="utf-8")
        return design_grids(read_city(read_city_file(folder)))
