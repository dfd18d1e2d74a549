"""Fixtures for all tests: the sample city, worked through once, and the tools of the big tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))

from gridmap.config import read_city_file  # noqa: E402
from gridmap.pipeline import analyse  # noqa: E402
from gridmap.result import Analysed  # noqa: E402
from gridmap.sources import read_city  # noqa: E402

# The same examples in every run, so that a change is to blame when a test fails.
# `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=500, deadline=None)
settings.load_profile("same")

pytest_plugins = ["browser", "postgres"]


@pytest.fixture(scope="session")
def sample() -> Analysed:
    """The sample city with everything computed."""
    city_file = read_city_file(ROOT / "data")
    return analyse(read_city(city_file), city_file.analysis)


@pytest.fixture(scope="session")
def planted() -> dict[str, Any]:
    """What the generator hid in the sample city."""
    return json.loads((ROOT / "data" / "planted.json").read_text(encoding="utf-8"))
